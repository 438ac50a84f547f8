"""Updates of pipelines; each update is one process of the pipeline runner."""

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
from local.workspace.pipelines.documents import PIPELINES, TABLES, UPDATES, TableDocument
from local.workspace.pipelines.settings import checked_update, update_retries
from local.workspace.pipelines.states import ACTIVE
from local.workspace.programs import runner

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.pipelines.documents import PipelineDocument, UpdateDocument

_LOG = logging.getLogger(__name__)


class Update(runner.ProgramOwner):
    """One update that runs, or has run since the workspace started."""

    def __init__(
        self, workspace: Workspace, pipeline: PipelineDocument, document: UpdateDocument, retries: int
    ) -> None:
        super().__init__()
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
            state = self._follow()
        except (ApiError, LibraryError) as error:
            self._fail(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 (a fault of the workspace must end the update, not leave it hanging)
            self._end_program()
            self._fail(type(error).__name__, f"the workspace failed to run the update: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                cancelled = self._document["state"] == "STOPPING" and state != "COMPLETED"
                if state == "FAILED" and not cancelled and self._retries:
                    self._retry = self._start_retry()
                written = self._set("CANCELED" if cancelled else state)
            self._done.set()
            if not written:
                self._workspace.store.retry_until_closed(self._save)

    def _start_retry(self) -> Update | None:
        """Starts the same update again, before this one is seen to fail: no one sees the pipeline idle between."""
        again = {"update_id": str(uuid.uuid4()), "cause": "RETRY_ON_FAILURE", "creation_time": now_ms()}
        try:
            document = UPDATES.document({**self._document, **again})
            return Update(self._workspace, self._pipeline, document, self._retries - 1)
        except sqlite3.Error:
            _LOG.exception("the retry of update %s could not be written", self.id)
            return None

    def _fail(self, kind: str, message: str) -> None:
        self._failures.append(message)
        _report_failure(self._workspace, self._pipeline, self.id, kind, message)

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


class PipelineUpdates:
    """The updates of one workspace's pipelines."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._latest: dict[str, Update] = {}

    def open(self) -> None:
        """Ends the updates that an earlier process of the workspace left active."""
        for key, update in self._workspace.store.items(UPDATES):
            if update["state"] in ACTIVE:
                update["state"] = "FAILED"
                self._workspace.store.put(UPDATES, key, update)
                pipeline = self._workspace.store.get(PIPELINES, update["pipeline_id"])
                if pipeline is not None:
                    message = f"The workspace was stopped while update {update['update_id']} ran."
                    _report_failure(self._workspace, pipeline, update["update_id"], "Lost", message)

    def close(self) -> None:
        """Stops all updates, and waits until their programs have ended."""
        for pipeline_id in list(self._latest):
            self.stop(pipeline_id)

    def start(self, pipeline_id: str, options: Document, cause: str) -> Update:
        """Starts an update.

        Args:
            pipeline_id: Id of the pipeline.
            options: `full_refresh`, `full_refresh_selection`, `refresh_selection`, `validate_only`.
            cause: `API_CALL`, `JOB_TASK` or another cause of the API.

        Returns:
            The update, which runs.

        Raises:
            ApiError: There is no such pipeline, it has an active update, or an option is wrong.
        """
        with self._lock:
            missing = f"The specified pipeline {pipeline_id} was not found."
            pipeline = self._workspace.find(PIPELINES, pipeline_id, missing)
            earlier = self._latest.get(pipeline_id)
            if earlier is not None and earlier.active:
                raise ApiError(409, "RESOURCE_CONFLICT", f"An active update {earlier.id} already exists.")
            document: UpdateDocument = {
                "pipeline_id": pipeline_id,
                "update_id": str(uuid.uuid4()),
                "state": "CREATED",
                "cause": cause,
                "config": pipeline["spec"],
                "creation_time": now_ms(),
                **UPDATES.document(checked_update(options)),
            }
            update = Update(self._workspace, pipeline, document, update_retries(pipeline["spec"]))
            self._latest[pipeline_id] = update
            return update

    def stop(self, pipeline_id: str) -> None:
        """Cancels the active update of a pipeline, if it has one, and returns when it has ended."""
        update = self._latest.get(pipeline_id)
        if update is not None:
            update.stop()


def _report_failure(
    workspace: Workspace, pipeline: PipelineDocument, update_id: str, error_class: str, message: str
) -> None:
    details = {"state": "FAILED", "error_class": error_class}
    events.append(workspace, pipeline, update_id, "update_progress", message, details, level="ERROR")


def _event(text: str) -> Document | None:
    """Reads a line as an event of the runner; returns None for other output."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "event_type" in line else None
