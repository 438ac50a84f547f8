"""What the routes of all kinds of resources share: finding, changing and writing them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from local.workspace.core.clock import timestamp
from local.workspace.core.errors import bad_request
from local.workspace.lakebase.operations import find

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document


def live(workspace: Workspace, name: str) -> Any:
    """Returns a resource of a project that is not deleted.

    Raises:
        ApiError: There is none, or its project is deleted.
    """
    document = find(workspace, name)
    project = find(workspace, "/".join(name.split("/")[:2]))
    if "delete_time" in project:
        raise bad_request(f"{project['name']} is deleted: take that back first", "FAILED_PRECONDITION")
    return document


def masked(request: Document, update_mask: str, also: tuple[str, ...] = ()) -> Document:
    """What a request changes: the fields of `spec` that its mask names.

    Args:
        request: The body.
        update_mask: Paths, separated by commas; `*` for all.
        also: Further paths that the mask may name.

    Raises:
        ApiError: The mask names another field.
    """
    spec: Document = request.get("spec", {})
    chosen: Document = {}
    for path in update_mask.split(","):
        head, _, rest = path.partition(".")
        if path in ("*", "spec"):
            chosen |= spec
        elif head == "spec" and rest.split(".")[0] in spec:
            chosen[rest.split(".")[0]] = spec[rest.split(".")[0]]
        elif path not in also:
            raise bad_request(f"update_mask names {path!r}; allowed: *, spec, and the fields of spec that are sent")
    return chosen


def new(name: str, status: Document) -> Any:
    """A resource that is made now."""
    now = timestamp()
    return {"name": name, "uid": str(uuid.uuid4()), "create_time": now, "update_time": now, "status": status}


def put(workspace: Workspace, kind: Any, document: Any, status: Document) -> None:
    """Writes what is now in force in a resource."""
    changed = {**document, "status": status, "update_time": timestamp()}
    workspace.store.put(kind, document["name"], changed)
