"""Statements that run: each is a thread that works on Spark; their results are kept for a while."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from local.workspace.authorisation.statements import prepare
from local.workspace.core.errors import ApiError, not_found
from local.workspace.sql import results
from local.workspace.sql.parameters import bound
from local.workspace.sql.states import failed, failed_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.connect.session import SparkSession

    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.store import Document

KEPT_SECONDS = 3600  # how long Databricks keeps a result
KEPT_BYTES = 268_435_456  # of all results together
AT_ONCE = 4
INTERRUPT_SECONDS = 0.3


class Statement:
    """One statement: a thread with its own Spark session, so that `USE` and `SET` have no effect beyond it."""

    def __init__(
        self,
        workspace: Workspace,
        caller: Principal,
        request: Document,
        slots: threading.Semaphore,
        on_released: Callable[[], None],
    ) -> None:
        """Starts the statement.

        Args:
            workspace: The workspace.
            caller: Whose rights decide, and who alone may read the result.
            request: The body of `execute_statement`.
            slots: One is taken while Spark works on the statement.
            on_released: Called when Spark has stopped working on the statement.
        """
        self.id = str(uuid.uuid4())
        self.caller = caller
        self.ended = threading.Event()
        self.ended_at = 0.0
        self.result: results.Result | None = None
        self._released = threading.Event()  # after `ended`, when Spark has stopped working on the statement
        self._workspace, self._request, self._slots, self._on_released = workspace, request, slots, on_released
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._status: Document = {"state": "PENDING"}
        threading.Thread(target=self._run, name=f"statement {self.id}", daemon=True).start()

    def answer(self) -> Document:
        """Returns the state and, after a success, the first chunk of the result."""
        with self._lock:
            status, result = self._status, self.result
        answer: Document = {"statement_id": self.id, "status": status}
        if result is not None:
            answer |= {"manifest": result.manifest, "result": result.chunk(0)}
        return answer

    def cancel(self) -> None:
        """Cancels the statement unless it has ended; Spark stops working on it."""
        with self._lock:
            if self.ended.is_set():
                return
            self._end({"state": "CANCELED"})
            session = self._session
        if session is not None:
            threading.Thread(target=self._interrupt, args=[session], name=f"cancel {self.id}", daemon=True).start()

    def _interrupt(self, session: SparkSession) -> None:
        """Interrupts until Spark has stopped: the first interrupt may come before Spark has begun."""
        while not self._released.wait(INTERRUPT_SECONDS):
            try:
                session.interruptAll()
            except PySparkException:
                return  # the session is gone, and with it what it ran

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._released.set()
            self._on_released()

    def _work(self) -> None:
        status: Document
        result: results.Result | None = None
        with self._slots:
            try:
                status, result = {"state": "SUCCEEDED"}, self._execute()
            except ApiError as error:
                status = failed(error.error_code, error.message)
            except Exception as error:  # noqa: BLE001 (whatever stops a statement is its result)
                status = failed_by(error)
        with self._lock:
            if not self.ended.is_set():
                self._end(status, result)

    def _end(self, status: Document, result: results.Result | None = None) -> None:
        """Ends the statement; called with the lock held."""
        self._status, self.result, self.ended_at = status, result, time.monotonic()
        self.ended.set()

    def _execute(self) -> results.Result:
        """Judges the statement and runs what may run in its place; names in it are in full, so that no `USE` is needed.

        Raises:
            ApiError: The caller may not do what the statement does, or Spark fails on values that must not be shown.
        """
        text = bound(self._request["statement"], self._request.get("parameters", []))
        scope = [self._request.get(name, "") for name in ("catalog", "schema")]
        prepared = prepare(self._workspace, self.caller, text, *scope)
        try:
            result = self._run_in_spark(prepared.sql) if prepared.sql else results.NOTHING
        except PySparkException as error:
            message = str(error)
            shown = prepared.shown(message, error.getCondition())
            if shown == message:
                raise
            raise ApiError(400, "BAD_REQUEST", shown) from error
        prepared.then()
        return result

    def _run_in_spark(self, text: str) -> results.Result:
        from pyspark.sql.connect.session import SparkSession

        self._workspace.spark.session()  # raises a clear error where Spark does not answer
        session = SparkSession.builder.remote(self._workspace.settings.spark_remote).create()
        try:
            with self._lock:
                if self.ended.is_set():
                    raise ApiError(400, "CANCELLED", "The statement was cancelled.")
                self._session = session
                self._status = {"state": "RUNNING"}
            return results.collect(session.sql(text), self._request.get("row_limit"))
        finally:
            session.client.release_session()
            session.client.close()


class Statements:
    """The active statements, and those of the last hour as far as their results fit into `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._statements: dict[str, Statement] = {}

    def execute(self, workspace: Workspace, caller: Principal, request: Document) -> Statement:
        """Starts a statement of a caller; `request` is the body of `execute_statement`."""
        with self._lock:
            statement = Statement(workspace, caller, request, self._slots, self._drop_old)
            self._statements[statement.id] = statement
        return statement

    def _drop_old(self) -> None:
        """Drops statements that ended more than `KEPT_SECONDS` ago and, oldest first, those that do not fit."""
        with self._lock:
            ended = [statement for statement in self._statements.values() if statement.ended.is_set()]
            ended.sort(key=lambda statement: statement.ended_at, reverse=True)
            room, oldest = KEPT_BYTES, time.monotonic() - KEPT_SECONDS
            for statement in ended:
                room -= statement.result.size if statement.result is not None else 0
                if room < 0 or statement.ended_at < oldest:
                    del self._statements[statement.id]

    def get(self, caller: Principal, statement_id: str) -> Statement:
        """Returns a statement of a caller.

        Raises:
            ApiError: The caller has sent no such statement, or it was dropped.
        """
        self._drop_old()
        statement = self._statements.get(statement_id)
        if statement is None or statement.caller.id != caller.id:
            raise not_found(f"The statement {statement_id} was not found.", "NOT_FOUND")
        return statement

    def close(self) -> None:
        """Cancels all statements."""
        for statement in list(self._statements.values()):
            statement.cancel()
