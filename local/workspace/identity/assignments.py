"""Principals assigned to the workspace, as USER or ADMIN (`/api/2.0/preview/permissionassignments`).

Databricks keeps principals in the account and assigns them to workspaces. Here one directory is both: whoever is in it
can be assigned. The client of this API is the Terraform provider (`databricks_permission_assignment`); the SDK has
none.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from local.workspace.core.context import ADMIN, ADMINS, Caller, Here, Principal, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = "/api/2.0/preview/permissionassignments"
_ONE = f"{_ALL}/principals/{{identifier}}"
_DOCUMENTS = "permission_assignments"

Level = Literal["ADMIN", "USER"]
NameField = Literal["user_name", "group_name", "service_principal_name"]
# Where each sort of principal is kept, and under which attribute its name stands.
_DIRECTORY: dict[NameField, tuple[str, str]] = {
    "user_name": ("users", "userName"),
    "group_name": ("groups", "displayName"),
    "service_principal_name": ("service_principals", "applicationId"),
}


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
def list_all(here: Here, caller: Caller) -> Document:
    _check_admin(caller)
    return {
        "permission_assignments": [
            document | {"principal": _principal(here, int(key))} for key, document in here.store.items(_DOCUMENTS)
        ]
    }


@router.post(_ALL)
def assign_by_name(
    sent: Annotated[dict[str, Any], Depends(body(NamedAssignments))], here: Here, caller: Caller
) -> Document:
    """Assigns each principal; a fault of one stands in its item as `error`, and the answer is a success."""
    _check_admin(caller)
    answers = []
    for item in sent["permission_assignments"]:
        try:
            with here.store.transaction():
                answers.append(_assign_named(here, item))
        except ApiError as error:
            answers.append({"permissions": [], "error": error.message})
    return {"permission_assignments": answers}


@router.put(_ONE)
def assign(
    identifier: int, sent: Annotated[dict[str, Any], Depends(body(Permissions))], here: Here, caller: Caller
) -> Document:
    """Assigns a principal: of USER and ADMIN the latter counts, others are ignored, none removes the assignment.

    So says the account's form of this API (databricks-sdk, `WorkspaceAssignmentAPI.update`).
    """
    _check_admin(caller)
    with here.store.transaction():
        principal = _principal(here, identifier)
        asked = sent["permissions"]
        level: Level | None = "ADMIN" if "ADMIN" in asked else "USER" if "USER" in asked else None
        _write(here, identifier, level)
    return {"permissions": [level] if level else [], "principal": principal}


@router.delete(_ONE)
def remove(identifier: int, here: Here, caller: Caller) -> Document:
    _check_admin(caller)
    with here.store.transaction():
        if here.store.get(_DOCUMENTS, str(identifier)) is None:
            raise not_found(f"Principal {identifier} is not assigned to workspace {here.workspace_id}")
        _write(here, identifier, None)
    return {}


def forget(here: Workspace, identifier: str) -> None:
    """Drops the assignment of a principal that leaves the directory."""
    here.store.delete(_DOCUMENTS, identifier)


def _check_admin(caller: Principal) -> None:
    if not caller.admin:
        raise permission_denied(f"{caller.name} is no administrator of this workspace")


def _assign_named(here: Workspace, item: Document) -> Document:
    """Assigns one principal by name; Databricks lets nobody become an administrator this way."""
    named = [(field, item[field]) for field in _DIRECTORY if item.get(field)]
    if len(named) != 1:
        raise bad_request(f"permission_assignments: give exactly one of {', '.join(_DIRECTORY)}")
    ((field, name),) = named
    for level in item["permissions"]:
        if level != "USER":
            raise bad_request(f"Invalid permission: {level} is invalid or not supported for this workspace.")
    documents, attribute = _DIRECTORY[field]
    for key, document in here.store.items(documents):
        if document[attribute] == name:
            _write(here, int(key), "USER" if item["permissions"] else None)
            return {"permissions": item["permissions"], "principal": _principal(here, int(key))}
    raise not_found(f"Principal: {field} {name} does not exist")


def _principal(here: Workspace, identifier: int) -> Document:
    for field, (documents, attribute) in _DIRECTORY.items():
        document = here.store.get(documents, str(identifier))
        if document is not None:
            name = document[attribute]
            return {"principal_id": identifier, "display_name": document.get("displayName", name), field: name}
    raise not_found(f"Principal {identifier} not found in account")


def _write(here: Workspace, identifier: int, level: Level | None) -> None:
    """Stores or removes an assignment; an administrator is a member of the group `admins`."""
    ((key, admins),) = (item for item in here.store.items("groups") if item[1]["displayName"] == ADMINS)
    user = here.store.get("users", str(identifier))
    if user and user["userName"] == ADMIN and level != "ADMIN":
        raise bad_request(f"the user {ADMIN} is built in and stays an administrator")
    members = [member for member in admins.get("members", []) if member["value"] != str(identifier)]
    if level == "ADMIN":
        members.append({"value": str(identifier)})
    here.store.put("groups", key, admins | {"members": members})
    if level:
        here.store.put(_DOCUMENTS, str(identifier), {"permissions": [level]})
    else:
        here.store.delete(_DOCUMENTS, str(identifier))
