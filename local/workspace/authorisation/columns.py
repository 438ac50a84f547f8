"""Columns of tables with their types, as Spark has them, kept for a moment: a query may name a table many times."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from local.workspace.authorisation.scope import not_there
from local.workspace.unity_catalog import namespaces

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace

KEPT_SECONDS = 10.0
Types = dict[str, tuple[str, str]]
_kept: dict[tuple[str, str], tuple[float, Types]] = {}
_lock = threading.Lock()


def types_of(workspace: Workspace, table: str) -> Types:
    """Returns name and type of a table's columns by their names in small letters; what they were up to 10 s ago.

    Raises:
        ApiError: There is no such table.
    """
    types = _kept_types(workspace, table) or _read_types(workspace, table)
    if types is None:
        raise not_there(table)
    return types


def has_column(workspace: Workspace, table: str, column: str) -> bool | None:
    """Whether a table has a column, or had it up to 10 s ago; None where there is no such table."""
    if column in (_kept_types(workspace, table) or {}):
        return True
    types = _read_types(workspace, table)
    return None if types is None else column in types


def _kept_types(workspace: Workspace, table: str) -> Types | None:
    with _lock:
        kept = _kept.get((workspace.settings.spark_remote, table))
    return kept[1] if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS else None


def _read_types(workspace: Workspace, table: str) -> Types | None:
    now, found = time.monotonic(), namespaces.table(workspace, table)
    if found is None:
        return None
    types = {column.name.lower(): (column.name, column.dataType.simpleString()) for column in found.schema.fields}
    with _lock:
        _kept[(workspace.settings.spark_remote, table)] = (now, types)
    return types
