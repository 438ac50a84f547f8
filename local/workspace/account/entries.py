"""Entries of principals to the workspaces that the account has made, as USER or ADMIN.

A workspace that is made here is this same server, whose own entries are those of `identity.assignments`: an entry of
this area is kept and opens nothing.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from databricks.sdk.service import iam as sdk
from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.account.documents import ASSIGNMENTS, ENTRIES, EntryDocument
from local.workspace.account.workspaces import find
from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity.kinds import by_id

router = APIRouter()
_ALL = f"{ACCOUNT}/workspaces/{{workspace_id}}/permissionassignments"
_ONE = f"{_ALL}/principals/{{principal_id}}"


@router.get(_ALL)
def list_all(workspace_id: int, workspace: WorkspaceDep) -> Document:
    """Returns the entries of a workspace."""
    _check(workspace, workspace_id)
    entries = [entry for _, entry in workspace.store.items(ENTRIES) if entry["workspace_id"] == workspace_id]
    return {"permission_assignments": [_shown(workspace, entry) for entry in entries]}


@router.put(_ONE)
def assign(
    workspace_id: int,
    principal_id: int,
    request: Annotated[Document, body(sdk.WorkspaceAssignmentAPI.update)],
    workspace: WorkspaceDep,
) -> Mapping[str, Any]:
    """Lets a principal in: ADMIN takes precedence over USER, and neither of them takes the entry away."""
    wanted = request.get("permissions", [])
    level = next((level for level in ("ADMIN", "USER") if level in wanted), None)
    new = EntryDocument(workspace_id=workspace_id, principal_id=principal_id, permissions=[level] if level else [])
    with workspace.store.transaction():
        _check(workspace, workspace_id)
        answer = _shown(workspace, new)
        if level:
            workspace.store.put(ENTRIES, f"{workspace_id}/{principal_id}", new)
        else:
            workspace.store.delete(ENTRIES, f"{workspace_id}/{principal_id}")
    return answer


@router.delete(_ONE)
def remove(workspace_id: int, principal_id: int, workspace: WorkspaceDep) -> Document:
    """Takes an entry away."""
    with workspace.store.transaction():
        _check(workspace, workspace_id)
        if workspace.store.get(ENTRIES, f"{workspace_id}/{principal_id}") is None:
            raise not_found(f"Principal {principal_id} is not assigned to workspace {workspace_id}")
        workspace.store.delete(ENTRIES, f"{workspace_id}/{principal_id}")
    return {}


def _check(workspace: Workspace, workspace_id: int) -> None:
    """Requires a workspace with a metastore: without one it has no principals of the account."""
    if workspace_id == workspace.workspace_id:
        raise not_built("an entry to the local workspace by the account's API")
    find(workspace, workspace_id)
    if workspace.store.get(ASSIGNMENTS, str(workspace_id)) is None:
        raise bad_request(f"workspace {workspace_id} has no metastore: permission assignments are not available")


def _shown(workspace: Workspace, entry: EntryDocument) -> Document:
    """An entry with its principal."""
    principal = by_id(workspace, str(entry["principal_id"]))
    if principal is None:
        raise not_found(f"Principal {entry['principal_id']} not found in account")
    kind, document = principal
    name = document[kind.unique]
    return {
        "permissions": entry["permissions"],
        "principal": {
            "principal_id": entry["principal_id"],
            "display_name": document.get("displayName", name),
            kind.field: name,
        },
    }
