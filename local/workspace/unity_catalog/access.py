"""Rights of a caller on objects of Unity Catalog: by ownership, by privileges, or as owner of the metastore.

An administrator of the workspace has no rights on objects: only privileges on the metastore, until somebody takes them
away, as on a metastore that Databricks makes by itself. Whoever owns the metastore is its administrator.

Sources: Databricks' documentation, "Manage Unity Catalog object ownership", "Admin privileges in Unity Catalog" and
"Unity Catalog privileges and securable objects"; databricks-sdk on each call, such as `SchemasAPI.create`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.workspace.core.context import ADMIN
from local.workspace.core.errors import permission_denied
from local.workspace.unity_catalog.cloud_documents import CREDENTIALS, LOCATIONS
from local.workspace.unity_catalog.documents import (
    CATALOGS,
    FUNCTIONS,
    GRANTS,
    MODELS,
    SCHEMAS,
    TABLES,
    VIEWS,
    VOLUMES,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.errors import ApiError
    from local.workspace.core.store import DocumentKind

_SEEN_BY = ("SELECT", "MODIFY", "MANAGE", "APPLY_TAG", "BROWSE")
_CONTAINERS = ("catalog", "schema")
_ENTRY = {"catalog": "USE_CATALOG", "schema": "USE_SCHEMA"}
_SPOKEN = {"function": "Routine or Model", "external_location": "External Location"}
_OWNED: dict[str, tuple[DocumentKind[Any], ...]] = {
    "catalog": (CATALOGS,),
    "credential": (CREDENTIALS,),
    "external_location": (LOCATIONS,),
    "function": (FUNCTIONS, MODELS),
    "schema": (SCHEMAS,),
    "table": (TABLES, VIEWS),
    "volume": (VOLUMES,),
}
_OF_WORKSPACE_ADMINS = [
    "CREATE_CATALOG",
    "CREATE_CONNECTION",
    "CREATE_EXTERNAL_LOCATION",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_STORAGE_CREDENTIAL",
]


def workspace_admins(workspace: Workspace) -> str:
    """Returns the name that the administrators of the workspace have in the metastore; no directory lists it."""
    return f"_workspace_admins_local_{workspace.workspace_id}"


def granted(workspace: Workspace, kind: str, full_name: str) -> dict[str, list[str]]:
    """Returns the privileges on an object by the name of the principal, without those on what contains it."""
    kept = workspace.store.get(GRANTS, f"{kind}/{full_name}")
    if kept is None:
        return {workspace_admins(workspace): [*_OF_WORKSPACE_ADMINS]} if kind == "metastore" else {}
    return kept


def holds(workspace: Workspace, caller: Principal, kind: str, full_name: str, privilege: str) -> bool:
    """Whether a caller owns an object, or holds a privilege on it or on what contains it.

    Args:
        workspace: The workspace that has it.
        caller: Who asks.
        kind: `metastore`, `catalog`, `schema`, `external_location`, `credential`, or a kind of what lies in a schema.
        full_name: Its name with those of its containers, in the form of the store. Owning a container does not count.
        privilege: The privilege asked for.
    """
    return held(workspace, names_of(workspace, caller), kind, full_name, privilege)


def held(workspace: Workspace, names: Collection[str], kind: str, full_name: str, privilege: str) -> bool:
    """Whether one of these names owns an object, or holds a privilege on it or on what contains it; as `holds`."""
    if owner_of(workspace, kind, full_name) in names:
        return True
    enough = {privilege} if privilege == "MANAGE" else {privilege, "ALL_PRIVILEGES"}
    return any(
        name in names and enough & set(privileges)
        for place, place_name in [(kind, full_name), *containers(full_name)]
        for name, privileges in granted(workspace, place, place_name).items()
    )


def check_privilege(workspace: Workspace, caller: Principal, kind: str, full_name: str, privilege: str) -> None:
    """Refuses a caller who neither owns an object nor holds a privilege on it, or may not enter what contains it.

    Raises:
        ApiError: A 403 that names the object and the privilege.
    """
    if missing := _missing(workspace, caller, kind, full_name, privilege):
        raise missing


def check_create(workspace: Workspace, caller: Principal, container: str, full_name: str, *privileges: str) -> None:
    """Refuses a caller who may not make an object in a container.

    Args:
        workspace: The workspace.
        caller: Who makes the object, and will own it.
        container: `metastore`, `catalog` or `schema`.
        full_name: Name of the container.
        privileges: One of them is enough.

    Raises:
        ApiError: A 403 that names what is missing.
    """
    if not administers(workspace, caller):
        _check_entry(workspace, caller, [(container, full_name), *containers(full_name)])
    elif container != "schema":
        return
    if not any(holds(workspace, caller, container, full_name, privilege) for privilege in privileges):
        raise _denied(privileges[0], container, full_name)


def check_manage(workspace: Workspace, caller: Principal, kind: str, full_name: str) -> None:
    """Refuses a caller who may not delete an object, grant privileges on it or give it to another owner.

    Its owner may, whoever holds MANAGE, the owner of what contains it, and the administrator of the metastore; on the
    metastore itself the account's administrator grants too.

    Raises:
        ApiError: A 403 that names what is missing.
    """
    if administers(workspace, caller) or (kind == "metastore" and caller.name == ADMIN):
        return
    missing = _missing(workspace, caller, kind, full_name, "MANAGE")
    names, places = names_of(workspace, caller), containers(full_name)
    for depth, (container, name) in enumerate(places, start=1):
        if missing and owner_of(workspace, container, name) in names:
            _check_entry(workspace, caller, places[depth:])
            return
    if missing:
        raise missing


def check_owner(workspace: Workspace, caller: Principal, kind: str, full_name: str) -> None:
    """Refuses a caller who does not own an object, whatever the caller's privileges; or may not enter what contains it.

    Raises:
        ApiError: A 403 that names the object.
    """
    if administers(workspace, caller):
        return
    _check_entry(workspace, caller, containers(full_name))
    if owner_of(workspace, kind, full_name) not in names_of(workspace, caller):
        raise permission_denied(f"User is not an owner of {_spoken(kind)} '{full_name}'.")


def administers(workspace: Workspace, caller: Principal) -> bool:
    """Whether a caller is an administrator of the metastore: its owner."""
    return workspace.metastore_owner in names_of(workspace, caller)


def sees(workspace: Workspace, names: Collection[str], full_name: str) -> bool:
    """Whether somebody of these names may know of a table or view.

    By any privilege on it and the way to it, or as owner of what contains it.
    """
    if any(owner_of(workspace, kind, name) in names for kind, name in containers(full_name)):
        return True
    return any(lacking(workspace, names, "table", full_name, privilege) is None for privilege in _SEEN_BY)


def lacking(workspace: Workspace, names: Collection[str], kind: str, full_name: str, privilege: str) -> str | None:
    """Returns what nobody of these names has, of all that using a privilege needs; None if all is there."""
    for container, name in reversed(containers(full_name)):
        if not held(workspace, names, container, name, _ENTRY[container]):
            return _lack(_ENTRY[container], container, name)
    return None if held(workspace, names, kind, full_name, privilege) else _lack(privilege, kind, full_name)


def _missing(workspace: Workspace, caller: Principal, kind: str, full_name: str, privilege: str) -> ApiError | None:
    """What a caller lacks to use a privilege on an object."""
    lack = lacking(workspace, names_of(workspace, caller), kind, full_name, privilege)
    return permission_denied(lack) if lack else None


def _check_entry(workspace: Workspace, caller: Principal, places: list[tuple[str, str]]) -> None:
    for place, name in reversed(places):
        if place in _ENTRY and not holds(workspace, caller, place, name, _ENTRY[place]):
            raise _denied(_ENTRY[place], place, name)


def containers(full_name: str) -> list[tuple[str, str]]:
    """Returns what contains an object, from within outwards: its schema, then its catalog."""
    parts = full_name.split(".")
    depths = range(1, len(parts))
    return [(kind, ".".join(parts[:depth])) for depth, kind in zip(depths, _CONTAINERS, strict=False)][::-1]


def owner_of(workspace: Workspace, kind: str, full_name: str) -> str | None:
    """Returns the owner of an object; a table that a task made is its schema's owner's, as Spark keeps none."""
    if kind == "metastore":
        return workspace.metastore_owner
    for documents in _OWNED.get(kind, ()):
        document = workspace.store.get(documents, full_name)
        if document is not None:
            return str(document["owner"])
    return owner_of(workspace, "schema", full_name.rpartition(".")[0]) if kind == "table" else None


def names_of(workspace: Workspace, caller: Principal) -> set[str]:
    """Returns the names in which a caller owns objects and holds privileges."""
    own = {caller.name, "account users", *workspace.groups_of(caller.id)}
    return own | {workspace_admins(workspace)} if caller.admin else own


def _denied(privilege: str, kind: str, full_name: str) -> ApiError:
    return permission_denied(_lack(privilege, kind, full_name))


def _lack(privilege: str, kind: str, full_name: str) -> str:
    return f"User does not have {privilege.replace('_', ' ')} on {_spoken(kind)} '{full_name}'."


def _spoken(kind: str) -> str:
    return _SPOKEN.get(kind, kind.title())
