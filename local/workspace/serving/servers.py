"""Scoring servers: one process for each served version of a model."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx

from local.workspace.programs import runner
from local.workspace.serving.states import deployment_state
from local.workspace.unity_catalog import model_store

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

_LOG = logging.getLogger(__name__)

START_SECONDS = 300
POLL_SECONDS = 0.2
RESTARTS = 3  # in a row, without having been ready in between
LOG_TAIL_LINES = 15


class ScoringServer(runner.ProgramOwner):
    """The scoring server of one entity; a process that ends by itself is started again."""

    def __init__(self, workspace: Workspace, endpoint: str, entity: Document) -> None:
        super().__init__()
        self.entity = entity
        self.ready = threading.Event()
        self.failed = threading.Event()
        self.message = "Loading the model"
        self._workspace = workspace
        self._name = f"serving/{endpoint}/{entity['name']}-{entity['entity_version']}-{time.time_ns()}"
        self._folder = workspace.settings.run_dir / self._name
        self._stopping = threading.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address for predictions."""
        return f"http://127.0.0.1:{self._port}/invocations"

    @property
    def state(self) -> Document:
        """State of the server, as the API answers it."""
        if self.ready.is_set():
            return deployment_state("READY", self.message)
        if self.failed.is_set():
            return deployment_state("FAILED", self.message)
        return deployment_state("ABORTED" if self._stopping.is_set() else "CREATING", self.message)

    def stop(self) -> None:
        """Stops the process, and returns after its end."""
        self._stopping.set()
        self._end_program()
        self._thread.join()

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set() and tries <= RESTARTS:
            tries = 1 if self._serve_safely() else tries + 1
        if not self._stopping.is_set():
            self.failed.set()

    def _serve_safely(self) -> bool:
        """Runs the process to its end; a fault of the workspace counts as a failed try."""
        try:
            return self._serve()
        except Exception as error:  # noqa: BLE001 (a thread that ended now would leave the endpoint waiting)
            _LOG.exception("the workspace failed to run %s", self._name)
            self.ready.clear()
            self.message = f"the workspace failed to run the scoring server: {type(error).__name__}: {error}"
            self._end_program()
            return False

    def _serve(self) -> bool:
        """Runs the process to its end; returns whether it was ready in between."""
        with self._lock:
            if self._stopping.is_set():
                return False
            self._port = _free_port()
            self._program = program = self._start()
        deadline = time.monotonic() + START_SECONDS
        while program.running() and not self.ready.is_set():
            if time.monotonic() > deadline:
                program.stop()
                break
            try:
                answer = httpx.get(f"http://127.0.0.1:{self._port}/ping", timeout=5)
            except httpx.TransportError:
                time.sleep(POLL_SECONDS)
            else:
                if answer.status_code == httpx.codes.OK:
                    self.message = ""
                    self.ready.set()
        code = program.wait()
        was_ready = self.ready.is_set()
        self.ready.clear()
        lines = program.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        self.message = "\n".join([f"the scoring server ended with code {code}", *lines[-LOG_TAIL_LINES:]])
        return was_ready

    def _start(self) -> runner.Program:
        entity = self.entity
        env = {name: value for name, value in os.environ.items() if not name.startswith(runner.PRIVATE)}
        env |= {"MLFLOW_TRACKING_URI": self._workspace.settings.mlflow_url, "MLFLOW_DISABLE_TELEMETRY": "true"}
        version = model_store.find_version(self._workspace, entity["entity_name"], entity["entity_version"])
        folder = model_store.folder_of(self._workspace, version)
        command = runner.python("launch_model.py", str(folder), str(self._port))
        env |= entity.get("environment_vars", {})
        return runner.Program(self._workspace, self._name, command, env=env, folder=self._folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
