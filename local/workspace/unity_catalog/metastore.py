"""The metastore of the workspace, and the bindings of catalogs to workspaces."""

from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import ADMIN, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog.documents import CATALOGS
from local.workspace.unity_catalog.securables import UC, find

router = APIRouter()


@router.get(f"{UC}/current-metastore-assignment")
def assignment(workspace: WorkspaceDep) -> Document:
    """Returns the assignment of the metastore to this workspace."""
    return {"metastore_id": workspace.metastore_id, "workspace_id": workspace.workspace_id}


@router.get(f"{UC}/metastore_summary")
def summary(workspace: WorkspaceDep) -> Document:
    """Returns the metastore."""
    return {
        "metastore_id": workspace.metastore_id,
        "global_metastore_id": f"local:{workspace.metastore_id}",
        "name": "local",
        "region": "local",
        "cloud": "local",
        "owner": ADMIN,
        "privilege_model_version": "1.0",
        "storage_root": workspace.settings.tables.as_uri(),
    }


@router.get(f"{UC}/bindings/catalog/{{name}}")
def bindings(name: str, workspace: WorkspaceDep) -> Document:
    """Returns the workspaces that a catalog is bound to."""
    return {"bindings": find(workspace, CATALOGS, name).get("bindings", [])}


@router.patch(f"{UC}/bindings/catalog/{{name}}")
def update_bindings(
    name: str,
    request: Annotated[Document, body(catalog.WorkspaceBindingsAPI.update_bindings)],
    workspace: WorkspaceDep,
) -> Document:
    """Changes the bindings of a catalog."""
    with workspace.store.transaction():
        document = find(workspace, CATALOGS, name)
        bound = {binding["workspace_id"]: binding for binding in document.get("bindings", [])}
        for binding in request.get("add", []):
            if binding["workspace_id"] != workspace.workspace_id:
                raise bad_request(f"there is no workspace {binding['workspace_id']}, only {workspace.workspace_id}")
            bound[binding["workspace_id"]] = {"binding_type": "BINDING_TYPE_READ_WRITE"} | binding
        for binding in request.get("remove", []):
            bound.pop(binding["workspace_id"], None)
        document["bindings"] = list(bound.values())
        workspace.store.put(CATALOGS, document["name"], document)
        return {"bindings": document["bindings"]}


@router.patch(f"{UC}/workspace-bindings/catalogs/{{name}}")
def update_workspaces(
    name: str, request: Annotated[Document, body(catalog.WorkspaceBindingsAPI.update)], workspace: WorkspaceDep
) -> Document:
    """Changes the bindings of a catalog, in the older form of the API."""
    answer = update_bindings(
        name,
        {
            "add": [{"workspace_id": identifier} for identifier in request.get("assign_workspaces", [])],
            "remove": [{"workspace_id": identifier} for identifier in request.get("unassign_workspaces", [])],
        },
        workspace,
    )
    return {"workspaces": [binding["workspace_id"] for binding in answer["bindings"]]}
