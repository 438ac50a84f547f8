"""Privileges of a caller on objects of Unity Catalog: by ownership, or granted on the object or on what contains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import permission_denied
from local.workspace.unity_catalog.documents import CATALOGS, GRANTS, SCHEMAS
from local.workspace.unity_catalog.securables import find

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace

_CONTAINERS = ("catalog", "schema")


def holds(workspace: Workspace, caller: Principal, kind: str, full_name: str, owner: str, privilege: str) -> bool:
    """Whether a caller may do something with an object; the owner may do everything.

    Args:
        workspace: The workspace that has it.
        caller: Who asks.
        kind: `catalog`, `schema`, or a kind of what lies in a schema, such as `function`.
        full_name: Its name with those of its containers.
        owner: Who owns it; owning what contains it does not count.
        privilege: The privilege asked for, which may have been granted on a container.
    """
    names = _names(workspace, caller)
    if owner in names:
        return True
    parts = full_name.split(".")
    places = [(kind, full_name)]
    places += [
        (container, ".".join(parts[: depth + 1])) for depth, container in enumerate(_CONTAINERS[: len(parts) - 1])
    ]
    enough = {privilege} if privilege == "MANAGE" else {privilege, "ALL_PRIVILEGES"}
    return any(
        name in names and enough & set(privileges)
        for place, place_name in places
        for name, privileges in (workspace.store.get(GRANTS, f"{place}/{place_name}") or {}).items()
    )


def check_change(
    workspace: Workspace, caller: Principal, kind: str, full_name: str, owner: str, privilege: str = "MANAGE"
) -> None:
    """Refuses a caller who neither owns an object nor holds a privilege on it.

    Raises:
        ApiError: A 403 that names the object and the privilege.
    """
    if not holds(workspace, caller, kind, full_name, owner, privilege):
        raise permission_denied(f"User '{caller.name}' does not have {privilege} on {kind} '{full_name}', nor owns it.")


def check_owner(workspace: Workspace, caller: Principal, kind: str, full_name: str, owner: str) -> None:
    """Refuses a caller who does not own an object, whatever the caller's privileges.

    Raises:
        ApiError: A 403 that names the object.
    """
    if owner not in _names(workspace, caller):
        raise permission_denied(f"User '{caller.name}' is not an owner of {kind} '{full_name}'.")


def check_execute(workspace: Workspace, caller: Principal, full_name: str, owner: str) -> None:
    """Refuses a caller who may not execute a registered model.

    Raises:
        ApiError: A 403 that names what is missing, on the way to the model too.
    """
    catalog, schema, _ = full_name.split(".")
    owners = {
        "catalog": find(workspace, CATALOGS, catalog)["owner"],
        "schema": find(workspace, SCHEMAS, f"{catalog}.{schema}")["owner"],
        "function": owner,
    }
    for kind, name, privilege in (
        ("catalog", catalog, "USE_CATALOG"),
        ("schema", f"{catalog}.{schema}", "USE_SCHEMA"),
        ("function", full_name, "EXECUTE"),
    ):
        if not holds(workspace, caller, kind, name, owners[kind], privilege):
            raise permission_denied(f"User '{caller.name}' does not have {privilege} on {kind} '{name}'.")


def _names(workspace: Workspace, caller: Principal) -> set[str]:
    """The names in which a caller owns objects and holds privileges."""
    return {caller.name, "account users", *workspace.groups_of(caller.id)}
