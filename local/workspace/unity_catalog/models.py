"""Registered models, kept by MLflow's registry under their three-level names."""

from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.mlflow.client import call_mlflow
from local.workspace.unity_catalog import securables
from local.workspace.unity_catalog.access import check_manage
from local.workspace.unity_catalog.documents import CATALOGS, MODELS, SCHEMAS, ModelDocument
from local.workspace.unity_catalog.securables import PAGE, UC, changing, check_owner, created, forget, named, updated

router = APIRouter()

# Fields of a model that Unity Catalog has and MLflow lacks.
_OWN = ("owner", "created_by", "updated_by", "updated_at", "created_at")


@router.post(f"{UC}/models")
def create(
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a registered model."""
    for field in ("catalog_name", "schema_name", "name"):
        if field not in request:
            raise bad_request(f"missing field {field}")
    if "storage_location" in request:
        raise bad_request("storage_location: the local workspace keeps models in MLflow's artifact store")
    securables.find(workspace, CATALOGS, request["catalog_name"])
    schema = securables.find(workspace, SCHEMAS, f"{request['catalog_name']}.{request['schema_name']}")
    full_name = f"{schema['full_name']}.{named(request['name'])}"
    with changing:
        call_mlflow(
            workspace,
            "POST",
            "registered-models/create",
            {"name": full_name, "description": request.get("comment", "")},
        )
        workspace.store.put(MODELS, full_name, ModelDocument(**created(caller)))
    return find(workspace, full_name)


@router.get(f"{UC}/models")
def list_all(
    workspace: WorkspaceDep, catalog_name: str = "", schema_name: str = "", max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns all registered models."""
    prefix = f"{catalog_name}.{schema_name}." if schema_name else f"{catalog_name}."
    prefix = prefix.lower().lstrip(".")
    models = [_shown(workspace, model) for model in _all(workspace) if model["name"].startswith(prefix)]
    return page(models, "registered_models", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/models/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep, include_aliases: bool = False) -> Document:
    """Returns a registered model."""
    return find(workspace, full_name, include_aliases)


@router.patch(f"{UC}/models/{{full_name}}")
def update(
    full_name: str,
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a registered model."""
    with changing:
        document = find(workspace, full_name)
        check_manage(workspace, caller, "function", document["full_name"], document["owner"])
        if "new_name" in request:
            raise bad_request("new_name: the local workspace cannot rename a model; make a new one")
        if "owner" in request:
            check_owner(workspace, request["owner"])
        if "comment" in request:
            change = {"name": document["full_name"], "description": request["comment"]}
            call_mlflow(workspace, "PATCH", "registered-models/update", change)
        own = MODELS.document({key: document[key] for key in _OWN} | updated(caller))
        own["owner"] = request.get("owner", own["owner"])
        workspace.store.put(MODELS, document["full_name"], own)
    return find(workspace, full_name)


@router.delete(f"{UC}/models/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a registered model."""
    model = find(workspace, full_name)
    check_manage(workspace, caller, "function", model["full_name"], model["owner"])
    remove(workspace, model["full_name"])
    return {}


@router.get(f"{UC}/models/{{full_name}}/versions")
def versions(full_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns the versions of a model, newest first."""
    model = find(workspace, full_name, include_aliases=True)
    query = {"filter": f"name = '{model['full_name']}'", "max_results": 1000, "order_by": "version_number DESC"}
    answer = call_mlflow(workspace, "GET", "model-versions/search", query)
    shown = [_version(model, version) for version in answer.get("model_versions", [])]
    return page(shown, "model_versions", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/models/{{full_name}}/versions/{{version}}")
def version(full_name: str, version: int, workspace: WorkspaceDep) -> Document:
    """Returns a version of a model."""
    model = find(workspace, full_name, include_aliases=True)
    query = {"name": model["full_name"], "version": version}
    return _version(model, call_mlflow(workspace, "GET", "model-versions/get", query)["model_version"])


@router.delete(f"{UC}/models/{{full_name}}/versions/{{version}}")
def delete_version(full_name: str, version: int, workspace: WorkspaceDep) -> Document:
    """Deletes a version of a model."""
    with changing:
        name = find(workspace, full_name)["full_name"]
        return call_mlflow(workspace, "DELETE", "model-versions/delete", {"name": name, "version": str(version)})


@router.get(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def by_alias(full_name: str, alias: str, workspace: WorkspaceDep) -> Document:
    """Returns the version of an alias."""
    model = find(workspace, full_name, include_aliases=True)
    query = {"name": model["full_name"], "alias": alias.lower()}
    return _version(model, call_mlflow(workspace, "GET", "registered-models/alias", query)["model_version"])


@router.put(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def set_alias(
    full_name: str,
    alias: str,
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.set_alias, {"alias": str})],
    workspace: WorkspaceDep,
) -> Document:
    """Sets an alias to a version."""
    with changing:
        model = find(workspace, full_name)
        change = {"name": model["full_name"], "alias": alias.lower(), "version": str(request["version_num"])}
        call_mlflow(workspace, "POST", "registered-models/alias", change)
        return {
            "alias_name": alias.lower(),
            "version_num": request["version_num"],
            **{key: model[key] for key in ("catalog_name", "schema_name")},
            "model_name": model["name"],
        }


@router.delete(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def delete_alias(full_name: str, alias: str, workspace: WorkspaceDep) -> Document:
    """Deletes an alias."""
    with changing:
        change = {"name": find(workspace, full_name)["full_name"], "alias": alias.lower()}
        return call_mlflow(workspace, "DELETE", "registered-models/alias", change)


def find(workspace: Workspace, full_name: str, include_aliases: bool = False) -> Document:
    """Returns a registered model in Unity Catalog's form; raises ApiError if MLflow has none of this name."""
    try:
        model = call_mlflow(workspace, "GET", "registered-models/get", {"name": full_name.lower()})["registered_model"]
    except ApiError as error:
        if error.status != 404:
            raise
        raise not_found(f"Registered Model '{full_name}' does not exist.") from error
    return _shown(workspace, model, include_aliases)


def names(workspace: Workspace, schema: str) -> list[str]:
    """Returns the full names of the models in a schema."""
    return [model["name"] for model in _all(workspace) if model["name"].startswith(f"{schema}.")]


def remove(workspace: Workspace, full_name: str) -> None:
    """Deletes a model with its versions."""
    with changing:
        call_mlflow(workspace, "DELETE", "registered-models/delete", {"name": full_name})
        workspace.store.delete(MODELS, full_name)
        forget(workspace, "function", full_name)


def _all(workspace: Workspace) -> list[Document]:
    answer = call_mlflow(workspace, "GET", "registered-models/search", {"max_results": 1000})
    return [model for model in answer.get("registered_models", []) if model["name"].count(".") == 2]


def _shown(workspace: Workspace, model: Document, include_aliases: bool = False) -> Document:
    catalog_name, schema_name, name = model["name"].split(".")
    own = workspace.store.get(MODELS, model["name"])
    if own is None:  # registered by an MLflow client
        schema = securables.find(workspace, SCHEMAS, f"{catalog_name}.{schema_name}")
        own = {
            "owner": schema["owner"],
            "created_at": model["creation_timestamp"],
            "created_by": schema["owner"],
            "updated_at": model["last_updated_timestamp"],
            "updated_by": schema["owner"],
        }
    document: Document = {
        "name": name,
        "catalog_name": catalog_name,
        "schema_name": schema_name,
        "full_name": model["name"],
        "metastore_id": workspace.metastore_id,
        "storage_location": f"{workspace.settings.mlflow_url}/#/models/{model['name']}",
        "securable_type": "FUNCTION",
        "securable_kind": "FUNCTION_REGISTERED_MODEL",
        **own,
    }
    if model.get("description"):
        document["comment"] = model["description"]
    if include_aliases:
        document["aliases"] = [
            {"alias_name": item["alias"], "version_num": int(item["version"])} for item in model.get("aliases", [])
        ]
    return document


def _version(model: Document, version: Document) -> Document:
    number = int(version["version"])
    return {
        "model_name": model["name"],
        "catalog_name": model["catalog_name"],
        "schema_name": model["schema_name"],
        "metastore_id": model["metastore_id"],
        "version": number,
        "id": f"{model['full_name']}/{number}",
        "status": version.get("status", "READY"),
        "source": version.get("source", ""),
        "run_id": version.get("run_id", ""),
        "comment": version.get("description", ""),
        "storage_location": version.get("source", ""),
        "created_at": version["creation_timestamp"],
        "updated_at": version["last_updated_timestamp"],
        "created_by": version.get("user_id") or model["owner"],
        "aliases": [alias for alias in model["aliases"] if alias["version_num"] == number],
    }
