"""SCIM PATCH operations (RFC 7644, section 3.5.2), for attributes that are plain or lists of `{value}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from local.workspace.core.store import Document

_SELECTED = re.compile(r"""(\w+)\[value eq ["']([^"']*)["']\]""")


def apply(document: Document, operation: dict[str, Any]) -> None:
    """Changes a document by one operation.

    Raises:
        ApiError: The operation is unknown, or removes without a path.
    """
    kind, path, value = str(operation.get("op", "")).lower(), operation.get("path"), operation.get("value")
    if kind not in ("add", "replace", "remove"):
        raise bad_request(f"Operations.op is {operation.get('op')!r}; allowed: add, remove, replace", "invalidSyntax")
    if kind == "remove":
        if not path:
            raise bad_request("Operations.path is required where op is remove", "noTarget")
        _remove(document, path, value)
        return
    for name, new in {path: value}.items() if path else dict(value or {}).items():
        if kind == "add" and isinstance(new, list):
            old = document.get(name, [])
            values = {item.get("value") for item in old}
            document[name] = old + [item for item in new if item.get("value") not in values]
        else:
            document[name] = new


def _remove(document: Document, path: str, value: Any) -> None:
    """Removes an attribute, or some items of it: those that the path selects or the value lists."""
    selected = _SELECTED.fullmatch(path)
    name = selected[1] if selected else path
    if selected:
        values = {selected[2]}
    elif isinstance(value, list):
        values = {item.get("value") for item in value}
    else:
        document.pop(name, None)
        return
    document[name] = [item for item in document.get(name, []) if item.get("value") not in values]
