"""MLflow's API of models in Unity Catalog, which its client uses by the registry URI `databricks-uc`.

MLflow's own registry, which has stages and no catalog, is refused: there is one registry, Unity Catalog's.
"""

import dataclasses
import re
from typing import Annotated, Any

from fastapi import APIRouter, Request

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import model_store
from local.workspace.unity_catalog.documents import ModelDocument, VersionDocument
from local.workspace.unity_catalog.securables import PAGE, changing
from local.workspace.unity_catalog.tags import tagged

router = APIRouter()
_API = "/api/2.0/mlflow/unity-catalog"
_MODELS, _VERSIONS = f"{_API}/registered-models", f"{_API}/model-versions"
_NOT_BUILT = ("deployment_job_id", "feature_deps", "model_version_dependencies", "new_name")
_ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclasses.dataclass
class Tag:
    """A tag in a request."""

    key: str
    value: str = ""


def _message(required: str, optional: str = "", **others: Any) -> Any:
    """The body of a request by the names of its fields: texts but for `others`, as MLflow's protobuf files have it."""
    fields: list[tuple[str, Any, Any]] = [(name, str, dataclasses.MISSING) for name in required.split()]
    fields += [(name, str, None) for name in optional.split()] + [(name, kind, None) for name, kind in others.items()]
    declared = [(name, kind, dataclasses.field(default=default)) for name, kind, default in fields]
    return body(dataclasses.make_dataclass("Message", declared))


@router.get(f"{_MODELS}:is-databricks-sdk-models-artifact-repository-enabled")
def files_api() -> Document:
    """Says that the files of versions go through the Files API, not by credentials of a cloud's storage."""
    return {"is_databricks_sdk_models_artifact_repository_enabled": True}


@router.post(f"{_MODELS}/create")
def create_model(
    request: Annotated[Document, _message("name", "description deployment_job_id", tags=list[Tag])],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Creates a registered model."""
    _refuse_not_built(request)
    comment, tags = request.get("description", ""), _tags(request)
    return _model(model_store.create(workspace, caller, request["name"], comment, tags))


@router.patch(f"{_MODELS}/update")
def update_model(
    request: Annotated[Document, _message("name", "new_name description deployment_job_id")],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes the description of a model."""
    _refuse_not_built(request)
    with changing:
        model = model_store.changeable(workspace, caller, request["name"])
        model["comment"] = request.get("description", "")
        model_store.save(workspace, model, caller)
    return _model(model_store.find(workspace, request["name"]))


@router.delete(f"{_MODELS}/delete")
def delete_model(request: Annotated[Document, _message("name")], workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a registered model with its versions."""
    model_store.remove(workspace, model_store.manageable(workspace, caller, request["name"])["full_name"])
    return {}


@router.get(f"{_MODELS}/get")
def get_model(name: str, workspace: WorkspaceDep) -> Document:
    """Returns a registered model."""
    return _model(model_store.find(workspace, name))


@router.get(f"{_MODELS}/search")
def search_models(workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns all registered models."""
    models = [_model(model)["registered_model"] for model in model_store.models(workspace)]
    return page(models, "registered_models", max_results or PAGE, page_token, most=PAGE)


@router.post(f"{_MODELS}/alias")
def set_alias(
    request: Annotated[Document, _message("name alias version")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Points an alias to a version."""
    if not request["version"].isdecimal():
        raise bad_request(f"version is {request['version']!r}; write a whole number")
    model_store.set_alias(workspace, caller, request["name"], request["alias"], int(request["version"]))
    return {}


@router.delete(f"{_MODELS}/alias")
def delete_alias(
    request: Annotated[Document, _message("name alias")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes an alias."""
    model_store.delete_alias(workspace, caller, request["name"], request["alias"])
    return {}


@router.get(f"{_MODELS}/alias")
def by_alias(name: str, alias: str, workspace: WorkspaceDep) -> Document:
    """Returns the version that an alias points to."""
    return _version(workspace, model_store.aliased(workspace, name, alias))


@router.post(f"{_MODELS}/set-tag")
def set_model_tag(
    request: Annotated[Document, _message("name key", "value")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Sets a tag of a model."""
    with changing:
        model = model_store.changeable(workspace, caller, request["name"], "APPLY_TAG")
        model["tags"] = tagged(model["tags"], {request["key"]: request.get("value", "")})
        model_store.save(workspace, model, caller)
    return {}


@router.delete(f"{_MODELS}/delete-tag")
def delete_model_tag(
    request: Annotated[Document, _message("name key")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes a tag of a model."""
    with changing:
        model = model_store.changeable(workspace, caller, request["name"], "APPLY_TAG")
        _drop(model["tags"], request["key"])
        model_store.save(workspace, model, caller)
    return {}


@router.post(f"{_VERSIONS}/create")
def create_version(
    request: Annotated[
        Document,
        _message(
            "name",
            "source run_id description run_tracking_server_id feature_deps model_id",
            tags=list[Tag],
            model_version_dependencies=list[dict[str, Any]],
        ),
    ],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Creates the next version of a model, to which the client then writes files."""
    _refuse_not_built(request)
    fields = {name: request.get(name, "") for name in ("source", "run_id", "model_id")}
    fields["run_workspace_id"] = request.get("run_tracking_server_id", "")
    if request.get("description"):
        fields["comment"] = request["description"]
    version = model_store.create_version(workspace, caller, request["name"], fields, _tags(request))
    return _version(workspace, version)


@router.post(f"{_VERSIONS}/finalize")
def finalize(
    request: Annotated[Document, _message("name version")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Makes a version whose files were written READY."""
    model_store.finalize(workspace, caller, request["name"], request["version"])
    return _version(workspace, model_store.find_version(workspace, request["name"], request["version"]))


@router.patch(f"{_VERSIONS}/update")
def update_version(
    request: Annotated[Document, _message("name version", "description")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Changes the description of a version."""
    with changing:
        model_store.owned(workspace, caller, request["name"])
        version = model_store.find_version(workspace, request["name"], request["version"])
        version["comment"] = request.get("description", "")
        model_store.save_version(workspace, version, caller)
    return _version(workspace, model_store.find_version(workspace, request["name"], request["version"]))


@router.delete(f"{_VERSIONS}/delete")
def delete_version(
    request: Annotated[Document, _message("name version")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes a version with its files and aliases."""
    model_store.owned(workspace, caller, request["name"])
    model_store.remove_version(workspace, model_store.find_version(workspace, request["name"], request["version"]))
    return {}


@router.get(f"{_VERSIONS}/get")
def get_version(name: str, version: str, workspace: WorkspaceDep) -> Document:
    """Returns a version."""
    return _version(workspace, model_store.find_version(workspace, name, version))


@router.get(f"{_VERSIONS}/get-download-uri")
def download_uri(name: str, version: str, workspace: WorkspaceDep) -> Document:
    """Returns where the files of a version lie."""
    return {
        "artifact_uri": model_store.folder_of(workspace, model_store.find_version(workspace, name, version)).as_uri()
    }


# The client writes `filter`, which is also a builtin of Python.
@router.get(f"{_VERSIONS}/search")
def search_versions(request: Request, workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns the versions of a model or of a run, newest first."""
    text = request.query_params.get("filter", "")
    condition = re.fullmatch(r"\s*(name|run_id)\s*=\s*(['\"])([^'\"]+)\2\s*", text)
    if condition is None:
        raise bad_request(f"filter is {text!r}; allowed: name = '…' or run_id = '…'")
    field, _, value = condition.groups()
    if field == "name":
        found = model_store.versions(workspace, value.lower())
    else:
        every = [
            item
            for model in model_store.models(workspace)
            for item in model_store.versions(workspace, model["full_name"])
        ]
        found = [version for version in every if version["run_id"] == value]
    shown = [_version(workspace, version)["model_version"] for version in found]
    return page(shown, "model_versions", max_results or PAGE, page_token, most=PAGE)


@router.post(f"{_VERSIONS}/set-tag")
def set_version_tag(
    request: Annotated[Document, _message("name version key", "value")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Sets a tag of a version."""
    with changing:
        model_store.changeable(workspace, caller, request["name"], "APPLY_TAG")
        version = model_store.find_version(workspace, request["name"], request["version"])
        version["tags"] = tagged(version["tags"], {request["key"]: request.get("value", "")})
        model_store.save_version(workspace, version, caller)
    return {}


@router.delete(f"{_VERSIONS}/delete-tag")
def delete_version_tag(
    request: Annotated[Document, _message("name version key")], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes a tag of a version."""
    with changing:
        model_store.changeable(workspace, caller, request["name"], "APPLY_TAG")
        version = model_store.find_version(workspace, request["name"], request["version"])
        _drop(version["tags"], request["key"])
        model_store.save_version(workspace, version, caller)
    return {}


@router.post(f"{_VERSIONS}/emit-lineage")
def emit_lineage(
    request: Annotated[
        Document,
        _message("name version", model_version_lineage_info=dict[str, Any], securable=dict[str, Any]),
    ],
    workspace: WorkspaceDep,
) -> Document:
    """Takes note of a reader of a version; one that has a name, such as a notebook or job, is refused."""
    model_store.find_version(workspace, request["name"], request["version"])
    if request.get("model_version_lineage_info", {}).get("entities"):
        raise not_built("lineage of models")
    return {}


@router.api_route(f"{_API}/{{path:path}}", methods=_ALL)
def no_route(path: str) -> None:
    """Refuses what this registry has on Databricks and lacks here, such as prompts."""
    raise not_built(f"the call {path} of MLflow's registry in Unity Catalog")


@router.api_route("/api/{api}/mlflow/registered-models/{path:path}", methods=_ALL)
@router.api_route("/api/{api}/mlflow/model-versions/{path:path}", methods=_ALL)
@router.api_route("/api/{api}/mlflow/databricks/{path:path}", methods=_ALL)
def no_workspace_registry(request: Request) -> None:
    """Refuses the registry of one workspace, which has stages and no catalog."""
    remedy = "use Unity Catalog's: mlflow.set_registry_uri('databricks-uc')"
    raise not_built(f"MLflow's registry of one workspace ({request.url.path}; {remedy})")


def _refuse_not_built(request: Document) -> None:
    for field in _NOT_BUILT:
        if request.get(field):
            raise not_built(f"{field} of a model")


def _tags(request: Document) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in request.get("tags", [])}


def _drop(tags: dict[str, str], key: str) -> None:
    if key not in tags:
        raise not_found(f"there is no tag {key!r}")
    del tags[key]


def _model(model: ModelDocument) -> Document:
    aliases = [{"alias": alias, "version": str(number)} for alias, number in model["aliases"].items()]
    shown = {
        "name": model["full_name"],
        "creation_timestamp": model["created_at"],
        "last_updated_timestamp": model["updated_at"],
        "user_id": model["created_by"],
        "description": model.get("comment", ""),
        "aliases": aliases,
        "tags": _listed(model["tags"]),
    }
    return {"registered_model": shown}


def _version(workspace: Workspace, version: VersionDocument) -> Document:
    aliases = model_store.find(workspace, version["model"])["aliases"]
    number = str(version["version"])
    shown = {
        "name": version["model"],
        "version": number,
        "creation_timestamp": version["created_at"],
        "last_updated_timestamp": version["updated_at"],
        "user_id": version["created_by"],
        "description": version.get("comment", ""),
        "source": version["source"],
        "run_id": version["run_id"],
        "run_tracking_server_id": version["run_workspace_id"],
        "status": version["status"],
        "storage_location": model_store.folder_of(workspace, version).as_uri(),
        "aliases": [{"alias": name, "version": number} for name, kept in aliases.items() if str(kept) == number],
        "tags": _listed(version["tags"]),
        "model_id": version["model_id"],
    }
    return {"model_version": shown}


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
