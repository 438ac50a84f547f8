"""MLflow experiments as objects of the workspace: each is in a folder, and its name is its path.

MLflow keeps experiments. These routes create, rename and delete them; all other requests go straight to MLflow.
"""

import threading
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

import httpx
from databricks.sdk.service import ml
from fastapi import APIRouter

from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.files import workspace_files
from local.workspace.files.documents import OBJECTS, ObjectDocument

router = APIRouter()
_API = "/api/2.0/mlflow/experiments"
_TYPE: Final = "MLFLOW_EXPERIMENT"
_changing = threading.Lock()


@router.post(f"{_API}/create")
def create(
    request: Annotated[Document, body(ml.ExperimentsAPI.create_experiment)], workspace: WorkspaceDep
) -> Document:
    """Creates an experiment."""
    with _changing:
        path = _free_path(workspace, request["name"])
        made = _call_mlflow(workspace, "POST", "experiments/create", request | {"name": path})
        workspace_files.put_object(workspace, path, _TYPE, resource_id=made["experiment_id"])
        return made


@router.post(f"{_API}/update")
def update(
    request: Annotated[Document, body(ml.ExperimentsAPI.update_experiment)], workspace: WorkspaceDep
) -> Document:
    """Changes an experiment."""
    with _changing:
        experiment = _find(workspace, request["experiment_id"])
        if request.get("new_name") not in (None, experiment["path"]):
            path = _free_path(workspace, request["new_name"])
            _call_mlflow(workspace, "POST", "experiments/update", request | {"new_name": path})
            workspace.store.delete(OBJECTS, experiment["path"])
            experiment["path"] = path
            workspace.store.put(OBJECTS, path, experiment)
        return {}


@router.post(f"{_API}/delete")
def delete(
    request: Annotated[Document, body(ml.ExperimentsAPI.delete_experiment)], workspace: WorkspaceDep
) -> Document:
    """Deletes an experiment."""
    with _changing:
        experiment = _find(workspace, request["experiment_id"])
        remove(workspace, experiment)
        workspace_files.forget_object(workspace, experiment["path"])
        return {}


def remove(workspace: Workspace, experiment: ObjectDocument) -> None:
    """Deletes an experiment in MLflow. MLflow keeps the names of deleted experiments; renaming frees the path."""
    identifier = experiment["resource_id"]
    kept = _call_mlflow(workspace, "GET", "experiments/get", {"experiment_id": identifier})
    if kept["experiment"]["lifecycle_stage"] == "deleted":
        return  # an earlier call was stopped before it forgot the object
    _call_mlflow(
        workspace, "POST", "experiments/update", {"experiment_id": identifier, "new_name": f"deleted {identifier}"}
    )
    _call_mlflow(workspace, "POST", "experiments/delete", {"experiment_id": identifier})


workspace_files.removers[_TYPE] = remove


def _free_path(workspace: Workspace, name: str) -> str:
    """The path of a name; raises ApiError if it is no path, its folder is missing, or an object has it already."""
    if not name.startswith("/"):
        raise bad_request(f"experiment name {name!r}: write an absolute path in the workspace, such as /Shared/{name}")
    path = workspace_files.canonical(name)
    parent = str(PurePosixPath(path).parent)
    folder = workspace.store.get(OBJECTS, parent)
    if folder is None or folder["object_type"] != "DIRECTORY":
        raise not_found(f"The parent folder ({parent}) does not exist.")
    if workspace.store.get(OBJECTS, path):
        raise bad_request(f"Node named {path} already exists", "RESOURCE_ALREADY_EXISTS")
    return path


def _find(workspace: Workspace, identifier: str) -> ObjectDocument:
    for _, experiment in workspace.store.items(OBJECTS):
        if experiment["object_type"] == _TYPE and experiment["resource_id"] == identifier:
            return experiment
    raise not_found(f"Experiment with ID {identifier} does not exist.")


def _call_mlflow(workspace: Workspace, method: str, route: str, arguments: dict[str, Any]) -> Document:
    """Sends a request to MLflow, whose error codes are those of Databricks; raises ApiError if it refuses it."""
    url = f"{workspace.settings.mlflow_url}/api/2.0/mlflow/{route}"
    try:
        if method == "GET":
            answer = httpx.get(url, params=arguments, timeout=60)
        else:
            answer = httpx.request(method, url, json=arguments, timeout=60)
    except httpx.TransportError as error:
        message = f"MLflow at {workspace.settings.mlflow_url} does not answer; is it running? ({error})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    document: Document = answer.json()
    if answer.is_error:
        raise ApiError(answer.status_code, document.get("error_code", "INTERNAL_ERROR"), document.get("message", ""))
    return document
