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
from local.workspace.unity_catalog.documents import CATALOGS, GRANTS, MODELS, SCHEMAS, VOLUMES

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.errors import ApiError
    from local.workspace.core.store import DocumentKind

_CONTAINERS = ("catalog", "schema")
_ENTRY = {"catalog": "USE_CATALOG", "schema": "USE_SCHEMA"}
_SPOKEN = {"function": "Routine or Model", "external_location": "External Location"}
# Tables are missing: Spark keeps no owner, so a table is its schema's owner's.
_OWNED: dict[str, DocumentKind[Any]] = {
    "catalog": CATALOGS,
    "credential": CREDENTIALS,
    "external_location": LOCATIONS,
    "function": MODELS,
    "schema": SCHEMAS,
    "volume": VOLUMES,
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
    names = _names(workspace, caller)
    if _owner(workspace, kind, full_name) in names:
        return True
    enough = {privilege} if privilege == "MANAGE" else {privilege, "ALL_PRIVILEGES"}
    return any(
        name in names and enough & set(privileges)
        for place, place_name in [(kind, full_name), *_containers(full_name)]
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
        _check_entry(workspace, caller, [(container, full_name), *_containers(full_name)])
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
    names, containers = _names(workspace, caller), _containers(full_name)
    for depth, (container, name) in enumerate(containers, start=1):
        if missing and _owner(workspace, container, name) in names:
            _check_entry(workspace, caller, containers[depth:])
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
    _check_entry(workspace, caller, _containers(full_name))
    if _owner(workspace, kind, full_name) not in _names(workspace, caller):
        raise permission_denied(f"User is not an owner of {_spoken(kind)} '{full_name}'.")


def administers(workspace: Workspace, caller: Principal) -> bool:
    """Whether a caller is an administrator of the metastore: its owner."""
    return workspace.metastore_owner in _names(workspace, caller)


def _missing(workspace: Workspace, caller: Principal, kind: str, full_name: str, privilege: str) -> ApiError | None:
    """What a caller lacks to use a privilege on an object."""
    for container, name in reversed(_containers(full_name)):
        if not holds(workspace, caller, container, name, _ENTRY[container]):
            return _denied(_ENTRY[container], container, name)
    return None if holds(workspace, caller, kind, full_name, privilege) else _denied(privilege, kind, full_name)


def _check_entry(workspace: Workspace, caller: Principal, places: list[tuple[str, str]]) -> None:
    for place, name in reversed(places):
        if place in _ENTRY and not holds(workspace, caller, place, name, _ENTRY[place]):
            raise _denied(_ENTRY[place], place, name)


def _containers(full_name: str) -> list[tuple[str, str]]:
    """What contains an object, from within outwards: its schema, then its catalog."""
    parts = full_name.split(".")
    depths = range(1, len(parts))
    return [(kind, ".".join(parts[:depth])) for depth, kind in zip(depths, _CONTAINERS, strict=False)][::-1]


def _owner(workspace: Workspace, kind: str, full_name: str) -> str | None:
    if kind == "metastore":
        return workspace.metastore_owner
    document = workspace.store.get(_OWNED[kind], full_name) if kind in _OWNED else None
    return document["owner"] if document else None


def _names(workspace: Workspace, caller: Principal) -> set[str]:
    """The names in which a caller owns objects and holds privileges."""
    own = {caller.name, "account users", *workspace.groups_of(caller.id)}
    return own | {workspace_admins(workspace)} if caller.admin else own


def _denied(privilege: str, kind: str, full_name: str) -> ApiError:
    return permission_denied(f"User does not have {privilege.replace('_', ' ')} on {_spoken(kind)} '{full_name}'.")


def _spoken(kind: str) -> str:
    return _SPOKEN.get(kind, kind.title())
