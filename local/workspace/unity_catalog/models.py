"""Registered models, their versions and aliases by Unity Catalog's API; MLflow's API shows the same ones."""

from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import model_store
from local.workspace.unity_catalog.documents import ModelDocument, VersionDocument
from local.workspace.unity_catalog.securables import PAGE, UC, changing, check_owner, named

router = APIRouter()


@router.post(f"{UC}/models")
def create(
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a registered model."""
    for field in ("catalog_name", "schema_name", "name"):
        if field not in request:
            raise bad_request(f"missing field {field}")
    if "storage_location" in request:
        raise bad_request("storage_location: the local workspace keeps the files of models itself")
    _refuse_aliases(request)
    full_name = ".".join(named(request[field], field) for field in ("catalog_name", "schema_name", "name"))
    return _shown(workspace, model_store.create(workspace, caller, full_name, request.get("comment", ""), {}))


@router.get(f"{UC}/models")
def list_all(
    workspace: WorkspaceDep, catalog_name: str = "", schema_name: str = "", max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns all registered models."""
    prefix = f"{catalog_name}.{schema_name}." if schema_name else f"{catalog_name}."
    models = [_shown(workspace, model) for model in model_store.models(workspace, prefix.lower().lstrip("."))]
    return page(models, "registered_models", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/models/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep, include_aliases: bool = False) -> Document:
    """Returns a registered model."""
    return _shown(workspace, model_store.find(workspace, full_name), include_aliases)


@router.patch(f"{UC}/models/{{full_name}}")
def update(
    full_name: str,
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a registered model; what only the service writes, such as times, is not read."""
    _refuse_aliases(request)
    with changing:
        only_owner = request.keys() == {"owner"}
        model = (model_store.manageable if only_owner else model_store.changeable)(workspace, caller, full_name)
        same = {field: model[field] for field in ("name", "catalog_name", "schema_name")} | {"new_name": model["name"]}
        for field, kept in same.items():
            if request.get(field, kept).lower() != kept:
                raise bad_request(f"{field}: the local workspace cannot rename a model; make a new one")
        if "owner" in request:
            check_owner(workspace, request["owner"])
            model["owner"] = request["owner"]
        if "comment" in request:
            model["comment"] = request["comment"]
        model_store.save(workspace, model, caller)
    return _shown(workspace, model_store.find(workspace, full_name))


@router.delete(f"{UC}/models/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a registered model."""
    model_store.remove(workspace, model_store.manageable(workspace, caller, full_name)["full_name"])
    return {}


@router.get(f"{UC}/models/{{full_name}}/versions")
def versions(full_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns the versions of a model, newest first."""
    name = model_store.find(workspace, full_name)["full_name"]
    shown = [_version(workspace, version) for version in model_store.versions(workspace, name)]
    return page(shown, "model_versions", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/models/{{full_name}}/versions/{{version}}")
def version(full_name: str, version: int, workspace: WorkspaceDep) -> Document:
    """Returns a version of a model."""
    return _version(workspace, model_store.find_version(workspace, full_name, version))


@router.delete(f"{UC}/models/{{full_name}}/versions/{{version}}")
def delete_version(full_name: str, version: int, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a version of a model."""
    model_store.owned(workspace, caller, full_name)
    model_store.remove_version(workspace, model_store.find_version(workspace, full_name, version))
    return {}


@router.get(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def by_alias(full_name: str, alias: str, workspace: WorkspaceDep) -> Document:
    """Returns the version of an alias."""
    return _version(workspace, model_store.aliased(workspace, full_name, alias))


@router.put(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def set_alias(
    full_name: str,
    alias: str,
    request: Annotated[Document, body(catalog.RegisteredModelsAPI.set_alias, {"alias": str})],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Sets an alias to a version."""
    name = model_store.set_alias(workspace, caller, full_name, alias, request["version_num"])
    model = model_store.find(workspace, full_name)
    return {
        "alias_name": name,
        "version_num": request["version_num"],
        "catalog_name": model["catalog_name"],
        "schema_name": model["schema_name"],
        "model_name": model["name"],
    }


@router.delete(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def delete_alias(full_name: str, alias: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes an alias."""
    model_store.delete_alias(workspace, caller, full_name, alias)
    return {}


def _refuse_aliases(request: Document) -> None:
    if request.get("aliases"):
        raise not_built("aliases of a model's create or update; set each alias by its own call")


def _shown(workspace: Workspace, model: ModelDocument, include_aliases: bool = False) -> Document:
    own = ("tags", "aliases", "last_version")
    shown: Document = {
        **{field: value for field, value in model.items() if field not in own},
        "storage_location": workspace.settings.models.joinpath(*model["full_name"].split(".")).as_uri(),
        "securable_type": "FUNCTION",
        "securable_kind": "FUNCTION_REGISTERED_MODEL",
    }
    return shown | {"aliases": _aliases(model)} if include_aliases else shown


def _aliases(model: ModelDocument) -> list[Document]:
    return [{"alias_name": name, "version_num": number} for name, number in model["aliases"].items()]


def _version(workspace: Workspace, version: VersionDocument) -> Document:
    model = model_store.find(workspace, version["model"])
    own = ("owner", "tags", "model", "model_id", "run_workspace_id")
    return {
        **{field: value for field, value in version.items() if field not in own},
        "model_name": model["name"],
        "catalog_name": model["catalog_name"],
        "schema_name": model["schema_name"],
        "id": f"{version['model']}/{version['version']}",
        "storage_location": model_store.folder_of(workspace, version).as_uri(),
        "aliases": [alias for alias in _aliases(model) if alias["version_num"] == version["version"]],
    }
