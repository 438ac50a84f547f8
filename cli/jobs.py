"""Runs jobs of a workspace and shows their progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cli.errors import CommandError
from local.progress import console, step

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import BaseRun, Run, RunTask

POLL_SECONDS = 1.0


def has_succeeded(client: WorkspaceClient, job_id: str) -> bool:
    """Whether a run of the job as it is deployed now has succeeded."""
    changed_ms = latest_change_ms(client, job_id)
    for run in client.jobs.list_runs(job_id=int(job_id), completed_only=True):
        if _result(run) == "SUCCESS" and (run.start_time or 0) >= changed_ms:
            return True
    return False


def latest_change_ms(client: WorkspaceClient, job_id: str) -> int:
    """When the libraries of a job were last written, in milliseconds since the epoch; other code lies beside them."""
    job = client.jobs.get(int(job_id))
    tasks = (job.settings.tasks or []) if job.settings else []
    libraries = [library for task in tasks for library in task.libraries or []]
    files = {path for library in libraries for path in (library.requirements, library.whl) if path}
    for environment in (job.settings.environments or []) if job.settings else []:
        lines = (environment.spec.dependencies or []) if environment.spec else []
        files.update(line.removeprefix("-r ") for line in lines)
    statuses = [client.workspace.get_status(file) for file in files]
    return max((status.modified_at or 0 for status in statuses), default=0)


def follow(client: WorkspaceClient, job_id: str, date: str | None) -> Run:
    """Runs a job and prints each task as it ends.

    Args:
        client: The workspace.
        job_id: The job's id.
        date: Logical date, YYYY-MM-DD; None for the job's own default.

    Raises:
        CommandError: The run did not succeed; the text has the failed task's error and where its log is.
    """
    job = client.jobs.get(int(job_id))
    name = job.settings.name if job.settings else job_id
    with step(f"run the job {name}") as report:
        waiter = client.jobs.run_now(int(job_id), job_parameters={"date": date} if date else None)
        shown: set[str] = set()
        while True:
            run = client.jobs.get_run(waiter.run_id)
            tasks = run.tasks or []
            for task in tasks:
                if task.task_key and task.task_key not in shown and _result(task):
                    shown.add(task.task_key)
                    console.print(f"    {task.task_key:<12} {_result(task).lower():<10} {_seconds(task):5.1f} s")
            running = [task.task_key or "" for task in tasks if _life_cycle(task) == "RUNNING"]
            report(", ".join(running))
            if _result(run):
                break
            time.sleep(POLL_SECONDS)
        if _result(run) != "SUCCESS":
            raise CommandError(_failure(client, run))
        report(f"run {run.run_id}")
    return run


def duration_seconds(run: BaseRun | Run) -> float:
    """Duration of a run, in seconds."""
    return ((run.end_time or 0) - (run.start_time or 0)) / 1000


def _failure(client: WorkspaceClient, run: Run) -> str:
    lines = [f"run {run.run_id} ended as {_result(run)}: {run.run_page_url or ''}"]
    for task in run.tasks or []:
        if _result(task) in ("FAILED", "TIMEDOUT") and task.run_id:
            output = client.jobs.get_run_output(task.run_id)
            tail = "\n".join((output.error_trace or output.logs or output.error or "").splitlines()[-30:])
            lines.append(f"task {task.task_key}: {output.error or 'no error text'}\n{tail}")
    return "\n".join(lines)


def _result(run: BaseRun | Run | RunTask) -> str:
    state = run.state.result_state if run.state else None
    return state.value if state else ""


def _life_cycle(run: BaseRun | Run | RunTask) -> str:
    state = run.state.life_cycle_state if run.state else None
    return state.value if state else ""


def _seconds(task: RunTask) -> float:
    return ((task.end_time or 0) - (task.start_time or 0)) / 1000
