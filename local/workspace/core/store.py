"""The workspace's state: JSON documents in SQLite, by kind and key."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)

Document = dict[str, Any]
T = TypeVar("T")

PATIENCE_SECONDS = 5.0  # how long a write is tried again that fails, as on a full disk
PAUSE_SECONDS = 0.1
INSIST_SECONDS = 1.0

# Ids look like Databricks' (64 bits) but stay under 2**53, since the engine keeps numbers as doubles.
_FIRST_ID = 410_000_000_000_000

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Documents that survive a restart. All methods may be called from any thread.

    What fails, as on a full disk, is tried again for `PATIENCE_SECONDS`; then all methods raise sqlite3.Error.
    """

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
                if self._depth == 1:
                    self._database.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._database.in_transaction:  # a full disk has ended it already
                    self._database.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def patiently(self, write: Callable[[], T]) -> T:
        """Calls what may be called twice, such as a whole transaction, again for a while where the database fails."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return write()
            except sqlite3.OperationalError:
                with self._lock:
                    inside = self._depth > 0  # of a transaction, which can only be tried again as a whole
                if inside or time.monotonic() > end:
                    raise
            time.sleep(PAUSE_SECONDS)

    def insist(self, write: Callable[[], object]) -> None:
        """Calls a write until it works or the store is closed: for the end of something, which nobody writes again."""
        while True:
            try:
                write()
            except sqlite3.ProgrammingError:  # the store is closed
                return
            except sqlite3.Error:
                _LOG.exception("a write is tried again until it works")
                time.sleep(INSIST_SECONDS)
            else:
                return

    def _execute(self, statement: str, *parameters: object) -> list[Any]:
        def rows() -> list[Any]:
            with self._lock:
                return self._database.execute(statement, parameters).fetchall()

        return self.patiently(rows)

    def put(self, kind: str, key: str, value: Document) -> None:
        """Writes a document; one that is there is replaced and keeps its place in the order."""
        self._execute(
            "INSERT INTO documents (kind, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            kind,
            key,
            json.dumps(value),
        )

    def get(self, kind: str, key: str) -> Document | None:
        rows = self._execute("SELECT value FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0][0]) if rows else None

    def delete(self, kind: str, key: str) -> bool:
        """Removes a document; returns whether it was there."""
        return bool(self._execute("DELETE FROM documents WHERE kind = ? AND key = ? RETURNING id", kind, key))

    def items(self, kind: str, prefix: str = "") -> list[tuple[str, Document]]:
        """All documents of a kind whose key begins with `prefix`, in the order in which they were first written."""
        rows = self._execute(
            "SELECT key, value FROM documents WHERE kind = ? AND substr(key, 1, length(?)) = ? ORDER BY id",
            kind,
            prefix,
            prefix,
        )
        return [(key, json.loads(value)) for key, value in rows]

    def next_id(self, kind: str) -> int:
        """A number that was never given to this kind before."""
        rows = self._execute(
            "INSERT INTO counters (kind, value) VALUES (?, ?) "
            "ON CONFLICT (kind) DO UPDATE SET value = value + 1 RETURNING value",
            kind,
            _FIRST_ID,
        )
        return int(rows[0][0])
