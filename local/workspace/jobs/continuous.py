"""Continuous jobs: when the next run of one may start, by how its runs ended.

Databricks tells of a growing pause between failed runs, a longest one, and a threshold after which a run counts as
healthy, all without figures: https://docs.databricks.com/aws/en/jobs/continuous.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.workspace.jobs.states import outcome_of

if TYPE_CHECKING:
    from local.workspace.jobs.documents import RunDocument

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
HEALTHY_SECONDS = 120.0  # of a run, after which the pauses begin anew
TASK_RETRIES = 3  # of a failed task, with `task_retry_mode` ON_FAILURE


@dataclass
class _Next:
    """When the next run may start.

    Attributes:
        at: Moment of the monotonic clock.
        failures: Runs that failed one after the other.
    """

    at: float = 0.0
    failures: int = 0


class ContinuousJobs:
    """The continuous jobs of one workspace."""

    def __init__(self) -> None:
        self._next: dict[int, _Next] = {}

    def ended(self, run: RunDocument) -> None:
        """Sets the pause after a run that has ended."""
        outcome = outcome_of(run)
        healthy = outcome.result != "FAILED" or outcome.lost or run.get("run_duration", 0) > 1000 * HEALTHY_SECONDS
        failures = 0 if healthy else self._next.get(run["job_id"], _Next()).failures + 1
        self._next[run["job_id"]] = _Next(time.monotonic() + pause_seconds(failures), failures)

    def restart(self, job_id: int) -> None:
        """Forgets the failures of a job, whose next run may start at once."""
        self._next.pop(job_id, None)

    def due(self, job_id: int) -> bool:
        """Whether the next run of a job may start."""
        return time.monotonic() >= self._next.get(job_id, _Next()).at


def pause_seconds(failures: int) -> float:
    """The pause after runs, or attempts of a task, that failed one after the other."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** max(failures - 1, 0), LONGEST_PAUSE_SECONDS)
