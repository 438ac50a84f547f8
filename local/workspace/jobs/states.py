"""States of runs and tasks, in both forms of the Jobs API: `state` (2.0) and `status` (2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import Stateful

LifeCycle = Literal["PENDING", "BLOCKED", "QUEUED", "RUNNING", "TERMINATING", "WAITING_FOR_RETRY"]
Result = Literal[
    "SUCCESS",
    "SUCCESS_WITH_FAILURES",
    "FAILED",
    "TIMEDOUT",
    "CANCELED",
    "EXCLUDED",
    "UPSTREAM_FAILED",
    "UPSTREAM_CANCELED",
    "MAXIMUM_CONCURRENT_RUNS_REACHED",
]
ACTIVE = frozenset({"PENDING", "BLOCKED", "QUEUED", "RUNNING", "TERMINATING", "WAITING_FOR_RETRY"})
FAILURES = frozenset({"FAILED", "TIMEDOUT", "CANCELED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED"})

_TYPES = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS",
    "SKIPPED": "SUCCESS",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
}


@dataclass(frozen=True)
class Outcome:
    """The end of a run or a task.

    Attributes:
        result: The `result_state`.
        code: The termination code of `status`.
        message: The reason; empty for a success.
        lost: Whether the workspace lost the run or task, which did not end by itself.
    """

    result: Result
    code: str
    message: str = ""
    lost: bool = False


SUCCESS = Outcome("SUCCESS", "SUCCESS")
CANCELED = Outcome("CANCELED", "USER_CANCELED", "Run cancelled.")


def set_active(document: Stateful, life_cycle: LifeCycle, message: str = "", queue_code: str | None = None) -> None:
    """Writes the state of something that has not ended."""
    status: Document = {"state": "WAITING" if life_cycle == "WAITING_FOR_RETRY" else life_cycle}
    if queue_code:
        status["queue_details"] = {"code": queue_code, "message": message}
    document["state"] = {
        "life_cycle_state": life_cycle,
        "state_message": message,
        "user_cancelled_or_timedout": False,
    }
    document["status"] = status
    document.pop("end_time", None)


def set_ended(document: Stateful, outcome: Outcome, end_time: int, *, whole_run: bool = False) -> None:
    """Writes the state of something that has ended.

    A whole run with a failed task, and everything that was lost, ends as INTERNAL_ERROR, a failed task as TERMINATED:
    because of this the SDK's `run_now(...).result()` raises.
    """
    life_cycle = "TERMINATED"
    if outcome.lost or (whole_run and outcome.result == "FAILED"):
        life_cycle = "INTERNAL_ERROR"
    if outcome.result == "MAXIMUM_CONCURRENT_RUNS_REACHED":
        life_cycle = "SKIPPED"
    document["state"] = {
        "life_cycle_state": life_cycle,
        "result_state": outcome.result,
        "state_message": outcome.message,
        "user_cancelled_or_timedout": outcome.result in ("CANCELED", "TIMEDOUT"),
    }
    kind = _TYPES.get(outcome.code, "CLIENT_ERROR")
    details = {"code": outcome.code, "type": kind, "message": outcome.message}
    document["status"] = {"state": "TERMINATED", "termination_details": details}
    document["end_time"] = end_time


def outcome_of(document: Stateful) -> Outcome:
    """Returns the end of something that has ended."""
    details = document["status"]["termination_details"]
    return Outcome(document["state"]["result_state"], details["code"], details["message"])


def is_active(document: Stateful) -> bool:
    """Whether a run, an attempt or a repair has not ended."""
    return document["state"]["life_cycle_state"] in ACTIVE


def upstream(run_if: str, results: Collection[str]) -> Outcome | None:
    """Decides whether a task runs after the tasks it depends on.

    Args:
        run_if: The task's condition.
        results: Results of the tasks it depends on.

    Returns:
        None if the task runs, else its end without a run.
    """
    if not results:
        return None
    succeeded = [result for result in results if result in ("SUCCESS", "SUCCESS_WITH_FAILURES")]
    failed = [result for result in results if result in FAILURES]
    runs = {
        "ALL_SUCCESS": len(succeeded) == len(results),
        "AT_LEAST_ONE_SUCCESS": bool(succeeded),
        "NONE_FAILED": not failed and bool(succeeded),
        "ALL_DONE": True,
        "AT_LEAST_ONE_FAILED": bool(failed),
        "ALL_FAILED": len(failed) == len(results),
    }[run_if]
    if runs:
        return None
    if run_if in ("AT_LEAST_ONE_FAILED", "ALL_FAILED") or not failed:
        return Outcome("EXCLUDED", "SKIPPED", f"The condition {run_if} on its upstream tasks is not met.")
    if all(result in ("CANCELED", "UPSTREAM_CANCELED") for result in failed):
        return Outcome("UPSTREAM_CANCELED", "CANCELED", "An upstream task was cancelled.")
    return Outcome("UPSTREAM_FAILED", "RUN_EXECUTION_ERROR", "An upstream task failed.")


def run_outcome(outcomes: Mapping[str, Outcome], leaves: Collection[str]) -> Outcome:
    """Returns the end of a run.

    The leaves decide: they can succeed although a task before them failed.

    Args:
        outcomes: Ends of all tasks, by key.
        leaves: Keys of the tasks on which no other depends.
    """
    failed = {key: outcome for key, outcome in outcomes.items() if outcome.result in FAILURES}
    if not failed:
        return SUCCESS
    if all(outcomes[key].result in ("SUCCESS", "EXCLUDED") for key in leaves):
        return Outcome("SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES", f"Failed tasks: {', '.join(sorted(failed))}.")
    skipped = any(outcome.result == "UPSTREAM_FAILED" for outcome in failed.values())
    own = {key: outcome for key, outcome in failed.items() if not outcome.result.startswith("UPSTREAM")} or failed
    key, first = next(iter(own.items()))
    message = f"Task {key} failed with message: {first.message.rstrip('.')}."
    if skipped:
        message += " This caused all downstream tasks to get skipped."
    return Outcome("FAILED", first.code, message, lost=first.lost)
