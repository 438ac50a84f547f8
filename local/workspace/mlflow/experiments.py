"""MLflow experiments as objects of the workspace: each lies in a folder, and its name is its path.

MLflow keeps them; what is here makes, renames and deletes them. All other requests go straight to MLflow.
"""

import threading
from pathlib import PurePosixPath
from typing import Annotated, Any

from databricks.sdk.service import ml
from fastapi import APIRouter, Depends

from local.workspace.core.context import Here, Workspace
from local.workspace.core.errors import bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.files import workspace_files

from .client import call_mlflow

router = APIRouter()
_API = "/api/2.0/mlflow/experiments"
_TYPE = "MLFLOW_EXPERIMENT"
_changing = threading.Lock()


@router.post(f"{_API}/create")
def create(sent: Annotated[dict[str, Any], Depends(body(ml.ExperimentsAPI.create_experiment))], here: Here) -> Document:
    with _changing:
        path = _free_path(here, sent["name"])
        made = call_mlflow(here, "POST", "experiments/create", sent | {"name": path})
        workspace_files.put_object(here, path, _TYPE, resource_id=made["experiment_id"])
        return made


@router.post(f"{_API}/update")
def update(sent: Annotated[dict[str, Any], Depends(body(ml.ExperimentsAPI.update_experiment))], here: Here) -> Document:
    with _changing:
        there = _find(here, sent["experiment_id"])
        if sent.get("new_name") not in (None, there["path"]):
            path = _free_path(here, sent["new_name"])
            call_mlflow(here, "POST", "experiments/update", sent | {"new_name": path})
            here.store.delete("workspace_objects", there["path"])
            here.store.put("workspace_objects", path, there | {"path": path})
        return {}


@router.post(f"{_API}/delete")
def delete(sent: Annotated[dict[str, Any], Depends(body(ml.ExperimentsAPI.delete_experiment))], here: Here) -> Document:
    with _changing:
        there = _find(here, sent["experiment_id"])
        remove(here, there)
        workspace_files.forget_object(here, there["path"])
        return {}


def remove(here: Workspace, there: Document) -> None:
    """Deletes an experiment in MLflow, which keeps deleted ones and their names: another name frees the path."""
    identifier = there["resource_id"]
    found = call_mlflow(here, "GET", "experiments/get", {"experiment_id": identifier})
    if found["experiment"]["lifecycle_stage"] == "deleted":
        return  # by an earlier call that was stopped before it came to forget it
    call_mlflow(here, "POST", "experiments/update", {"experiment_id": identifier, "new_name": f"deleted {identifier}"})
    call_mlflow(here, "POST", "experiments/delete", {"experiment_id": identifier})


workspace_files.removers[_TYPE] = remove


def _free_path(here: Workspace, name: str) -> str:
    """The path that a name is; raises ApiError where it is none, its folder is missing, or something lies there."""
    if not name.startswith("/"):
        raise bad_request(f"experiment name {name!r}: write an absolute path in the workspace, such as /Shared/{name}")
    path = workspace_files.canonical(name)
    parent = str(PurePosixPath(path).parent)
    folder = here.store.get("workspace_objects", parent)
    if folder is None or folder["object_type"] != "DIRECTORY":
        raise not_found(f"The parent folder ({parent}) does not exist.")
    if here.store.get("workspace_objects", path):
        raise bad_request(f"Node named {path} already exists", "RESOURCE_ALREADY_EXISTS")
    return path


def _find(here: Workspace, identifier: str) -> Document:
    for _, there in here.store.items("workspace_objects"):
        if there["object_type"] == _TYPE and there["resource_id"] == identifier:
            return there
    raise not_found(f"Experiment with ID {identifier} does not exist.")
