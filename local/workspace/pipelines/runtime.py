"""Updates of pipelines: each is one process of the pipeline runner."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.programs import libraries, runner

from . import events

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

_LOG = logging.getLogger(__name__)

ACTIVE = frozenset({"CREATED", "INITIALIZING", "RUNNING", "STOPPING"})


def sources(here: Workspace, spec: Document) -> list[Path]:
    """Files of a pipeline's libraries, on this machine.

    Raises:
        LibraryError: A file is missing, or a pattern finds none.
    """
    found: list[Path] = []
    for library in spec.get("libraries", []):
        if "file" in library:
            path = libraries.local_path(here.settings, library["file"]["path"])
            if not path.is_file():
                raise libraries.LibraryError(f"library file {library['file']['path']} does not exist")
            found.append(path)
        else:
            pattern = library["glob"]["include"]
            folder, _, rest = pattern.partition("*")
            root = libraries.local_path(here.settings, folder.rstrip("/"))
            files = sorted(path for path in root.glob(f"*{rest}/*.py" if rest == "*" else f"*{rest}") if path.is_file())
            if not files:
                raise libraries.LibraryError(f"library pattern {pattern} finds no file")
            found += files
    return found


class Update:
    """One update that runs, or has run since the workspace started."""

    def __init__(self, here: Workspace, pipeline: Document, document: Document) -> None:
        self._here, self._pipeline, self._document = here, pipeline, document
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._program: runner.Program | None = None
        self._failures: list[str] = []
        self._reported = ""
        self.id: str = document["update_id"]
        self._document["state"] = "CREATED"
        self._save()
        threading.Thread(target=self._run, name=f"update {self.id}", daemon=True).start()

    def wait(self, timeout: float | None = None) -> str:
        """Waits for its end and returns its state.

        Raises:
            TimeoutError: It still runs after `timeout` seconds.
        """
        if not self._done.wait(timeout):
            raise TimeoutError
        return str(self._document["state"])

    def stop(self) -> None:
        """Cancels it, and returns when it has ended."""
        with self._lock:
            if self._document["state"] in ACTIVE:
                self._set("STOPPING")
        self._end_program()
        self._done.wait()

    def _end_program(self) -> None:
        with self._lock:
            program = self._program
        if program is not None:
            with suppress(sqlite3.Error):  # raised when it has ended, by the store that still knows it
                program.stop()

    def message(self) -> str:
        """Why it failed."""
        return "; ".join(dict.fromkeys(self._failures)) or "no reason was given"

    def _set(self, state: str) -> bool:
        """Changes the state; returns whether it could be written, as nothing may end for want of that."""
        self._document["state"] = state
        try:
            self._save()
        except sqlite3.Error:
            _LOG.exception("state %s of update %s could not be written", state, self.id)
            return False
        return True

    def _save(self) -> None:
        self._here.store.put("pipeline_updates", f"{self._document['pipeline_id']}/{self.id}", self._document)

    def _run(self) -> None:
        state = "FAILED"
        try:
            state = self._follow()
        except (ApiError, libraries.LibraryError) as error:
            self._fail(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 (a fault of the workspace must end the update, not leave it hanging)
            self._end_program()
            self._fail(type(error).__name__, f"the workspace failed to run the update: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                cancelled = self._document["state"] == "STOPPING" and state != "COMPLETED"
                written = self._set("CANCELED" if cancelled else state)
            self._done.set()
            if not written:
                self._here.store.insist(self._save)

    def _fail(self, kind: str, message: str) -> None:
        self._failures.append(message)
        details = {"state": "FAILED", "error_class": kind}
        events.append(self._here, self._pipeline, self.id, "update_progress", message, details, level="ERROR")

    def _follow(self) -> str:
        """Starts the runner and reads its events; returns the state that the update ended with."""
        folder = self._here.settings.run_dir / self.id
        command, env = _command(self._here, self._pipeline, self._document)
        with self._lock:
            if self._document["state"] == "STOPPING":
                return "CANCELED"
            self._set("INITIALIZING")
            self._program = runner.Program(
                self._here, f"update/{self.id}", command, env=env, folder=folder, output="lines"
            )
        for text in self._program.lines():
            line = _event(text)
            if line is not None:
                self._take(line)
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
            self._fail("RunnerError", "\n".join([f"the runner ended with code {code}", *tail]))
        return "CANCELED" if self._reported == "CANCELED" else "FAILED"

    def _take(self, line: Document) -> None:
        """Takes what the runner reports."""
        events.record(self._here, self._pipeline, self.id, line)
        if line.get("state") == "FAILED":
            self._failures.append(line["message"])
        if line["event_type"] == "dataset":
            self._own(line["dataset"])
        elif line["event_type"] == "update_progress":
            self._reported = line["state"]
            with self._lock:
                if self._reported == "RUNNING" and self._document["state"] == "INITIALIZING":
                    self._set("RUNNING")

    def _own(self, table: str) -> None:
        self._here.store.put("pipeline_tables", f"{self._document['pipeline_id']}/{table}", {"table": table})


class PipelineUpdates:
    """The updates of one workspace's pipelines."""

    def __init__(self, here: Workspace) -> None:
        self._here = here
        self._lock = threading.Lock()
        self._latest: dict[str, Update] = {}

    def open(self) -> None:
        """Ends what an earlier process of the workspace left active."""
        for key, update in self._here.store.items("pipeline_updates"):
            if update["state"] in ACTIVE:
                update["state"] = "FAILED"
                self._here.store.put("pipeline_updates", key, update)
                pipeline = self._here.store.get("pipelines", update["pipeline_id"])
                if pipeline is not None:
                    message = f"The workspace was stopped while update {update['update_id']} ran."
                    details = {"state": "FAILED", "error_class": "Lost"}
                    events.append(
                        self._here, pipeline, update["update_id"], "update_progress", message, details, level="ERROR"
                    )

    def close(self) -> None:
        """Stops all updates, and waits until their programs have ended."""
        for pipeline_id in list(self._latest):
            self.stop(pipeline_id)

    def start(self, pipeline_id: str, options: Document, cause: str) -> Update:
        """Starts an update.

        Args:
            pipeline_id: Of which pipeline.
            options: `full_refresh`, `full_refresh_selection`, `refresh_selection`, `validate_only`.
            cause: `API_CALL`, `JOB_TASK` or another that the API has.

        Raises:
            ApiError: There is no such pipeline, or it has an active update.
        """
        with self._lock:
            pipeline = self._here.store.get("pipelines", pipeline_id)
            if pipeline is None:
                raise not_found(f"The specified pipeline {pipeline_id} was not found.")
            earlier = self._latest.get(pipeline_id)
            if earlier is not None and not earlier._done.is_set():  # noqa: SLF001 (of this module)
                raise ApiError(409, "RESOURCE_CONFLICT", f"An active update {earlier.id} already exists.")
            unknown = options.keys() - {"full_refresh", "full_refresh_selection", "refresh_selection", "validate_only"}
            if unknown:
                name = min(unknown)
                raise ApiError(501, "NOT_IMPLEMENTED", f"{name} of an update is not part of the local workspace")
            if options.get("full_refresh") and (options.keys() & {"full_refresh_selection", "refresh_selection"}):
                raise bad_request("full_refresh cannot be combined with a selection")
            document = {
                "pipeline_id": pipeline_id,
                "update_id": str(uuid.uuid4()),
                "cause": cause,
                "config": pipeline["spec"],
                "creation_time": int(time.time() * 1000),
                **options,
            }
            update = Update(self._here, pipeline, document)
            self._latest[pipeline_id] = update
            return update

    def stop(self, pipeline_id: str) -> None:
        """Cancels the active update of a pipeline, if it has one, and returns when it has ended."""
        update = self._latest.get(pipeline_id)
        if update is not None:
            update.stop()


def updates(here: Workspace) -> PipelineUpdates:
    found: PipelineUpdates = here.running[PipelineUpdates]
    return found


def _event(text: str) -> Document | None:
    """An event that the runner printed, unless it is something else."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "event_type" in line else None


def storage(here: Workspace, pipeline_id: str) -> Path:
    """Folder of a pipeline's checkpoints."""
    return here.settings.home / "pipelines" / pipeline_id


def _command(here: Workspace, pipeline: Document, update: Document) -> tuple[list[str], dict[str, str]]:
    spec = update["config"]
    conf = {
        name: value for cluster in spec.get("clusters", []) for name, value in cluster.get("spark_conf", {}).items()
    }
    conf |= spec.get("configuration", {})
    arguments = ["--update-id", update["update_id"], "--remote", here.settings.spark_remote]
    arguments += ["--catalog", spec["catalog"], "--schema", spec.get("schema") or spec["target"]]
    arguments += ["--storage", str(storage(here, pipeline["pipeline_id"]))]
    arguments += [f"--configuration={name}={value}" for name, value in conf.items()]
    arguments += [f"--full-refresh={table}" for table in update.get("full_refresh_selection", [])]
    arguments += [f"--refresh={table}" for table in update.get("refresh_selection", [])]
    arguments += ["--full-refresh-all"] * bool(update.get("full_refresh"))
    arguments += ["--validate"] * bool(update.get("validate_only"))
    folders = libraries.unpack(here.settings, spec.get("environment", {}).get("dependencies", []))
    if "root_path" in spec:
        folders.append(libraries.local_path(here.settings, spec["root_path"]))
    command = runner.module("local.spark.pipeline_runner", *map(str, sources(here, spec)), *arguments)
    env = runner.environment(here, pipeline["run_as_user_name"], folders)
    return command, env | {"PLATFORM_HOME": str(here.settings.home), "PLATFORM_PORT": str(here.settings.port)}
