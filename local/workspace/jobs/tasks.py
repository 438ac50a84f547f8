"""One attempt of one task: a program on a wheel's entry point, or an update of a pipeline."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Protocol

from local.errors import LibraryError
from local.workspace.compute.documents import CLUSTERS
from local.workspace.compute.policy_rules import enforced
from local.workspace.core.errors import ApiError
from local.workspace.jobs.states import CANCELED, SUCCESS, Outcome
from local.workspace.pipelines.runtime import PipelineUpdates
from local.workspace.programs import libraries, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import RunDocument

LOG_LIMIT_BYTES = 5 * 1024 * 1024  # of `get-output`, as on Databricks


class Stoppable(Protocol):
    """Something that runs and can be stopped."""

    def stop(self) -> object:
        """Stops it, and returns after its end."""


def run(
    workspace: Workspace, run: RunDocument, task: Document, folder: Path, started: Callable[[Stoppable], None]
) -> Outcome:
    """Runs an attempt.

    Args:
        workspace: The workspace.
        run: The run of the job.
        task: The task's settings, with references replaced.
        folder: The attempt's own folder.
        started: Called with the program or update as soon as it can be stopped.

    Returns:
        The end of the attempt.
    """
    timeout = float(task["timeout_seconds"]) or None
    if "pipeline_task" in task:
        return _run_pipeline(workspace, task["pipeline_task"], timeout, started)
    return _run_wheel(workspace, run, task, folder, timeout, started)


def output(folder: Path) -> Document:
    """Returns what `get-output` adds for an attempt: `logs` and, after a failure, `error` and `error_trace`."""
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
    workspace: Workspace,
    run: RunDocument,
    task: Document,
    folder: Path,
    timeout: float | None,
    started: Callable[[Stoppable], None],
) -> Outcome:
    wheel = task["python_wheel_task"]
    try:
        cluster = _cluster(workspace, run, task)
    except ApiError as error:  # the policy has changed since the job was written
        return Outcome("FAILED", "CLUSTER_ERROR", error.message)
    dependencies = [name for library in task.get("libraries", []) for name in _names(library)]
    for environment in run["settings"].get("environments", []):
        if environment["environment_key"] == task.get("environment_key"):
            dependencies += environment.get("spec", {}).get("dependencies", [])
    arguments = [f"--{name}={value}" for name, value in wheel.get("named_parameters", {}).items()]
    launch = {
        "package_name": wheel["package_name"],
        "entry_point": wheel["entry_point"],
        "spark_conf": cluster.get("spark_conf", {}),
        "serverless": "environment_key" in task,
    }
    try:
        folders = libraries.unpack(workspace.settings, dependencies)
        env = runner.environment(workspace, run["run_as"], folders) | cluster.get("spark_env_vars", {})
    except LibraryError as error:
        return Outcome("FAILED", "LIBRARY_INSTALLATION_ERROR", str(error))
    except ApiError as error:  # the principal of `run_as` does not exist any more
        return Outcome("FAILED", "UNAUTHORIZED_ERROR", error.message)
    command = runner.python("launch_task.py", json.dumps(launch), *arguments, *wheel.get("parameters", []))
    program = runner.Program(workspace, f"task/{folder.name}", command, env=env, folder=folder)
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


def _cluster(workspace: Workspace, run: RunDocument, task: Document) -> Document:
    """The settings of a task's cluster, with those of its policy; empty for a serverless task.

    Raises:
        ApiError: The cluster breaks its policy.
    """
    if "existing_cluster_id" in task:
        existing = workspace.store.get(CLUSTERS, task["existing_cluster_id"])
        return {**existing} if existing else {}
    cluster = task.get("new_cluster", {})
    for shared in run["settings"].get("job_clusters", []):
        if shared["job_cluster_key"] == task.get("job_cluster_key"):
            cluster = shared["new_cluster"]
    return enforced(workspace, cluster, "job")


def _names(library: Document) -> list[str]:
    """The names of a library, for `libraries.unpack`."""
    if "pypi" in library:
        return [library["pypi"]["package"]]
    if "requirements" in library:
        return [f"-r {library['requirements']}"]
    return list(library.values())


def _run_pipeline(
    workspace: Workspace, task: Document, timeout: float | None, started: Callable[[Stoppable], None]
) -> Outcome:
    options = {name: value for name, value in task.items() if name != "pipeline_id"}
    try:
        update = workspace.service(PipelineUpdates).start(task["pipeline_id"], options, "JOB_TASK")
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
