"""Registered models, kept by MLflow's registry under their three-level names."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.mlflow.client import call_mlflow

from . import securables
from .securables import UC, changing, check_owner, created, forget, named, page, updated

router = APIRouter()

# What Unity Catalog knows of a model and MLflow does not.
_OWN = ("owner", "created_by", "updated_by", "updated_at", "created_at")


@router.post(f"{UC}/models")
def create(
    sent: Annotated[dict[str, Any], Depends(body(catalog.RegisteredModelsAPI.create))], here: Here, caller: Caller
) -> Document:
    for field in ("catalog_name", "schema_name", "name"):
        if field not in sent:
            raise bad_request(f"missing field {field}")
    if "storage_location" in sent:
        raise bad_request("storage_location: the local workspace keeps models in MLflow's artifact store")
    securables.find(here, "catalog", sent["catalog_name"])
    schema = securables.find(here, "schema", f"{sent['catalog_name']}.{sent['schema_name']}")
    full_name = f"{schema['full_name']}.{named(sent['name'])}"
    with changing:
        call_mlflow(
            here, "POST", "registered-models/create", {"name": full_name, "description": sent.get("comment", "")}
        )
        here.store.put("uc_model", full_name, {key: created(here, caller)[key] for key in _OWN})
    return find(here, full_name)


@router.get(f"{UC}/models")
def list_all(
    here: Here, catalog_name: str = "", schema_name: str = "", max_results: int = 0, page_token: str = ""
) -> Document:
    prefix = f"{catalog_name}.{schema_name}." if schema_name else f"{catalog_name}."
    found = [_shown(here, model) for model in _all(here) if model["name"].startswith(prefix.lower().lstrip("."))]
    shown, rest = page(found, max_results, page_token)
    return {"registered_models": shown} | rest


@router.get(f"{UC}/models/{{full_name}}")
def get(full_name: str, here: Here, include_aliases: bool = False) -> Document:
    return find(here, full_name, include_aliases)


@router.patch(f"{UC}/models/{{full_name}}")
def update(
    full_name: str,
    sent: Annotated[dict[str, Any], Depends(body(catalog.RegisteredModelsAPI.update))],
    here: Here,
    caller: Caller,
) -> Document:
    with changing:
        document = find(here, full_name)
        if "new_name" in sent:
            raise bad_request("new_name: the local workspace cannot rename a model; make a new one")
        if "owner" in sent:
            check_owner(here, sent["owner"])
        if "comment" in sent:
            change = {"name": document["full_name"], "description": sent["comment"]}
            call_mlflow(here, "PATCH", "registered-models/update", change)
        kept = {key: document[key] for key in _OWN} | updated(caller)
        here.store.put("uc_model", document["full_name"], kept | ({"owner": sent["owner"]} if "owner" in sent else {}))
    return find(here, full_name)


@router.delete(f"{UC}/models/{{full_name}}")
def delete(full_name: str, here: Here) -> Document:
    remove(here, find(here, full_name)["full_name"])
    return {}


@router.get(f"{UC}/models/{{full_name}}/versions")
def versions(full_name: str, here: Here, max_results: int = 0, page_token: str = "") -> Document:
    model = find(here, full_name, include_aliases=True)
    query = {"filter": f"name = '{model['full_name']}'", "max_results": 1000, "order_by": "version_number DESC"}
    found = call_mlflow(here, "GET", "model-versions/search", query).get("model_versions", [])
    shown, rest = page([_version(model, version) for version in found], max_results, page_token)
    return {"model_versions": shown} | rest


@router.get(f"{UC}/models/{{full_name}}/versions/{{version}}")
def version(full_name: str, version: int, here: Here) -> Document:
    model = find(here, full_name, include_aliases=True)
    query = {"name": model["full_name"], "version": version}
    return _version(model, call_mlflow(here, "GET", "model-versions/get", query)["model_version"])


@router.delete(f"{UC}/models/{{full_name}}/versions/{{version}}")
def delete_version(full_name: str, version: int, here: Here) -> Document:
    with changing:
        name = find(here, full_name)["full_name"]
        return call_mlflow(here, "DELETE", "model-versions/delete", {"name": name, "version": str(version)})


@router.get(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def by_alias(full_name: str, alias: str, here: Here) -> Document:
    model = find(here, full_name, include_aliases=True)
    query = {"name": model["full_name"], "alias": alias}
    return _version(model, call_mlflow(here, "GET", "registered-models/alias", query)["model_version"])


@router.put(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def set_alias(
    full_name: str,
    alias: str,
    sent: Annotated[dict[str, Any], Depends(body(catalog.RegisteredModelsAPI.set_alias, {"alias": str}))],
    here: Here,
) -> Document:
    with changing:
        model = find(here, full_name)
        change = {"name": model["full_name"], "alias": alias, "version": str(sent["version_num"])}
        call_mlflow(here, "POST", "registered-models/alias", change)
        return {
            "alias_name": alias,
            "version_num": sent["version_num"],
            **{key: model[key] for key in ("catalog_name", "schema_name")},
            "model_name": model["name"],
        }


@router.delete(f"{UC}/models/{{full_name}}/aliases/{{alias}}")
def delete_alias(full_name: str, alias: str, here: Here) -> Document:
    with changing:
        change = {"name": find(here, full_name)["full_name"], "alias": alias}
        return call_mlflow(here, "DELETE", "registered-models/alias", change)


def find(here: Workspace, full_name: str, include_aliases: bool = False) -> Document:
    """A registered model as Unity Catalog shows it; raises ApiError where MLflow has none of that name."""
    try:
        model = call_mlflow(here, "GET", "registered-models/get", {"name": full_name.lower()})["registered_model"]
    except ApiError as error:
        if error.status != 404:
            raise
        raise not_found(f"Registered Model '{full_name}' does not exist.") from error
    return _shown(here, model, include_aliases)


def names(here: Workspace, schema: str) -> list[str]:
    """Full names of the models in a schema."""
    return [model["name"] for model in _all(here) if model["name"].startswith(f"{schema}.")]


def remove(here: Workspace, full_name: str) -> None:
    """Deletes a model with its versions."""
    with changing:
        call_mlflow(here, "DELETE", "registered-models/delete", {"name": full_name})
        here.store.delete("uc_model", full_name)
        forget(here, "function", full_name)


def _all(here: Workspace) -> list[Document]:
    found: list[Document] = call_mlflow(here, "GET", "registered-models/search", {"max_results": 1000}).get(
        "registered_models", []
    )
    return [model for model in found if model["name"].count(".") == 2]


def _shown(here: Workspace, model: Document, include_aliases: bool = False) -> Document:
    catalog_name, schema_name, name = model["name"].split(".")
    own = here.store.get("uc_model", model["name"])
    if own is None:  # registered by an MLflow client
        schema = securables.find(here, "schema", f"{catalog_name}.{schema_name}")
        own = {"owner": schema["owner"], "created_by": schema["owner"], "updated_by": schema["owner"]}
        own |= {"created_at": model["creation_timestamp"], "updated_at": model["last_updated_timestamp"]}
    document = {
        "name": name,
        "catalog_name": catalog_name,
        "schema_name": schema_name,
        "full_name": model["name"],
        "metastore_id": here.metastore_id,
        "storage_location": f"{here.settings.mlflow_url}/#/models/{model['name']}",
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
