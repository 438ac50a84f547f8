"""Common parts of Unity Catalog's objects: names, owners, times, and errors."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, TypeVar

from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.unity_catalog.access import check_manage, check_privilege, workspace_admins
from local.workspace.unity_catalog.documents import GRANTS, POLICIES, TAGS, OwnedDocument, SecurableDocument

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.store import Document, DocumentKind

S = TypeVar("S", bound=SecurableDocument)

UC = "/api/2.1/unity-catalog"
PAGE = 1000  # items of a page at most, and where a request names no number

# What the service adds to the properties of catalogs and schemas, asked or not.
MANAGED_PROPERTIES = {"unity.catalog.managed.delta.defaults.delta.enableRowTracking": "true"}

# One change of the catalog at a time; other requests can use the store while Spark or MLflow work.
changing = threading.RLock()


def named(name: str, field: str = "name") -> str:
    """Returns a name in the form of the store: Unity Catalog's names are lower case.

    Raises:
        ApiError: It is empty, too long, or has a character that Unity Catalog refuses.
    """
    if not re.fullmatch(r"[^\s./\x00-\x1f\x7f]{1,255}", name):
        raise bad_request(f"{field} is {name!r}: 1 to 255 characters, no dot, slash, space or control character")
    return name.lower()


def created(caller: Principal) -> OwnedDocument:
    """Returns the fields that every new object has."""
    now = now_ms()
    return {
        "owner": caller.name,
        "created_at": now,
        "created_by": caller.name,
        "updated_at": now,
        "updated_by": caller.name,
    }


def updated(caller: Principal) -> Document:
    """Returns the fields that every change sets."""
    return {"updated_at": now_ms(), "updated_by": caller.name}


def find(workspace: Workspace, kind: DocumentKind[S], full_name: str) -> S:
    """Returns a securable that the store has.

    Raises:
        ApiError: There is none, with Databricks' code, such as `SCHEMA_DOES_NOT_EXIST`.
    """
    document = workspace.store.get(kind, full_name.lower())
    if document is None:
        raise missing(_word(kind), full_name)
    return document


def _word(kind: DocumentKind[S]) -> str:
    """What messages call an object of a kind, such as `schema`."""
    return kind.removeprefix("uc_")


def missing(kind: str, full_name: str) -> ApiError:
    """Returns the error for an object that does not exist."""
    return not_found(f"{_spoken(kind)} '{full_name}' does not exist.", f"{kind.upper()}_DOES_NOT_EXIST")


def exists(kind: str, full_name: str) -> ApiError:
    """Returns the error for an object that exists already."""
    return bad_request(f"{_spoken(kind)} '{full_name}' already exists", f"{kind.upper()}_ALREADY_EXISTS")


def _spoken(kind: str) -> str:
    return kind.replace("_", " ").title()


def check_owner(workspace: Workspace, name: str) -> None:
    """Raises ApiError unless a user, group or service principal has this name."""
    if name in ("account users", workspace_admins(workspace)) or workspace.has_group(name):
        return
    try:
        workspace.principal(name)
    except ApiError as error:
        raise not_found(f"Could not find principal with name {name}.", "PRINCIPAL_DOES_NOT_EXIST") from error


def change(workspace: Workspace, caller: Principal, kind: DocumentKind[S], full_name: str, request: Document) -> S:
    """Changes a securable that the store has, and returns it.

    Args:
        workspace: The workspace that has it.
        caller: Who changes it.
        kind: Its kind, such as `SCHEMAS`.
        full_name: Its name with those of its containers.
        request: The fields to change, checked by the route; `new_name` may only be the present name.

    Raises:
        ApiError: There is none, it would be renamed, the caller may not, or the new owner does not exist.
    """
    with changing:
        document = find(workspace, kind, full_name)
        if named(request.pop("new_name", document["name"])) != document["name"]:
            raise bad_request(f"new_name: the local workspace cannot rename a {_word(kind)}; make a new one")
        if request.keys() == {"owner"}:
            check_manage(workspace, caller, _word(kind), document["full_name"])
        else:
            check_privilege(workspace, caller, _word(kind), document["full_name"], "MANAGE")
        if "owner" in request:
            check_owner(workspace, request["owner"])
        if "properties" in request:
            request["properties"] |= MANAGED_PROPERTIES
        changed = kind.document({**document, **request, **updated(caller)})
        workspace.store.put(kind, changed["full_name"], changed)
        return changed


def forget(workspace: Workspace, kind: str, full_name: str) -> None:
    """Drops what others have put on a securable that was deleted: grants, policies and tags."""
    workspace.store.delete(GRANTS, f"{kind}/{full_name}")
    for key, _ in workspace.store.items(POLICIES, f"{kind.upper()}/{full_name}/"):
        workspace.store.delete(POLICIES, key)
    for key, _ in workspace.store.items(TAGS, f"{kind}s/{full_name}/"):
        workspace.store.delete(TAGS, key)
