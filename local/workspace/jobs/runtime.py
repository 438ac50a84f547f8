"""All runs of all jobs: starting, queueing, cancelling, repairing, schedules, and what a restart finds."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from local.workspace.core.errors import ApiError, bad_request, not_found

from . import settings as job_settings
from .active_run import JobRun, Slots, now_ms
from .states import CANCELED, FAILURES, Outcome, active, ended, is_active

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

_LOG = logging.getLogger(__name__)

TASKS_AT_ONCE = 2
SCHEDULER_TICK_SECONDS = 1.0

LOST = Outcome(
    "FAILED",
    "INTERNAL_ERROR",
    "The workspace was stopped while this ran; repair the run or start a new one.",
    lost=True,
)
_LIMIT = "The job has as many active runs as max_concurrent_runs permits."


class JobRuns:
    """The runs of one workspace."""

    def __init__(self, here: Workspace) -> None:
        self._here = here
        self._slots = Slots(TASKS_AT_ONCE)
        self._active: dict[int, JobRun] = {}
        self._queued: dict[int, JobRun] = {}
        self._closing = threading.Event()
        self._scheduler = threading.Thread(target=self._schedule, name="job scheduler", daemon=True)

    def start(self) -> None:
        """Ends what an earlier process of the workspace left active, and starts the scheduler."""
        for key, run in self._here.store.items("runs"):
            if is_active(run):
                for item in (*run["attempts"], *run["repair_history"]):
                    if is_active(item):
                        item |= ended(LOST) | {"end_time": now_ms()}
                run |= ended(LOST, whole_run=True) | {"end_time": now_ms()}
                self._here.store.put("runs", key, run)
        self._scheduler.start()

    def close(self) -> None:
        """Stops the scheduler and all runs, and waits until their programs have ended."""
        self._closing.set()
        self._scheduler.join()
        with self._slots.changed:
            runs = [*self._active.values(), *self._queued.values()]
            self._queued.clear()
        for run in runs:
            run.stop(LOST)
        for run in runs:
            if run.is_alive():
                run.join()

    def get(self, run_id: int) -> Document:
        """A run.

        Raises:
            ApiError: There is no such run.
        """
        run = self._here.store.get("runs", str(run_id))
        if run is None:
            raise not_found(f"Run {run_id} does not exist.")
        return run

    def run_now(
        self,
        job: Document,
        creator: str,
        parameters: dict[str, str] | None = None,
        *,
        trigger: Literal["ONE_TIME", "PERIODIC"] = "ONE_TIME",
        queue: bool | None = None,
        idempotency_token: str | None = None,
    ) -> Document:
        """Starts a run, queues it, or, at the job's limit without a queue, makes one that is skipped.

        Raises:
            ApiError: A parameter is none of the job's.
        """
        settings = job["settings"]
        with self._slots.changed:
            for _, earlier in self._here.store.items("runs") if idempotency_token else []:
                if (earlier["job_id"], earlier.get("idempotency_token")) == (job["job_id"], idempotency_token):
                    return earlier
            run_id = self._here.store.next_id("runs")
            run: Document = {
                "run_id": run_id,
                "job_id": job["job_id"],
                "number_in_job": run_id,
                "run_name": settings["name"],
                "creator_user_name": creator,
                "run_as": job_settings.run_as_name(self._here, settings) or job["creator_user_name"],
                "trigger": trigger,
                "start_time": now_ms(),
                "settings": settings,
                "attempts": [],
                "repair_history": [],
                **({"idempotency_token": idempotency_token} if idempotency_token else {}),
            }
            run["job_parameters"] = _parameters(settings, run, parameters or {})
            waiting = any(other.document["job_id"] == job["job_id"] for other in self._queued.values())
            free = not waiting and self._has_room(run)
            if not free and not (settings["queue"]["enabled"] if queue is None else queue):
                outcome = Outcome("MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED", _LIMIT)
                run |= ended(outcome) | {"end_time": run["start_time"]}
                self._here.store.put("runs", str(run_id), run)
                return run
            run |= active("PENDING") if free else active("QUEUED", _LIMIT, "MAX_CONCURRENT_RUNS_REACHED")
            keys = [task["task_key"] for task in settings["tasks"]]
            made = JobRun(self._here, self._slots, run, keys, {}, self._here.settings.run_dir)
            made.save()
            if free:
                self._begin(made)
            else:
                self._queued[run_id] = made
            return run

    def cancel(self, run_id: int) -> None:
        """Cancels a run; one that has ended stays as it is. Returns before its programs have ended."""
        with self._slots.changed:
            run = self.get(run_id)
            queued = self._queued.get(run_id)
            found = self._active.get(run_id)
            if queued is not None:
                for item in (queued.document, *queued.document["attempts"]):
                    item |= ended(CANCELED) | {"end_time": now_ms()}
                queued.save()
                del self._queued[run_id]
                return
        if found is not None:
            found.stop(CANCELED)
        elif is_active(run):
            raise ApiError(500, "INTERNAL_ERROR", f"run {run_id} is active but unknown to the workspace")

    def cancel_all(self, job_id: int) -> None:
        with self._slots.changed:
            runs = {**self._active, **self._queued}
        for run_id, run in runs.items():
            if run.document["job_id"] == job_id:
                self.cancel(run_id)

    def repair(self, run_id: int, request: Document) -> int:
        """Runs tasks of an ended run again, with the job's present settings; returns the repair's id.

        Raises:
            ApiError: The run is active, or the request does not fit it.
        """
        with self._slots.changed:
            run = self.get(run_id)
            if is_active(run):
                raise bad_request(f"run {run_id} is active; only one that has ended can be repaired", "INVALID_STATE")
            earlier = [item["id"] for item in run["repair_history"]]
            if earlier and request.get("latest_repair_id") != earlier[-1]:
                given = request.get("latest_repair_id")
                raise bad_request(f"latest_repair_id is {given}; the latest repair of the run is {earlier[-1]}")
            job = self._here.store.get("jobs", str(run["job_id"]))
            run["settings"] = job["settings"] if job else run["settings"]
            latest = {attempt["task_key"]: attempt for attempt in run["attempts"]}
            chosen = _chosen(run["settings"]["tasks"], latest, request)
            overrides = {item["name"]: item["value"] for item in run["job_parameters"]}
            overrides = {name: value for name, value in overrides.items() if name in _names(run["settings"])}
            run["job_parameters"] = _parameters(run["settings"], run, overrides | request.get("job_parameters", {}))
            repair_id = self._here.store.next_id("repairs")
            start = {"id": repair_id, "type": "REPAIR", "start_time": now_ms(), "task_run_ids": []}
            run["repair_history"].append({**start, **active("RUNNING")})
            run |= active("PENDING")
            run.pop("end_time", None)
            kept = {key: _outcome(attempt) for key, attempt in latest.items() if key not in chosen}
            made = JobRun(self._here, self._slots, run, chosen, kept, self._here.settings.run_dir)
            made.save()
            self._begin(made)
            return repair_id

    def _has_room(self, run: Document) -> bool:
        """Whether a run's job may have one more; one that has ended counts no more, though its thread may live."""
        others = [other.document for other in self._active.values()]
        mine = [other for other in others if other["job_id"] == run["job_id"] and is_active(other)]
        return len(mine) < int(run["settings"]["max_concurrent_runs"])

    def _begin(self, run: JobRun) -> None:
        """Starts a run; called with the lock held."""
        self._active[run.document["run_id"]] = run
        run.start()
        threading.Thread(target=self._follow, args=[run], daemon=True).start()

    def _follow(self, run: JobRun) -> None:
        """Waits for a run's end, and starts the next one of its job that waits in the queue."""
        run.join()
        if not run.saved:
            self._here.store.insist(run.save)
        with self._slots.changed:
            if self._active.get(run.document["run_id"]) is run:  # else a repair of it runs already
                del self._active[run.document["run_id"]]
            for run_id, queued in list(self._queued.items()):
                same_job = queued.document["job_id"] == run.document["job_id"]
                if same_job and self._has_room(queued.document) and not self._closing.is_set():
                    del self._queued[run_id]
                    waited = now_ms() - queued.document["start_time"]
                    queued.document |= active("PENDING") | {"queue_duration": waited}
                    self._begin(queued)
                    break

    def _schedule(self) -> None:
        before = datetime.now(UTC)
        while not self._closing.wait(SCHEDULER_TICK_SECONDS):
            now = datetime.now(UTC)
            for _, job in self._here.store.items("jobs"):
                try:
                    self._start_if_due(job, before, now)
                except Exception:  # noqa: BLE001 (one job, as one whose principal is gone, must not end all schedules)
                    _LOG.exception("the schedule of job %s started no run", job["job_id"])
            before = now

    def _start_if_due(self, job: Document, before: datetime, now: datetime) -> None:
        schedule = job_settings.schedule(job["settings"])
        due = schedule.after(before) if schedule else None
        if due is not None and due <= now:
            self.run_now(job, job["creator_user_name"], trigger="PERIODIC")


def _names(settings: Document) -> list[str]:
    return [parameter["name"] for parameter in settings.get("parameters", [])]


def _parameters(settings: Document, run: Document, given: dict[str, str]) -> list[Document]:
    if unknown := sorted(given.keys() - set(_names(settings))):
        raise bad_request(f"job_parameters: the job has no {', '.join(unknown)}; it has {', '.join(_names(settings))}")
    known = job_settings.values({**run, "job_parameters": []})
    found = []
    for parameter in settings.get("parameters", []):
        value = job_settings.resolved(given.get(parameter["name"], parameter["default"]), known)
        found.append({"name": parameter["name"], "default": parameter["default"], "value": value})
    return found


def _outcome(attempt: Document) -> Outcome:
    details = attempt["status"]["termination_details"]
    return Outcome(attempt["state"]["result_state"], details["code"], details["message"])


def _chosen(tasks: list[Document], latest: dict[str, Document], request: Document) -> set[str]:
    """Keys of the tasks that a repair runs: those asked for, and those that cannot keep what they had."""
    keys = {task["task_key"] for task in tasks}
    asked = set(request.get("rerun_tasks", []))
    if unknown := sorted(asked - keys):
        raise bad_request(f"rerun_tasks: the job has no task {', '.join(unknown)}; it has {', '.join(sorted(keys))}")
    if bool(asked) == bool(request.get("rerun_all_failed_tasks")):
        raise bad_request("give either rerun_tasks or rerun_all_failed_tasks")
    failed = {key for key, attempt in latest.items() if attempt["state"]["result_state"] in FAILURES} & keys
    if not asked and not failed:
        raise bad_request("rerun_all_failed_tasks: the run has no failed task")
    chosen = asked or set(failed)
    # what was skipped because of a task that now runs again, runs as well
    _spread(tasks, chosen, keys if request.get("rerun_dependent_tasks") else failed)
    return chosen | (keys - latest.keys())


def _spread(tasks: list[Document], chosen: set[str], among: set[str]) -> None:
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
