"""Bindings of securables to workspaces."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.unity_catalog.access import check_manage
from local.workspace.unity_catalog.cloud_documents import CREDENTIALS, LOCATIONS
from local.workspace.unity_catalog.documents import CATALOGS
from local.workspace.unity_catalog.securables import UC, find

router = APIRouter()

# Kinds of the store by the types in the API.
_KINDS: dict[str, DocumentKind[Any]] = {
    "catalog": CATALOGS,
    "credential": CREDENTIALS,
    "external_location": LOCATIONS,
    "storage_credential": CREDENTIALS,
}


@router.get(f"{UC}/bindings/{{securable_type}}/{{name}}")
def bindings(securable_type: str, name: str, workspace: WorkspaceDep) -> Document:
    """Returns the workspaces that a securable is bound to."""
    return {"bindings": find(workspace, _kind(securable_type), name).get("bindings", [])}


@router.patch(f"{UC}/bindings/{{securable_type}}/{{name}}")
def update_bindings(
    securable_type: str,
    name: str,
    request: Annotated[Document, body(catalog.WorkspaceBindingsAPI.update_bindings)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes the bindings of a securable."""
    kind = _kind(securable_type)
    with workspace.store.transaction():
        document = find(workspace, kind, name)
        check_manage(workspace, caller, kind.removeprefix("uc_"), document["full_name"])
        bound = {binding["workspace_id"]: binding for binding in document.get("bindings", [])}
        for binding in request.get("add", []):
            if binding["workspace_id"] != workspace.workspace_id:
                raise bad_request(f"there is no workspace {binding['workspace_id']}, only {workspace.workspace_id}")
            bound[binding["workspace_id"]] = {"binding_type": "BINDING_TYPE_READ_WRITE"} | binding
        for binding in request.get("remove", []):
            bound.pop(binding["workspace_id"], None)
        workspace.store.put(kind, document["full_name"], document | {"bindings": list(bound.values())})
        return {"bindings": list(bound.values())}


@router.patch(f"{UC}/workspace-bindings/catalogs/{{name}}")
def update_workspaces(
    name: str,
    request: Annotated[Document, body(catalog.WorkspaceBindingsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes the bindings of a catalog, in the older form of the API."""
    answer = update_bindings(
        "catalog",
        name,
        {
            "add": [{"workspace_id": identifier} for identifier in request.get("assign_workspaces", [])],
            "remove": [{"workspace_id": identifier} for identifier in request.get("unassign_workspaces", [])],
        },
        workspace,
        caller,
    )
    return {"workspaces": [binding["workspace_id"] for binding in answer["bindings"]]}


def _kind(securable_type: str) -> DocumentKind[Any]:
    if securable_type not in _KINDS:
        raise bad_request(f"securable type {securable_type!r}; the local workspace binds: {', '.join(_KINDS)}")
    return _KINDS[securable_type]
