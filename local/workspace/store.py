"""The workspace's state: JSON documents in SQLite, by kind and key."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Document = dict[str, Any]

# Ids look like Databricks' (64 bits) but stay under 2**53, since the engine keeps numbers as doubles.
_FIRST_ID = 410_000_000_000_000

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Documents that survive a restart. All methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together or, when it raises, not at all; other threads wait."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._database.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def put(self, kind: str, key: str, value: Document) -> None:
        """Writes a document; one that is there is replaced and keeps its place in the order."""
        with self._lock:
            self._database.execute(
                "INSERT INTO documents (kind, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
                (kind, key, json.dumps(value)),
            )

    def get(self, kind: str, key: str) -> Document | None:
        with self._lock:
            row = self._database.execute(
                "SELECT value FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def delete(self, kind: str, key: str) -> bool:
        """Removes a document; returns whether it was there."""
        with self._lock:
            return self._database.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0

    def items(self, kind: str, prefix: str = "") -> list[tuple[str, Document]]:
        """All documents of a kind whose key begins with `prefix`, in the order in which they were first written."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key, value FROM documents WHERE kind = ? AND substr(key, 1, length(?)) = ? ORDER BY id",
                (kind, prefix, prefix),
            ).fetchall()
        return [(key, json.loads(value)) for key, value in rows]

    def next_id(self, kind: str) -> int:
        """A number that was never given to this kind before."""
        with self._lock:
            row = self._database.execute(
                "INSERT INTO counters (kind, value) VALUES (?, ?) "
                "ON CONFLICT (kind) DO UPDATE SET value = value + 1 RETURNING value",
                (kind, _FIRST_ID),
            ).fetchone()
        return int(row[0])
