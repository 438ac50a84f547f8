"""What all of Unity Catalog's objects share: names, who made them and when, paging, and errors."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from local.workspace.core.errors import ApiError, bad_request, not_found

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.store import Document

UC = "/api/2.1/unity-catalog"
_PAGE = 1000
T = TypeVar("T")

# One change of the catalog at a time; the store stays free for others while Spark or MLflow are asked.
changing = threading.RLock()


def now_ms() -> int:
    """Milliseconds since 1970, as Databricks states times."""
    return time.time_ns() // 1_000_000


def named(name: str, field: str = "name") -> str:
    """A name as it is kept: Unity Catalog's names are lower case.

    Raises:
        ApiError: It is empty, too long, or has a character that Unity Catalog refuses.
    """
    if not re.fullmatch(r"[^\s./\x00-\x1f\x7f]{1,255}", name):
        raise bad_request(f"{field} is {name!r}: 1 to 255 characters, no dot, slash, space or control character")
    return name.lower()


def created(here: Workspace, caller: Principal) -> Document:
    """The fields that every new object has."""
    now = now_ms()
    return {
        "owner": caller.name,
        "metastore_id": here.metastore_id,
        "created_at": now,
        "created_by": caller.name,
        "updated_at": now,
        "updated_by": caller.name,
    }


def updated(caller: Principal) -> Document:
    return {"updated_at": now_ms(), "updated_by": caller.name}


def find(here: Workspace, kind: str, full_name: str) -> Document:
    """A catalog, schema or volume.

    Raises:
        ApiError: There is none, with Databricks' code, such as `SCHEMA_DOES_NOT_EXIST`.
    """
    document = here.store.get(f"uc_{kind}", full_name.lower())
    if document is None:
        raise missing(kind, full_name)
    return document


def missing(kind: str, full_name: str) -> ApiError:
    return not_found(f"{kind.capitalize()} '{full_name}' does not exist.", f"{kind.upper()}_DOES_NOT_EXIST")


def exists(kind: str, full_name: str) -> ApiError:
    return bad_request(f"{kind.capitalize()} '{full_name}' already exists", f"{kind.upper()}_ALREADY_EXISTS")


def check_owner(here: Workspace, name: str) -> None:
    """Raises ApiError unless a user, group or service principal is called so."""
    if name == "account users" or any(group["displayName"] == name for _, group in here.store.items("groups")):
        return
    try:
        here.principal(name)
    except ApiError as error:
        raise not_found(f"Could not find principal with name {name}.", "PRINCIPAL_DOES_NOT_EXIST") from error


def forget(here: Workspace, kind: str, full_name: str) -> None:
    """Drops the grants of a securable that is gone."""
    here.store.delete("uc_grants", f"{kind}/{full_name}")


def page(items: list[T], max_results: int, page_token: str) -> tuple[list[T], Document]:
    """One page and, where more follows, `{"next_page_token": …}`."""
    if page_token and not page_token.isdecimal():
        raise bad_request(f"page_token {page_token!r} was not given by this workspace")
    start, size = int(page_token or 0), max_results or _PAGE
    rest = {"next_page_token": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], rest
