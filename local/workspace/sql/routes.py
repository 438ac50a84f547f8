"""Statement execution: SQL on a warehouse, which is Spark behind the workspace."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from databricks.sdk.service import sql as sdk
from fastapi import APIRouter, Depends

from local.workspace.core.context import Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import results
from .parameters import bound

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

router = APIRouter()
_API = "/api/2.0/sql/statements"

KEPT_SECONDS = 3600  # how long Databricks keeps a result
KEPT_BYTES = 268_435_456  # of all results together
AT_ONCE = 4
_WAIT_SECONDS = (5, 50)
INTERRUPT_SECONDS = 0.3
_NOT_BUILT = {"byte_limit": None, "disposition": "INLINE", "format": "JSON_ARRAY", "query_tags": None}


class Statement:
    """One statement: a thread with a Spark session of its own, so that `USE` and `SET` stay within it."""

    def __init__(
        self, here: Workspace, sent: Document, slots: threading.Semaphore, finished: Callable[[], None]
    ) -> None:
        """Starts it.

        Args:
            here: The workspace.
            sent: `ExecuteStatementRequest`.
            slots: Taken while Spark works on it.
            finished: Called when Spark works on it no more.
        """
        self.id = str(uuid.uuid4())
        self.ended = threading.Event()
        self.ended_at = 0.0
        self.result: results.Result | None = None
        self._finished = threading.Event()  # after `ended`, when Spark works on it no more
        self._here, self._sent, self._slots, self._call_finished = here, sent, slots, finished
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._status: Document = {"state": "PENDING"}
        threading.Thread(target=self._run, name=f"statement {self.id}", daemon=True).start()

    def answer(self) -> Document:
        with self._lock:
            status, result = self._status, self.result
        answer: Document = {"statement_id": self.id, "status": status}
        if result is not None:
            answer |= {"manifest": result.manifest, "result": result.chunk(0)}
        return answer

    def cancel(self) -> None:
        """Cancels it unless it has ended; Spark stops working on it."""
        with self._lock:
            if self.ended.is_set():
                return
            self._end({"state": "CANCELED"})
            session = self._session
        if session is not None:
            threading.Thread(target=self._interrupt, args=[session], name=f"cancel {self.id}", daemon=True).start()

    def _interrupt(self, session: "SparkSession") -> None:
        """Interrupts until it has ended: the first try may come before Spark has begun."""
        from pyspark.errors import PySparkException

        while not self._finished.wait(INTERRUPT_SECONDS):
            try:
                session.interruptAll()
            except PySparkException:
                return  # the session is gone, and with it what it ran

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._finished.set()
            self._call_finished()

    def _work(self) -> None:
        status: Document
        result: results.Result | None = None
        with self._slots:
            try:
                status, result = {"state": "SUCCEEDED"}, self._execute()
            except ApiError as error:
                status = _failed(error.error_code, error.message)
            except Exception as error:  # noqa: BLE001 (whatever stops a statement is its result)
                status = results.failure(error)
        with self._lock:
            if not self.ended.is_set():
                self._end(status, result)

    def _end(self, status: Document, result: results.Result | None = None) -> None:
        """Ends it; called with the lock held."""
        self._status, self.result, self.ended_at = status, result, time.monotonic()
        self.ended.set()

    def _execute(self) -> results.Result:
        from pyspark.sql.connect.session import SparkSession

        self._here.spark.session()  # says clearly when Spark does not answer
        session = SparkSession.builder.remote(self._here.settings.spark_remote).create()
        try:
            with self._lock:
                if self.ended.is_set():
                    raise ApiError(400, "CANCELLED", "The statement was cancelled.")
                self._session = session
                self._status = {"state": "RUNNING"}
            scope = [self._sent[name] for name in ("catalog", "schema") if self._sent.get(name)]
            if scope:
                session.sql("USE " + ".".join(f"`{name.replace('`', '``')}`" for name in scope))
            text = bound(self._sent["statement"], self._sent.get("parameters", []))
            return results.collect(session.sql(text), self._sent.get("row_limit"))
        finally:
            session.client.release_session()
            session.client.close()


def _failed(code: str, message: str) -> Document:
    return {"state": "FAILED", "error": {"error_code": code, "message": message}}


class Statements:
    """The statements that run, and those of the last hour as far as their results find room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._found: dict[str, Statement] = {}

    def execute(self, here: Workspace, sent: Document) -> Statement:
        with self._lock:
            statement = Statement(here, sent, self._slots, self._drop_old)
            self._found[statement.id] = statement
        return statement

    def _drop_old(self) -> None:
        """Drops what ended too long ago and, oldest first, the results that find no room."""
        with self._lock:
            ended = [statement for statement in self._found.values() if statement.ended.is_set()]
            ended.sort(key=lambda statement: statement.ended_at, reverse=True)
            room, oldest = KEPT_BYTES, time.monotonic() - KEPT_SECONDS
            for statement in ended:
                room -= statement.result.size if statement.result is not None else 0
                if room < 0 or statement.ended_at < oldest:
                    del self._found[statement.id]

    def get(self, statement_id: str) -> Statement:
        self._drop_old()
        found = self._found.get(statement_id)
        if found is None:
            raise not_found(f"The statement {statement_id} was not found.", "NOT_FOUND")
        return found

    def close(self) -> None:
        for statement in list(self._found.values()):
            statement.cancel()


def start(here: Workspace) -> None:
    here.running[Statements] = Statements()


def stop(here: Workspace) -> None:
    _statements(here).close()


def _statements(here: Workspace) -> Statements:
    found: Statements = here.running[Statements]
    return found


@router.post(_API)
def execute(
    sent: Annotated[dict[str, Any], Depends(body(sdk.StatementExecutionAPI.execute_statement))], here: Here
) -> Document:
    for name, known in _NOT_BUILT.items():
        if sent.get(name, known) != known:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{name} {sent[name]!r} is not part of the local workspace")
    if not sent["statement"].strip():
        raise bad_request("statement is empty")
    wait = _seconds(sent.get("wait_timeout", "10s"))
    warehouse = here.store.get("warehouses", sent["warehouse_id"])
    if warehouse is None:
        raise not_found(f"SQL warehouse {sent['warehouse_id']} does not exist.")
    if warehouse["state"] != "RUNNING":  # a statement starts its warehouse
        here.store.put("warehouses", sent["warehouse_id"], warehouse | {"state": "RUNNING"})
    statement = _statements(here).execute(here, sent)
    if not statement.ended.wait(wait) and wait and sent.get("on_wait_timeout") == "CANCEL":
        statement.cancel()
    return statement.answer()


def _seconds(text: str) -> int:
    number = text.removesuffix("s")
    low, high = _WAIT_SECONDS
    if not text.endswith("s") or not number.isdecimal() or not (int(number) == 0 or low <= int(number) <= high):
        raise bad_request(f"wait_timeout is {text!r}; it must be 0s, or from {low}s to {high}s")
    return int(number)


@router.get(f"{_API}/{{statement_id}}")
def get(statement_id: str, here: Here) -> Document:
    return _statements(here).get(statement_id).answer()


@router.get(f"{_API}/{{statement_id}}/result/chunks/{{chunk_index}}")
def get_chunk(statement_id: str, chunk_index: int, here: Here) -> Document:
    result = _statements(here).get(statement_id).result
    if result is None:
        raise bad_request(f"statement {statement_id} has no result")
    return result.chunk(chunk_index)


@router.post(f"{_API}/{{statement_id}}/cancel")
def cancel(statement_id: str, here: Here) -> Document:
    _statements(here).get(statement_id).cancel()
    return {}
