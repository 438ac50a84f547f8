"""Schemas."""

from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import model_store, namespaces, volumes
from local.workspace.unity_catalog.access import check_create, check_manage
from local.workspace.unity_catalog.documents import CATALOGS, FUNCTIONS, SCHEMAS, VIEWS, VOLUMES, SchemaDocument
from local.workspace.unity_catalog.quotas import check_quota
from local.workspace.unity_catalog.securables import (
    MANAGED_PROPERTIES,
    PAGE,
    UC,
    change,
    changing,
    created,
    exists,
    find,
    forget,
    named,
)
from local.workspace.unity_catalog.tables import forget_table

router = APIRouter()


@router.post(f"{UC}/schemas")
def create(
    request: Annotated[Document, body(catalog.SchemasAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a schema."""
    parent = find(workspace, CATALOGS, request["catalog_name"])["name"]
    check_create(workspace, caller, "catalog", parent, "CREATE_SCHEMA")
    return {**add(workspace, caller, parent, request)}


@router.get(f"{UC}/schemas")
def list_all(catalog_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns all schemas."""
    name = find(workspace, CATALOGS, catalog_name)["name"]
    schemas = [document for _, document in workspace.store.items(SCHEMAS, f"{name}.")]
    return page(schemas, "schemas", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/schemas/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep) -> Document:
    """Returns a schema."""
    return {**find(workspace, SCHEMAS, full_name)}


@router.patch(f"{UC}/schemas/{{full_name}}")
def update(
    full_name: str,
    request: Annotated[Document, body(catalog.SchemasAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a schema."""
    return {**change(workspace, caller, SCHEMAS, full_name, request)}


@router.delete(f"{UC}/schemas/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:
    """Deletes a schema."""
    name = find(workspace, SCHEMAS, full_name)["full_name"]
    check_manage(workspace, caller, "schema", name)
    remove(workspace, name, force)
    return {}


def add(workspace: Workspace, caller: Principal, parent: str, request: Document) -> SchemaDocument:
    """Creates a schema in the catalog `parent`, also in Spark."""
    with changing:
        if "storage_root" in request:
            raise not_built("storage_root of a schema")
        name = named(request["name"])
        full_name = f"{parent}.{name}"
        if workspace.store.get(SCHEMAS, full_name):
            raise exists("schema", full_name)
        check_quota(workspace, "schema", "Catalog", parent)
        document: SchemaDocument = {
            **SCHEMAS.document(request),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "properties": request.get("properties", {}) | MANAGED_PROPERTIES,
            "name": name,
            "catalog_name": parent,
            "full_name": full_name,
            "schema_id": str(workspace.store.next_id(SCHEMAS)),
            "catalog_type": "MANAGED_CATALOG",
            "securable_type": "SCHEMA",
            "enable_predictive_optimization": "INHERIT",
        }
        namespaces.create(workspace, full_name)
        workspace.store.put(SCHEMAS, full_name, document)
        return document


def remove(workspace: Workspace, full_name: str, force: bool) -> None:
    """Drops a schema, also in Spark.

    Raises:
        ApiError: The schema is not empty and `force` is false.
    """
    with changing:
        tables = namespaces.tables(workspace, full_name)
        contained = [key for key, _ in workspace.store.items(VOLUMES, f"{full_name}.")]
        registered = [model["full_name"] for model in model_store.models(workspace, f"{full_name}.")]
        functions = [key for key, _ in workspace.store.items(FUNCTIONS, f"{full_name}.")]
        views = [key for key, _ in workspace.store.items(VIEWS, f"{full_name}.")]
        if (tables or contained or registered or functions or views) and not force:
            count = len(registered) + len(functions)
            counts = f"{len(tables) + len(views)} tables(s), {count} functions(s), {len(contained)} volumes(s)"
            message = f"Schema '{full_name}' is not empty. The schema has {counts}"
            raise bad_request(message, "INVALID_STATE")
        for volume in contained:
            volumes.remove(workspace, volume)
        for model in registered:
            model_store.remove(workspace, model)
        namespaces.drop(workspace, full_name)
        workspace.store.delete(SCHEMAS, full_name)
        for table in [*(f"{full_name}.{name}" for name in tables), *views]:
            workspace.store.delete(VIEWS, table)
            forget_table(workspace, table)
        for function in functions:
            workspace.store.delete(FUNCTIONS, function)
            forget(workspace, "function", function)
        forget(workspace, "schema", full_name)
