"""One update of a pipeline: one process of the pipeline runner."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
import uuid
from typing import TYPE_CHECKING

from local.errors import LibraryError
from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError
from local.workspace.pipelines import events, launch
from local.workspace.pipelines.documents import TABLES, UPDATES, TableDocument
from local.workspace.pipelines.states import ACTIVE
from local.workspace.programs import runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.pipelines.documents import PipelineDocument, UpdateDocument

_LOG = logging.getLogger(__name__)

# Between the starts of a continuous pipeline that fails; Databricks does not say how long it waits.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LONG_RUN_SECONDS = 120.0  # after a run of this length the pauses begin anew


class Update(runner.ProgramOwner):
    """One update that runs, or has run since the workspace started."""

    def __init__(
        self,
        workspace: Workspace,
        pipeline: PipelineDocument,
        document: UpdateDocument,
        retries: int | None,
        replaced: Callable[[Update], None],
        pause_seconds: float = 0.0,
    ) -> None:
        """Starts the update.

        Args:
            workspace: The workspace.
            pipeline: The pipeline.
            document: The update, which is kept in the store with each step.
            retries: How often it is started again where it fails; None for no limit.
            replaced: Called with the update that is this one's retry.
            pause_seconds: Time before its program starts.
        """
        super().__init__()
        self._replaced, self._pause_seconds = replaced, pause_seconds
        self._stopped, self._started = threading.Event(), time.monotonic()
        self._session = ""
        self._workspace, self._pipeline, self._document = workspace, pipeline, document
        self._retries = retries
        self._retry: Update | None = None
        self._done = threading.Event()
        self._failures: list[str] = []
        self._reported = ""
        self.id: str = document["update_id"]
        self._save()
        threading.Thread(target=self._run, name=f"update {self.id}", daemon=True).start()

    def wait(self, timeout: float | None = None) -> str:
        """Waits for the end of the update and of its retries, and returns the state of the last one.

        Raises:
            TimeoutError: One of them still runs after `timeout` seconds.
        """
        started = time.monotonic()
        if not self._done.wait(timeout):
            raise TimeoutError
        if self._retry:
            return self._retry.wait(None if timeout is None else max(0, timeout - (time.monotonic() - started)))
        return str(self._document["state"])

    def stop(self) -> None:
        """Cancels the update, or the retry of it that runs, and returns when it has ended."""
        with self._lock:
            if self._document["state"] in ACTIVE:
                self._set("STOPPING")
            self._stopped.set()
        self._end_program()
        self._done.wait()
        if self._retry:
            self._retry.stop()

    @property
    def active(self) -> bool:
        """Whether the update, or the retry of it, has not ended yet."""
        return not self._done.is_set() or (self._retry is not None and self._retry.active)

    def message(self) -> str:
        """Returns the reasons why the update failed, or the last retry of it."""
        if self._retry:
            return self._retry.message()
        return "; ".join(dict.fromkeys(self._failures)) or "no reason was given"

    def _set(self, state: str) -> bool:
        """Changes the state; returns whether the store took it. A store that fails must not end an update."""
        self._document["state"] = state
        try:
            self._save()
        except sqlite3.Error:
            _LOG.exception("state %s of update %s could not be written", state, self.id)
            return False
        return True

    def _save(self) -> None:
        self._workspace.store.put(UPDATES, f"{self._document['pipeline_id']}/{self.id}", self._document)

    def _run(self) -> None:
        state = "FAILED"
        try:
            self._stopped.wait(self._pause_seconds)
            state = self._follow()
        except (ApiError, LibraryError) as error:
            self._fail(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 (a fault of the workspace must end the update, not leave it hanging)
            self._end_program()
            self._fail(type(error).__name__, f"the workspace failed to run the update: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                cancelled = self._document["state"] == "STOPPING" and state != "COMPLETED"
                if state == "FAILED" and not cancelled and self._retries != 0:
                    self._retry = self._start_retry()
                written = self._set("CANCELED" if cancelled else state)
            self._done.set()
            if not written:
                self._workspace.store.retry_until_closed(self._save)

    def _start_retry(self) -> Update | None:
        """Starts the same update again, before this one is seen to fail: no one sees the pipeline idle between."""
        again = {"update_id": str(uuid.uuid4()), "cause": "RETRY_ON_FAILURE", "creation_time": now_ms()}
        document = UPDATES.document({**self._document, **again, "state": "CREATED"})
        pause = 0.0
        if self._document["config"].get("continuous"):
            if self._document["state"] == "RUNNING":  # what was to be reset has been
                document.pop("full_refresh", None)
                document.pop("full_refresh_selection", None)
            ran = time.monotonic() - self._started - self._pause_seconds
            pause = FIRST_PAUSE_SECONDS if ran > LONG_RUN_SECONDS else _next_pause(self._pause_seconds)
        retries = None if self._retries is None else self._retries - 1
        try:
            retry = Update(self._workspace, self._pipeline, document, retries, self._replaced, pause)
        except sqlite3.Error:
            _LOG.exception("the retry of update %s could not be written", self.id)
            return None
        self._replaced(retry)
        return retry

    def _fail(self, kind: str, message: str) -> None:
        self._failures.append(message)
        report_failure(self._workspace, self._pipeline, self.id, kind, message)

    def _follow(self) -> str:
        """Starts the runner and reads its events; returns the state that the update ended with."""
        folder = self._workspace.settings.run_dir / self.id
        command, env = launch.command(self._workspace, self._pipeline, self._document)
        with self._lock:
            if self._document["state"] == "STOPPING":
                return "CANCELED"
            self._set("INITIALIZING")
            self._program = runner.Program(
                self._workspace, f"update/{self.id}", command, env=env, folder=folder, output="lines"
            )
        for text in self._program.lines():
            line = _event(text)
            if line is not None:
                self._record(line)
            else:  # a source prints
                with self._program.log.open("a", encoding="utf-8") as log:
                    log.write(text)
        code = self._program.wait()
        if code < 0 and self._session:  # killed, so that it could not end its streams
            self._workspace.spark.end(self._pipeline["run_as_user_name"], self._session)
        if code == 0 and self._reported == "COMPLETED":
            return self._reported
        with self._lock:
            stopping = self._document["state"] == "STOPPING"
        if not stopping and not self._failures:
            tail = self._program.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-20:]
            reason = tail[-1] if tail else "no reason was given"  # such as the text of `sys.exit`
            self._fail("RunnerError", "\n".join([f"{reason} (the runner ended with code {code})", *tail]))
        return "CANCELED" if self._reported == "CANCELED" else "FAILED"

    def _record(self, line: Document) -> None:
        """Records an event that the runner printed."""
        if line["event_type"] == "session":
            self._session = line["session"]
            return
        events.record(self._workspace, self._pipeline, self.id, line)
        if line.get("state") == "FAILED":
            self._failures.append(line["message"])
        if line["event_type"] == "dataset":
            table = line["dataset"]
            key = f"{self._document['pipeline_id']}/{table}"
            self._workspace.store.put(TABLES, key, TableDocument(table=table))
        elif line["event_type"] == "update_progress":
            self._reported = line["state"]
            with self._lock:
                if self._reported == "RUNNING" and self._document["state"] == "INITIALIZING":
                    self._set("RUNNING")


def _next_pause(seconds: float) -> float:
    return min(max(2 * seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


def report_failure(
    workspace: Workspace, pipeline: PipelineDocument, update_id: str, error_class: str, message: str
) -> None:
    """Writes into the event log why an update failed."""
    details = {"state": "FAILED", "error_class": error_class}
    events.append(workspace, pipeline, update_id, "update_progress", message, details, level="ERROR")


def _event(text: str) -> Document | None:
    """Reads a line as an event of the runner; returns None for other output."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "event_type" in line else None
