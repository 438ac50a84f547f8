"""Schemas."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Principal, Workspace
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import models, namespaces, volumes
from .securables import UC, changing, check_owner, created, exists, find, forget, named, page, updated

router = APIRouter()


@router.post(f"{UC}/schemas")
def create(
    sent: Annotated[dict[str, Any], Depends(body(catalog.SchemasAPI.create))], here: Here, caller: Caller
) -> Document:
    parent = find(here, "catalog", sent["catalog_name"])["name"]
    return add(here, caller, parent, sent)


@router.get(f"{UC}/schemas")
def list_all(catalog_name: str, here: Here, max_results: int = 0, page_token: str = "") -> Document:
    name = find(here, "catalog", catalog_name)["name"]
    found, rest = page([document for _, document in here.store.items("uc_schema", f"{name}.")], max_results, page_token)
    return {"schemas": found} | rest


@router.get(f"{UC}/schemas/{{full_name}}")
def get(full_name: str, here: Here) -> Document:
    return find(here, "schema", full_name)


@router.patch(f"{UC}/schemas/{{full_name}}")
def update(
    full_name: str,
    sent: Annotated[dict[str, Any], Depends(body(catalog.SchemasAPI.update))],
    here: Here,
    caller: Caller,
) -> Document:
    with changing:
        document = find(here, "schema", full_name)
        if named(sent.pop("new_name", document["name"])) != document["name"]:
            raise bad_request("new_name: the local workspace cannot rename a schema; make a new one")
        if "owner" in sent:
            check_owner(here, sent["owner"])
        document |= sent | updated(caller)
        here.store.put("uc_schema", document["full_name"], document)
        return document


@router.delete(f"{UC}/schemas/{{full_name}}")
def delete(full_name: str, here: Here, force: bool = False) -> Document:
    remove(here, find(here, "schema", full_name)["full_name"], force)
    return {}


def add(here: Workspace, caller: Principal, parent: str, sent: Document) -> Document:
    """Makes a schema in the catalog `parent`, in Spark too."""
    with changing:
        name = named(sent["name"])
        full_name = f"{parent}.{name}"
        if here.store.get("uc_schema", full_name):
            raise exists("schema", full_name)
        document = {
            **sent,
            **created(here, caller),
            "name": name,
            "catalog_name": parent,
            "full_name": full_name,
            "schema_id": str(here.store.next_id("uc_schema")),
            "catalog_type": "MANAGED_CATALOG",
            "securable_type": "SCHEMA",
            "enable_predictive_optimization": "INHERIT",
        }
        namespaces.create(here, full_name)
        here.store.put("uc_schema", full_name, document)
        return document


def remove(here: Workspace, full_name: str, force: bool) -> None:
    """Drops a schema, in Spark too.

    Raises:
        ApiError: It holds something and `force` is false.
    """
    with changing:
        tables = namespaces.tables(here, full_name)
        held = [key for key, _ in here.store.items("uc_volume", f"{full_name}.")]
        registered = models.names(here, full_name)
        if (tables or held or registered) and not force:
            counts = f"{len(tables)} tables(s), {len(registered)} functions(s), {len(held)} volumes(s)"
            message = f"Schema '{full_name}' is not empty. The schema has {counts}"
            raise bad_request(message, "INVALID_STATE")
        for volume in held:
            volumes.remove(here, volume)
        for model in registered:
            models.remove(here, model)
        namespaces.drop(here, full_name)
        here.store.delete("uc_schema", full_name)
        for table in tables:
            forget(here, "table", f"{full_name}.{table}")
        forget(here, "schema", full_name)
