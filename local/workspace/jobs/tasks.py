"""Runs one attempt of one task to its end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from local.workspace.core.errors import ApiError
from local.workspace.pipelines.runtime import updates
from local.workspace.programs import libraries, runner

from .states import CANCELED, SUCCESS, Outcome

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

LOG_LIMIT_BYTES = 5 * 1024 * 1024  # of `get-output`, as on Databricks


class Stoppable(Protocol):
    """Something that runs and can be told to end."""

    def stop(self) -> object:
        """Ends it, and returns when it has ended."""


def run(here: Workspace, run: Document, task: Document, folder: Path, started: Callable[[Stoppable], None]) -> Outcome:
    """Runs an attempt.

    Args:
        here: The workspace.
        run: The job run.
        task: The task's settings, references resolved.
        folder: The attempt's own folder.
        started: Called as soon as there is something to stop.

    Returns:
        How it ended.
    """
    timeout = float(task["timeout_seconds"]) or None
    if "pipeline_task" in task:
        return _run_pipeline(here, task["pipeline_task"], timeout, started)
    return _run_wheel(here, run, task, folder, timeout, started)


def output(folder: Path) -> Document:
    """What `get-output` tells of an attempt: `logs` and, for a failure of the program, `error` and `error_trace`."""
    answer: Document = {}
    log, error = folder / "output.log", folder / "error.json"
    if log.exists():
        size = log.stat().st_size
        with log.open("rb") as file:
            file.seek(max(0, size - LOG_LIMIT_BYTES))
            answer |= {"logs": file.read().decode(errors="replace"), "logs_truncated": size > LOG_LIMIT_BYTES}
    if error.exists():
        record = json.loads(error.read_text(encoding="utf-8"))
        answer |= {"error": f"{record['type']}: {record['message']}", "error_trace": record["trace"]}
    return answer


def _run_wheel(
    here: Workspace,
    run: Document,
    task: Document,
    folder: Path,
    timeout: float | None,
    started: Callable[[Stoppable], None],
) -> Outcome:
    wheel, cluster = task["python_wheel_task"], _cluster(here, run, task)
    dependencies = [name for library in task.get("libraries", []) for name in _names(library)]
    for environment in run["settings"].get("environments", []):
        if environment["environment_key"] == task.get("environment_key"):
            dependencies += environment.get("spec", {}).get("dependencies", [])
    arguments = [f"--{name}={value}" for name, value in wheel.get("named_parameters", {}).items()]
    launch = {
        "package_name": wheel["package_name"],
        "entry_point": wheel["entry_point"],
        "spark_conf": cluster.get("spark_conf", {}),
    }
    try:
        folders = libraries.unpack(here.settings, dependencies)
        env = runner.environment(here, run["run_as"], folders) | cluster.get("spark_env_vars", {})
    except libraries.LibraryError as error:
        return Outcome("FAILED", "LIBRARY_INSTALLATION_ERROR", str(error))
    except ApiError as error:  # the principal that it runs as is gone
        return Outcome("FAILED", "UNAUTHORIZED_ERROR", error.message)
    command = runner.python("launch_task.py", json.dumps(launch), *arguments, *wheel.get("parameters", []))
    program = runner.Program(here, f"task/{folder.name}", command, env=env, folder=folder)
    started(program)
    try:
        code = program.wait(timeout)
    except subprocess.TimeoutExpired:
        program.stop()
        return Outcome("TIMEDOUT", "RUN_EXECUTION_ERROR", f"The task ran longer than {timeout:g} seconds.")
    if code == 0:
        return SUCCESS
    end = f"the program was ended by signal {-code}" if code < 0 else f"exit code {code}"
    reason = output(folder).get("error", end)
    return Outcome("FAILED", "RUN_EXECUTION_ERROR", f"Workload failed, see run output for details: {reason}")


def _cluster(here: Workspace, run: Document, task: Document) -> Document:
    """The settings of the cluster that a task runs on; a serverless task has none."""
    if "existing_cluster_id" in task:
        return here.store.get("clusters", task["existing_cluster_id"]) or {}
    for cluster in run["settings"].get("job_clusters", []):
        if cluster["job_cluster_key"] == task.get("job_cluster_key"):
            return dict(cluster["new_cluster"])
    return dict(task.get("new_cluster", {}))


def _names(library: Document) -> list[str]:
    """A library as the names that `libraries.unpack` takes."""
    if "pypi" in library:
        return [library["pypi"]["package"]]
    return list(library.values())


def _run_pipeline(
    here: Workspace, task: Document, timeout: float | None, started: Callable[[Stoppable], None]
) -> Outcome:
    options = {name: value for name, value in task.items() if name != "pipeline_id"}
    try:
        update = updates(here).start(task["pipeline_id"], options, "JOB_TASK")
    except ApiError as error:
        code = "RESOURCE_NOT_FOUND" if error.status == 404 else "INVALID_RUN_CONFIGURATION"
        return Outcome("FAILED", code, error.message)
    started(update)
    try:
        state = update.wait(timeout)
    except TimeoutError:
        update.stop()
        return Outcome("TIMEDOUT", "RUN_EXECUTION_ERROR", f"The update ran longer than {timeout:g} seconds.")
    if state == "COMPLETED":
        return SUCCESS
    if state == "CANCELED":
        return CANCELED
    return Outcome("FAILED", "RUN_EXECUTION_ERROR", f"Update {update.id} of the pipeline failed: {update.message()}")
