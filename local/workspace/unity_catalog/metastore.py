"""The metastore of this workspace, and which workspaces a catalog is bound to."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import ADMIN, Here
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from .securables import UC, find

router = APIRouter()


@router.get(f"{UC}/current-metastore-assignment")
def assignment(here: Here) -> Document:
    return {"metastore_id": here.metastore_id, "workspace_id": here.workspace_id}


@router.get(f"{UC}/metastore_summary")
def summary(here: Here) -> Document:
    return {
        "metastore_id": here.metastore_id,
        "global_metastore_id": f"local:{here.metastore_id}",
        "name": "local",
        "region": "local",
        "cloud": "local",
        "owner": ADMIN,
        "privilege_model_version": "1.0",
        "storage_root": here.settings.tables.as_uri(),
    }


@router.get(f"{UC}/bindings/catalog/{{name}}")
def bindings(name: str, here: Here) -> Document:
    return {"bindings": find(here, "catalog", name).get("bindings", [])}


@router.patch(f"{UC}/bindings/catalog/{{name}}")
def update_bindings(
    name: str,
    change: Annotated[dict[str, Any], Depends(body(catalog.WorkspaceBindingsAPI.update_bindings))],
    here: Here,
) -> Document:
    with here.store.transaction():
        document = find(here, "catalog", name)
        bound = {binding["workspace_id"]: binding for binding in document.get("bindings", [])}
        for binding in change.get("add", []):
            if binding["workspace_id"] != here.workspace_id:
                raise bad_request(f"there is no workspace {binding['workspace_id']}, only {here.workspace_id}")
            bound[binding["workspace_id"]] = {"binding_type": "BINDING_TYPE_READ_WRITE"} | binding
        for binding in change.get("remove", []):
            bound.pop(binding["workspace_id"], None)
        here.store.put("uc_catalog", document["name"], document | {"bindings": list(bound.values())})
        return {"bindings": list(bound.values())}


@router.patch(f"{UC}/workspace-bindings/catalogs/{{name}}")
def update_workspaces(
    name: str, change: Annotated[dict[str, Any], Depends(body(catalog.WorkspaceBindingsAPI.update))], here: Here
) -> Document:
    answer = update_bindings(
        name,
        {
            "add": [{"workspace_id": identifier} for identifier in change.get("assign_workspaces", [])],
            "remove": [{"workspace_id": identifier} for identifier in change.get("unassign_workspaces", [])],
        },
        here,
    )
    return {"workspaces": [binding["workspace_id"] for binding in answer["bindings"]]}
