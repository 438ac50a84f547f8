"""Repairs of runs: which tasks of an ended run a request runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request
from local.workspace.jobs.states import FAILURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import AttemptDocument, RunDocument


def check_latest(run: RunDocument, request: Document) -> None:
    """Checks that a request knows the latest repair of the run.

    Raises:
        ApiError: `latest_repair_id` is another one, or missing.
    """
    earlier = [item["id"] for item in run["repair_history"]]
    if earlier and request.get("latest_repair_id") != earlier[-1]:
        received = request.get("latest_repair_id")
        raise bad_request(f"latest_repair_id is {received}; the latest repair of the run is {earlier[-1]}")


def tasks_to_run(tasks: list[Document], latest: Mapping[str, AttemptDocument], request: Document) -> set[str]:
    """Returns the keys of the tasks that a repair runs.

    Args:
        tasks: The job's tasks.
        latest: Latest attempt of each task of the run, by key.
        request: The body of `runs/repair`.

    Returns:
        The tasks that the request names, the tasks that depend on them as far as it says so, and new tasks.

    Raises:
        ApiError: A task is unknown, or the request names none or says so twice.
    """
    keys = {task["task_key"] for task in tasks}
    requested = set(request.get("rerun_tasks", []))
    if unknown := sorted(requested - keys):
        raise bad_request(f"rerun_tasks: the job has no task {', '.join(unknown)}; it has {', '.join(sorted(keys))}")
    if bool(requested) == bool(request.get("rerun_all_failed_tasks")):
        raise bad_request("give either rerun_tasks or rerun_all_failed_tasks")
    failed = {key for key, attempt in latest.items() if attempt["state"]["result_state"] in FAILURES} & keys
    if not requested and not failed:
        raise bad_request("rerun_all_failed_tasks: the run has no failed task")
    chosen = requested or set(failed)
    # A task that was skipped because of a task that runs again, runs again as well.
    _add_dependent(tasks, chosen, keys if request.get("rerun_dependent_tasks") else failed)
    return chosen | (keys - latest.keys())


def _add_dependent(tasks: list[Document], chosen: set[str], among: set[str]) -> None:
    """Adds to the chosen tasks those that depend on them, directly or not."""
    grown = True
    while grown:
        dependent = {
            task["task_key"]
            for task in tasks
            if task["task_key"] in among and any(item["task_key"] in chosen for item in task.get("depends_on", []))
        }
        grown = not dependent <= chosen
        chosen |= dependent
