"""Programs that the workspace runs: each has a process group and a log, can be stopped, and leaves no process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from local.workspace.programs.documents import PROGRAMS, ProgramDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.workspace.core.context import Workspace

GRACE_SECONDS = 10  # between SIGTERM and SIGKILL, as a cluster gives a task

# Variables of the person who started the workspace; a task that runs as another principal must not get them.
PRIVATE = ("AWS_", "DATABRICKS_", "MLFLOW_", "PLATFORM_", "PULUMI_", "SPARK_", "PYTHONPATH", "PYTEST_")


def environment(workspace: Workspace, run_as: str, wheels: Sequence[Path] = ()) -> dict[str, str]:
    """Returns the environment variables of a program that acts for a principal.

    Args:
        workspace: The workspace that the program belongs to.
        run_as: User name, or a service principal's application id.
        wheels: Folders of unpacked wheels, for the module path.

    Returns:
        What official clients read: the addresses of Spark, the workspace and MLflow, and the principal's token.
    """
    url, token = workspace.settings.workspace_url, workspace.token_for(run_as)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    return inherited | {
        "DATABRICKS_HOST": url,
        "DATABRICKS_TOKEN": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing leaves this machine
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "MLFLOW_TRACKING_TOKEN": token,
        "PYTHONPATH": os.pathsep.join(map(str, wheels)),
        "PYTHONUNBUFFERED": "1",
        "SPARK_REMOTE": workspace.settings.spark_remote_of(run_as),
    }


def python(script: str, *arguments: str) -> list[str]:
    """Returns the command that runs a script of this folder; the folder is not on the script's module path."""
    return [sys.executable, "-P", str(Path(__file__).with_name(script)), *arguments]


def module(name: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module of the local cloud."""
    return [sys.executable, "-P", "-m", name, *arguments]


class Program:
    """One running program; the store has its key until the program has ended."""

    def __init__(
        self,
        workspace: Workspace,
        key: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        output: Literal["log", "lines"] = "log",
    ) -> None:
        """Starts the program.

        Args:
            workspace: The workspace, whose store keeps the program for `end_leftovers`.
            key: Name of the program, unique among those that run.
            command: Program and arguments.
            env: All environment variables.
            folder: Working folder, with the log `output.log`.
            output: `log` sends standard output to the log, as standard error; `lines` keeps it for `lines()`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._store, self._key = workspace.store, key
        self.log = folder / "output.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log if output == "log" else subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._stopping = threading.Lock()
        started = psutil.Process(self._process.pid).create_time() if self._process.poll() is None else 0.0
        try:
            self._store.put(PROGRAMS, key, ProgramDocument(pid=self._process.pid, started=started))
        except sqlite3.Error:
            self._process.kill()  # nothing would end a program that the store lacks
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """Id of its process, which is also that of its group."""
        return self._process.pid

    def lines(self) -> Iterator[str]:
        """Yields the lines of standard output until the program's end."""
        if self._process.stdout is None:
            raise ValueError(f"program {self._key} was started with output='log'")
        yield from self._process.stdout

    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the program's end, and ends all that is left in its process group.

        Args:
            timeout: Seconds.

        Returns:
            The exit code, or minus the number of the signal that ended the program.

        Raises:
            subprocess.TimeoutExpired: The program still runs.
        """
        code = self._process.wait(timeout)
        self._signal(signal.SIGKILL)
        self._store.delete(PROGRAMS, self._key)
        return code

    def stop(self) -> int:
        """Sends SIGTERM to the process group, SIGKILL after `GRACE_SECONDS`, and returns the exit code."""
        with self._stopping:
            if self.running():
                self._signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(GRACE_SECONDS)
            self._signal(signal.SIGKILL)
            return self.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class ProgramOwner:
    """Base of what runs a program in one thread and can end it from another.

    A subclass holds `_lock` while it starts its program and keeps it in `_program`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: Program | None = None

    def _end_program(self) -> None:
        """Stops the program, if there is one; a store that fails must not stop its end."""
        with self._lock:
            program = self._program
        if program is not None:
            with suppress(sqlite3.Error):  # raised after the program's end, when the store cannot forget it
                program.stop()


def end_leftovers(workspace: Workspace) -> None:
    """Ends the programs that an earlier process of the workspace left when it was killed."""
    groups = []
    for key, record in workspace.store.items(PROGRAMS):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(record["pid"])
            if process.create_time() == record["started"]:  # else another process has the number now
                groups.append(process)
                os.killpg(process.pid, signal.SIGTERM)
        workspace.store.delete(PROGRAMS, key)
    _, alive = psutil.wait_procs(groups, timeout=GRACE_SECONDS)
    for process in alive:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
