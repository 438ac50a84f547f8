"""Catalogs."""

import shutil
import uuid
from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import namespaces, schemas
from local.workspace.unity_catalog.access import check_create, check_manage
from local.workspace.unity_catalog.cloud_urls import folder_of
from local.workspace.unity_catalog.documents import CATALOGS, SCHEMAS, CatalogDocument
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
from local.workspace.unity_catalog.storage_paths import check_free, usable

router = APIRouter()


@router.post(f"{UC}/catalogs")
def create(
    request: Annotated[Document, body(catalog.CatalogsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a catalog."""
    name = named(request["name"])
    if "__" in name or name.endswith("_"):  # Spark names its schemas `<catalog>__<schema>`
        raise bad_request(f"name is {name!r}: a catalog of the local workspace has no __ in its name nor _ at its end")
    foreign = [field for field in ("connection_name", "provider_name", "share_name") if field in request]
    if foreign:
        raise bad_request(f"{foreign[0]}: foreign and shared catalogs are not part of the local workspace")
    if "storage_root" not in request and workspace.metastore_root is None:
        raise bad_request(
            "Metastore storage root URL does not exist. Please provide a storage location for the catalog (for example "
            "'CREATE CATALOG myCatalog MANAGED LOCATION '<location-path>'). Alternatively set up a metastore root "
            "storage location to provide a storage location for all catalogs in the metastore.",
            "INVALID_STATE",
        )
    check_create(workspace, caller, "metastore", workspace.metastore_id, "CREATE_CATALOG")
    with changing:
        if workspace.store.get(CATALOGS, name):
            raise exists("catalog", name)
        check_quota(workspace, "catalog", "Metastore", workspace.metastore_id)
        root = _storage_root(workspace, caller, request)
        # The same for each try: a killed workspace may have made the catalog in Spark alone.
        folder = f"catalogs/{uuid.uuid5(uuid.UUID(workspace.metastore_id), name)}"
        own = f"{root}/__unitystorage/{folder}" if root else None
        location = own or f"{workspace.metastore_root}/{workspace.metastore_id}/{folder}"
        document: CatalogDocument = {
            **CATALOGS.document(request),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "properties": request.get("properties", {}) | MANAGED_PROPERTIES,
            "name": name,
            "full_name": name,
            "catalog_type": "MANAGED_CATALOG",
            "isolation_mode": "OPEN",
            "enable_predictive_optimization": "INHERIT",
            "securable_type": "CATALOG",
            "storage_location": location,
        }
        if root:
            document["storage_root"] = root
        namespaces.create_catalog(workspace, name, folder_of(workspace, location))
        schemas.add(workspace, caller, name, {"name": "default", "comment": "Default schema (auto-created)"})
        workspace.store.put(CATALOGS, name, document)
        return _shown(document)


@router.get(f"{UC}/catalogs")
def list_all(workspace: WorkspaceDep, max_results: int = 0, page_token: str = "") -> Document:
    """Returns all catalogs."""
    shown = [_shown(document) for _, document in workspace.store.items(CATALOGS)]
    return page(shown, "catalogs", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/catalogs/{{name}}")
def get(name: str, workspace: WorkspaceDep) -> Document:
    """Returns a catalog."""
    return _shown(find(workspace, CATALOGS, name))


@router.patch(f"{UC}/catalogs/{{name}}")
def update(
    name: str,
    request: Annotated[Document, body(catalog.CatalogsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a catalog."""
    return _shown(change(workspace, caller, CATALOGS, name, request))


@router.delete(f"{UC}/catalogs/{{name}}")
def delete(name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:
    """Deletes a catalog."""
    with changing:
        document = find(workspace, CATALOGS, name)
        name = document["name"]
        check_manage(workspace, caller, "catalog", name)
        inside = [key for key, _ in workspace.store.items(SCHEMAS, f"{name}.")]
        in_spark = [f"{name}.{schema}" for schema in namespaces.schemas(workspace, name)]
        by_sql = [schema for schema in in_spark if schema not in inside]
        others = [key for key in inside if key != f"{name}.default"] + by_sql
        if others and not force:
            message = f"Catalog '{name}' is not empty. The catalog has {len(others)} schema(s)."
            raise bad_request(message, "INVALID_STATE")
        for schema in inside + by_sql:
            schemas.remove(workspace, schema, force)  # refuses a schema `default` that holds something
        namespaces.drop_catalog(workspace, name, force)
        shutil.rmtree(folder_of(workspace, document["storage_location"]), ignore_errors=True)
        workspace.store.delete(CATALOGS, name)
        forget(workspace, "catalog", name)
        return {}


def _storage_root(workspace: Workspace, caller: Principal, request: Document) -> str | None:
    """Returns the storage that a request names for its catalog; None takes the metastore's own."""
    if "storage_root" not in request:
        return None
    root = usable(workspace, caller, request["storage_root"], "storage_root", "CREATE_MANAGED_STORAGE")
    check_free(workspace, root, managed=True)
    return root


def _shown(document: CatalogDocument) -> Document:
    shown: Document = {key: value for key, value in document.items() if key != "bindings"}
    setting = document["enable_predictive_optimization"]
    return shown | {
        "effective_predictive_optimization_flag": {"value": "DISABLE" if setting == "INHERIT" else setting},
        "provisioning_info": {"state": "ACTIVE"},
    }
