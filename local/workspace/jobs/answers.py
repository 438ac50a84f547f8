"""Runs and attempts in the form in which the Jobs API answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.jobs import parameters

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import AttemptDocument, RunDocument

_HIDDEN = ("settings", "attempts", "repair_history", "run_as", "idempotency_token", "trigger_time")


def of_run(workspace: Workspace, run: RunDocument, *, expand_tasks: bool = True, history: bool = False) -> Document:
    """Returns the answer for a run.

    Args:
        workspace: The workspace.
        run: The run.
        expand_tasks: Whether to add its tasks.
        history: Whether to add its repairs and all attempts, not the latest of each task alone.
    """
    answer: Document = {name: value for name, value in run.items() if name not in _HIDDEN}
    answer |= {
        "run_type": "JOB_RUN",
        "format": "MULTI_TASK",
        "run_page_url": _page_url(workspace, run),
    }
    for name in ("job_clusters", "schedule"):
        if name in run["settings"]:
            answer[name] = run["settings"][name]
    if expand_tasks:
        latest = {item["task_key"]: item for item in run["attempts"]}
        shown = run["attempts"] if history else list(latest.values())
        answer["tasks"] = [of_attempt(workspace, run, item) for item in shown]
    if history:
        answer["repair_history"] = run["repair_history"]
    return answer


def of_attempt(workspace: Workspace, run: RunDocument, attempt: AttemptDocument) -> Document:
    """Returns the answer for an attempt of a task: its settings with references replaced, and its state."""
    task: Document = next((task for task in run["settings"]["tasks"] if task["task_key"] == attempt["task_key"]), {})
    return {
        **task,
        **parameters.of_task(run, attempt, task),
        **attempt,
        "run_page_url": _page_url(workspace, run),
        "cleanup_duration": 0,
        "setup_duration": 0,
    }


def _page_url(workspace: Workspace, run: RunDocument) -> str:
    return f"{workspace.settings.workspace_url}/?o={workspace.workspace_id}#job/{run['job_id']}/run/{run['run_id']}"
