"""Statement execution: SQL on a warehouse, which is Spark behind the workspace."""

import threading
import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

from databricks.sdk.service import sql as sdk
from fastapi import APIRouter, Depends

from . import results
from .context import Here, Workspace
from .errors import ApiError, bad_request, not_found
from .parameters import bound
from .requests import body
from .store import Document

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

router = APIRouter()
_API = "/api/2.0/sql/statements"

KEPT_SECONDS = 3600  # how long Databricks keeps a result
AT_ONCE = 4
_WAIT_SECONDS = (5, 50)
INTERRUPT_SECONDS = 0.3
_NOT_BUILT = {"byte_limit": None, "disposition": "INLINE", "format": "JSON_ARRAY", "query_tags": None}


class Statement:
    """One statement: a thread with a Spark session of its own, so that `USE` and `SET` stay within it."""

    def __init__(self, here: Workspace, sent: Document, slots: threading.Semaphore) -> None:
        self.id = str(uuid.uuid4())
        self.created = time.monotonic()
        self.ended = threading.Event()
        self._finished = threading.Event()  # after `ended`, when Spark works on it no more
        self.chunks: list[Document] = []
        self._here, self._sent, self._slots = here, sent, slots
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._status: Document = {"state": "PENDING"}
        self._manifest: Document | None = None
        threading.Thread(target=self._run, name=f"statement {self.id}", daemon=True).start()

    def answer(self) -> Document:
        answer: Document = {"statement_id": self.id, "status": self._status}
        if self._manifest is not None:
            answer |= {"manifest": self._manifest, "result": self.chunks[0]}
        return answer

    def cancel(self) -> None:
        """Cancels it unless it has ended; Spark stops working on it."""
        with self._lock:
            if self.ended.is_set():
                return
            self._status = {"state": "CANCELED"}
            self.ended.set()
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

    def _work(self) -> None:
        with self._slots:
            try:
                status, manifest, chunks = {"state": "SUCCEEDED"}, *self._execute()
            except ApiError as error:
                status, manifest, chunks = _failed(error.error_code, error.message), None, []
            except Exception as error:  # noqa: BLE001 (whatever stops a statement is its result)
                status, manifest, chunks = results.failure(error), None, []
        with self._lock:
            if not self.ended.is_set():
                self._status, self._manifest, self.chunks = status, manifest, chunks
                self.ended.set()

    def _execute(self) -> tuple[Document, list[Document]]:
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
    """The statements of the last hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._found: dict[str, Statement] = {}

    def execute(self, here: Workspace, sent: Document) -> Statement:
        statement = Statement(here, sent, self._slots)
        with self._lock:
            old = time.monotonic() - KEPT_SECONDS
            self._found = {key: kept for key, kept in self._found.items() if kept.created > old}
            self._found[statement.id] = statement
        return statement

    def get(self, statement_id: str) -> Statement:
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
    chunks = _statements(here).get(statement_id).chunks
    if not 0 <= chunk_index < len(chunks):
        raise bad_request(f"chunk_index is {chunk_index}; statement {statement_id} has {len(chunks)} chunks")
    return chunks[chunk_index]


@router.post(f"{_API}/{{statement_id}}/cancel")
def cancel(statement_id: str, here: Here) -> Document:
    _statements(here).get(statement_id).cancel()
    return {}
