"""States of runs and tasks, in the two forms that the Jobs API gives them: `state` (2.0) and `status` (2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from local.workspace.core.store import Document

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
    """How a run or a task ended.

    Attributes:
        result: The `result_state`.
        code: The termination code of `status`.
        message: Why; empty for a success.
        lost: Whether it did not end by itself, but the workspace lost it.
    """

    result: Result
    code: str
    message: str = ""
    lost: bool = False


SUCCESS = Outcome("SUCCESS", "SUCCESS")
CANCELED = Outcome("CANCELED", "USER_CANCELED", "Run cancelled.")


def active(life_cycle: LifeCycle, message: str = "", queue_code: str | None = None) -> Document:
    """`state` and `status` of what has not ended yet."""
    status: Document = {"state": "WAITING" if life_cycle == "WAITING_FOR_RETRY" else life_cycle}
    if queue_code:
        status["queue_details"] = {"code": queue_code, "message": message}
    state = {"life_cycle_state": life_cycle, "state_message": message, "user_cancelled_or_timedout": False}
    return {"state": state, "status": status}


def ended(outcome: Outcome, *, whole_run: bool = False) -> Document:
    """`state` and `status` of what has ended.

    A whole run with a failed task ends as INTERNAL_ERROR (so does whatever was lost), a failed task as TERMINATED; that
    is what makes the SDK's `run_now(...).result()` raise.
    """
    life_cycle = "TERMINATED"
    if outcome.lost or (whole_run and outcome.result == "FAILED"):
        life_cycle = "INTERNAL_ERROR"
    if outcome.result == "MAXIMUM_CONCURRENT_RUNS_REACHED":
        life_cycle = "SKIPPED"
    state = {
        "life_cycle_state": life_cycle,
        "result_state": outcome.result,
        "state_message": outcome.message,
        "user_cancelled_or_timedout": outcome.result in ("CANCELED", "TIMEDOUT"),
    }
    kind = _TYPES.get(outcome.code, "CLIENT_ERROR")
    details = {"code": outcome.code, "type": kind, "message": outcome.message}
    return {"state": state, "status": {"state": "TERMINATED", "termination_details": details}}


def is_active(document: Document) -> bool:
    return document["state"]["life_cycle_state"] in ACTIVE


def upstream(run_if: str, results: Collection[str]) -> Outcome | None:
    """Decides whether a task runs after the tasks it depends on.

    Args:
        run_if: The task's condition.
        results: Results of the tasks it depends on.

    Returns:
        None if it runs, else how it ends without having run.
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


def whole(outcomes: Mapping[str, Outcome], leaves: Collection[str]) -> Outcome:
    """How a run ends, from its tasks: as its leaves did, which may have succeeded in spite of a failed task."""
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
