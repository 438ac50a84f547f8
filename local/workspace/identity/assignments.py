"""Assignments of principals to the workspace, as USER or ADMIN (`/api/2.0/preview/permissionassignments`).

Databricks keeps principals in the account and assigns them to workspaces. The local workspace has one directory for
both, so that every principal in it can be assigned. The client of this API is the Terraform provider
(`databricks_permission_assignment`); databricks-sdk has none.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter

from local.workspace.core.context import ADMIN, ADMINS, Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.documents import GROUPS, USERS
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity.documents import ASSIGNMENTS, AssignmentDocument, Level
from local.workspace.identity.kinds import KINDS, by_id

router = APIRouter()
_ALL = "/api/2.0/preview/permissionassignments"
_ONE = f"{_ALL}/principals/{{identifier}}"


@dataclass
class Permissions:
    """Body that assigns a principal by its id."""

    permissions: list[str]


@dataclass
class NamedAssignment:
    """One principal in a body that assigns by name."""

    permissions: list[str]
    user_name: str | None = None
    group_name: str | None = None
    service_principal_name: str | None = None


@dataclass
class NamedAssignments:
    """Body that assigns principals by name."""

    permission_assignments: list[NamedAssignment]


@router.get(_ALL)
def list_all(workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns all assignments."""
    _check_admin(caller)
    return {
        "permission_assignments": [
            {**document, "principal": _principal(workspace, int(key))}
            for key, document in workspace.store.items(ASSIGNMENTS)
        ]
    }


@router.post(_ALL)
def assign_by_name(
    request: Annotated[Document, body(NamedAssignments)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Assigns each principal; a fault is the `error` of its item, in an answer that is a success."""
    _check_admin(caller)
    answers = []
    for item in request["permission_assignments"]:
        try:
            with workspace.store.transaction():
                answers.append(_assign_named(workspace, item))
        except ApiError as error:
            answers.append({"permissions": [], "error": error.message})
    return {"permission_assignments": answers}


@router.put(_ONE)
def assign(
    identifier: int, request: Annotated[Document, body(Permissions)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Assigns a principal: ADMIN takes precedence over USER, other values are ignored, none removes the assignment.

    Source: databricks-sdk on the account's form of this API, `WorkspaceAssignmentAPI.update`.
    """
    _check_admin(caller)
    with workspace.store.transaction():
        principal = _principal(workspace, identifier)
        requested = request["permissions"]
        level: Level | None = "ADMIN" if "ADMIN" in requested else "USER" if "USER" in requested else None
        _write(workspace, identifier, level)
    return {"permissions": [level] if level else [], "principal": principal}


@router.delete(_ONE)
def remove(identifier: int, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Removes an assignment."""
    _check_admin(caller)
    with workspace.store.transaction():
        if workspace.store.get(ASSIGNMENTS, str(identifier)) is None:
            raise not_found(f"Principal {identifier} is not assigned to workspace {workspace.workspace_id}")
        _write(workspace, identifier, None)
    return {}


def forget(workspace: Workspace, identifier: str) -> None:
    """Drops the assignment of a principal that was removed from the directory."""
    workspace.store.delete(ASSIGNMENTS, identifier)


def _check_admin(caller: Principal) -> None:
    if not caller.admin:
        raise permission_denied(f"{caller.name} is not an administrator of this workspace")


def _assign_named(workspace: Workspace, item: Document) -> Document:
    """Assigns one principal by name; Databricks refuses ADMIN in this form."""
    named = [(kind, item[kind.field]) for kind in KINDS if item.get(kind.field)]
    if len(named) != 1:
        raise bad_request(f"permission_assignments: give exactly one of {', '.join(kind.field for kind in KINDS)}")
    ((kind, name),) = named
    for level in item["permissions"]:
        if level != "USER":
            raise bad_request(f"Invalid permission: {level} is invalid or not supported for this workspace.")
    principal = kind.seen(workspace, name)
    if principal is None:
        raise not_found(f"Principal: {kind.field} {name} does not exist")
    identifier = int(principal[0])
    _write(workspace, identifier, "USER" if item["permissions"] else None)
    return {"permissions": item["permissions"], "principal": _principal(workspace, identifier)}


def _principal(workspace: Workspace, identifier: int) -> Document:
    """A principal in the form of this API."""
    principal = by_id(workspace, str(identifier))
    if principal is None:
        raise not_found(f"Principal {identifier} not found in account")
    kind, document = principal
    name = document[kind.unique]
    return {"principal_id": identifier, "display_name": document.get("displayName", name), kind.field: name}


def _write(workspace: Workspace, identifier: int, level: Level | None) -> None:
    """Stores or removes an assignment; an administrator is a member of the group `admins`."""
    ((key, admins),) = (item for item in workspace.store.items(GROUPS) if item[1]["displayName"] == ADMINS)
    user = workspace.store.get(USERS, str(identifier))
    if user and user["userName"] == ADMIN and level != "ADMIN":
        raise bad_request(f"the user {ADMIN} is built in and stays an administrator")
    members = [member for member in admins.get("members", []) if member["value"] != str(identifier)]
    if level == "ADMIN":
        members.append({"value": str(identifier)})
    admins["members"] = members
    workspace.store.put(GROUPS, key, admins)
    if level:
        workspace.store.put(ASSIGNMENTS, str(identifier), AssignmentDocument(permissions=[level]))
    else:
        workspace.store.delete(ASSIGNMENTS, str(identifier))
