"""The workspace's state: JSON documents in SQLite, by kind and key."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_LOG = logging.getLogger(__name__)

Document = dict[str, Any]
T = TypeVar("T")

PATIENCE_SECONDS = 5.0  # how long a failed write is retried, such as on a full disk
PAUSE_SECONDS = 0.1  # between two tries within that time
RETRY_SECONDS = 1.0  # between two tries of a write that must succeed

# Ids look like Databricks' (64 bits) but stay under 2**53, since the engine keeps numbers as doubles.
_FIRST_ID = 410_000_000_000_000

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class DocumentKind(str, Generic[T]):
    """A kind of documents of the store, with the type that its documents have.

    The name of the kind is its text: `JOBS = DocumentKind[JobDocument]("jobs")`.
    """

    def document(self, fields: Mapping[str, Any]) -> T:
        """Takes fields for a document of this kind; the caller has checked them, and adds those that they lack."""
        return cast("T", fields)


class Store:
    """Documents that survive a restart. All methods may be called from any thread.

    Each method retries for `PATIENCE_SECONDS` where the database fails, such as on a full disk, and then raises
    sqlite3.Error.
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
        """Closes the database; no method works afterwards."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes all that the block writes together or, when the block raises, nothing; other threads wait."""
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

    def retry_briefly(self, write: Callable[[], T]) -> T:
        """Retries a write for `PATIENCE_SECONDS`; the write must be safe to repeat, such as a whole transaction."""
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

    def retry_until_closed(self, write: Callable[[], object]) -> None:
        """Repeats a write until it succeeds or the store closes: for final states, which nothing else would write."""
        while True:
            try:
                write()
            except sqlite3.ProgrammingError:  # the store is closed
                return
            except sqlite3.Error:
                _LOG.exception("a write failed; it is repeated until it succeeds")
                time.sleep(RETRY_SECONDS)
            else:
                return

    def _execute(self, statement: str, *parameters: object) -> list[Any]:
        def rows() -> list[Any]:
            with self._lock:
                return self._database.execute(statement, parameters).fetchall()

        return self.retry_briefly(rows)

    def put(self, kind: DocumentKind[T], key: str, value: T) -> None:
        """Writes a document; an existing one is replaced and keeps its place in the order."""
        self._execute(
            "INSERT INTO documents (kind, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            kind,
            key,
            json.dumps(value),
        )

    def get(self, kind: DocumentKind[T], key: str) -> T | None:
        """Returns a document, or None."""
        rows = self._execute("SELECT value FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0][0]) if rows else None

    def delete(self, kind: DocumentKind[Any], key: str) -> bool:
        """Removes a document; returns whether it was there."""
        return bool(self._execute("DELETE FROM documents WHERE kind = ? AND key = ? RETURNING id", kind, key))

    def items(self, kind: DocumentKind[T], prefix: str = "") -> list[tuple[str, T]]:
        """Returns keys and documents of a kind whose key begins with `prefix`, in the order of their first writing."""
        rows = self._execute(
            "SELECT key, value FROM documents WHERE kind = ? AND substr(key, 1, length(?)) = ? ORDER BY id",
            kind,
            prefix,
            prefix,
        )
        return [(key, json.loads(value)) for key, value in rows]

    def next_id(self, kind: str) -> int:
        """Draws a number that this kind never had before."""
        rows = self._execute(
            "INSERT INTO counters (kind, value) VALUES (?, ?) "
            "ON CONFLICT (kind) DO UPDATE SET value = value + 1 RETURNING value",
            kind,
            _FIRST_ID,
        )
        return int(rows[0][0])
