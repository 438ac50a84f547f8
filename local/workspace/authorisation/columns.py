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
    key, now = (workspace.settings.spark_remote, table), time.monotonic()
    with _lock:
        kept = _kept.get(key)
    if kept is not None and now - kept[0] < KEPT_SECONDS:
        return kept[1]
    found = namespaces.table(workspace, table)
    if found is None:
        raise not_there(table)
    types = {column.name.lower(): (column.name, column.dataType.simpleString()) for column in found.schema.fields}
    with _lock:
        _kept[key] = (now, types)
    return types
