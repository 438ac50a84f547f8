"""All runs of all jobs: they start, by request, by schedule or one after another, wait, are cancelled and repaired."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError, bad_request
from local.workspace.identity.run_as import run_as_name
from local.workspace.jobs import parameters, repairs, settings
from local.workspace.jobs.active_run import ActiveRun, Slots
from local.workspace.jobs.continuous import ContinuousJobs
from local.workspace.jobs.documents import JOBS, RUNS
from local.workspace.jobs.states import CANCELED, Outcome, is_active, outcome_of, set_active, set_ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import JobDocument, RepairDocument, RunDocument, Stateful, Trigger

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
_SKIPPED = Outcome("MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED", _LIMIT)


class JobRuns:
    """The runs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._slots = Slots(TASKS_AT_ONCE)
        self._active: dict[int, ActiveRun] = {}
        self._queued: dict[int, ActiveRun] = {}
        self._continuous = ContinuousJobs()
        self._closing = threading.Event()
        self._scheduler = threading.Thread(target=self._schedule, name="job scheduler", daemon=True)

    def start(self) -> None:
        """Ends the runs that an earlier process of the workspace left active, and starts the scheduler."""
        for key, run in self._workspace.store.items(RUNS):
            if is_active(run):
                parts: list[Stateful] = [*run["attempts"], *run["repair_history"]]
                for part in parts:
                    if is_active(part):
                        set_ended(part, LOST, now_ms())
                set_ended(run, LOST, now_ms(), whole_run=True)
                self._workspace.store.put(RUNS, key, run)
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

    def get(self, run_id: int) -> RunDocument:
        """Returns a run.

        Raises:
            ApiError: There is no such run.
        """
        return self._workspace.find(RUNS, str(run_id), f"Run {run_id} does not exist.")

    def run_now(
        self,
        job: JobDocument,
        creator: str,
        values: Mapping[str, str] | None = None,
        *,
        due: datetime | None = None,
        queue: bool | None = None,
        idempotency_token: str | None = None,
    ) -> RunDocument:
        """Starts a run, queues it, or, at the job's limit without a queue, makes one that is skipped.

        Of a continuous job the run takes the place of the active one, and the pauses after failures begin anew.

        Args:
            job: The job.
            creator: Name of the principal that starts the run.
            values: Values of the job's parameters that differ from their defaults.
            due: When the schedule was due that starts the run; None where a principal starts it.
            queue: Whether the run may wait; the job's setting if left out.
            idempotency_token: Name of the request; a second request of that name returns the run of the first.

        Raises:
            ApiError: A parameter is not one of the job's, or a continuous job is being restarted already.
        """
        with self._slots.changed:
            earlier = self._run_of_request(job["job_id"], idempotency_token)
            if earlier is not None:
                return earlier
            continuous = settings.continuous(job["settings"])
            trigger: Trigger = "PERIODIC" if due else "CONTINUOUS_RESTART" if continuous else "ONE_TIME"
            run = self._new_run(job, creator, values or {}, due, idempotency_token, trigger)
            if continuous:
                if any(waiting.document["job_id"] == job["job_id"] for waiting in self._queued.values()):
                    raise ApiError(409, "RESOURCE_CONFLICT", f"Job {job['job_id']} is being restarted already.")
                self._continuous.restart(job["job_id"])
                self._cancel_active(job["job_id"])
                queue = True
            self._admit(run, job["settings"]["queue"]["enabled"] if queue is None else queue)
            return run

    def settings_changed(self, job: JobDocument) -> None:
        """Cancels the run of a continuous job that is paused now; other runs keep the settings that they began with."""
        if "continuous" in job["settings"] and not settings.continuous(job["settings"]):
            self._cancel_active(job["job_id"])
        self._continuous.restart(job["job_id"])

    def _cancel_active(self, job_id: int) -> None:
        for run in list(self._active.values()):
            if run.document["job_id"] == job_id:
                run.stop(CANCELED)

    def _run_of_request(self, job_id: int, idempotency_token: str | None) -> RunDocument | None:
        """The run that an earlier request of the same token started."""
        for _, run in self._workspace.store.items(RUNS) if idempotency_token else []:
            if (run["job_id"], run.get("idempotency_token")) == (job_id, idempotency_token):
                return run
        return None

    def _new_run(
        self,
        job: JobDocument,
        creator: str,
        values: Mapping[str, str],
        due: datetime | None,
        token: str | None,
        trigger: Trigger,
    ) -> RunDocument:
        """The document of a run that neither runs nor waits yet."""
        run_id, now = self._workspace.store.next_id(RUNS), now_ms()
        minute = due.replace(second=0, microsecond=0) if due else None
        run: RunDocument = {
            "run_id": run_id,
            "job_id": job["job_id"],
            "number_in_job": run_id,
            "run_name": job["settings"]["name"],
            "creator_user_name": creator,
            "run_as": run_as_name(self._workspace, job["settings"]) or job["creator_user_name"],
            "trigger": trigger,
            "trigger_time": round(minute.timestamp() * 1000) if minute else now,
            "start_time": now,
            "settings": job["settings"],
            "job_parameters": [],
            "attempts": [],
            "repair_history": [],
            "idempotency_token": token,
            "state": {},
            "status": {},
        }
        run["job_parameters"] = parameters.of_run(run, values)
        return run

    def _admit(self, run: RunDocument, queue: bool) -> None:
        """Starts a new run where the job has room for it, else queues or skips it; called with the lock held."""
        waiting = any(other.document["job_id"] == run["job_id"] for other in self._queued.values())
        free = not waiting and self._has_room(run)
        if not free and not queue:
            set_ended(run, _SKIPPED, run["start_time"])
            self._workspace.store.put(RUNS, str(run["run_id"]), run)
            return
        if free:
            set_active(run, "PENDING")
        else:
            set_active(run, "QUEUED", _LIMIT, "MAX_CONCURRENT_RUNS_REACHED")
        keys = [task["task_key"] for task in run["settings"]["tasks"]]
        active = ActiveRun(self._workspace, self._slots, run, keys, {}, self._workspace.settings.run_dir)
        active.save()
        if free:
            self._begin(active)
        else:
            self._queued[run["run_id"]] = active

    def cancel(self, run_id: int) -> None:
        """Cancels a run; one that has ended stays as it is. Returns before its programs have ended."""
        with self._slots.changed:
            run = self.get(run_id)
            queued = self._queued.get(run_id)
            active = self._active.get(run_id)
            if queued is not None:
                parts: list[Stateful] = [queued.document, *queued.document["attempts"]]
                for part in parts:
                    set_ended(part, CANCELED, now_ms())
                queued.save()
                del self._queued[run_id]
                return
        if active is not None:
            active.stop(CANCELED)
        elif is_active(run):
            raise ApiError(500, "INTERNAL_ERROR", f"run {run_id} is active but unknown to the workspace")

    def cancel_all(self, job_id: int) -> None:
        """Cancels all runs of a job."""
        with self._slots.changed:
            runs = {**self._active, **self._queued}
        for run_id, run in runs.items():
            if run.document["job_id"] == job_id:
                self.cancel(run_id)

    def repair(self, run_id: int, request: Document) -> int:
        """Runs tasks of an ended run again, with the job's present settings.

        Args:
            run_id: Id of the run.
            request: The body of `runs/repair`.

        Returns:
            The repair's id.

        Raises:
            ApiError: The run is active, or the request does not fit it.
        """
        with self._slots.changed:
            run = self.get(run_id)
            if is_active(run):
                raise bad_request(f"run {run_id} is active; only one that has ended can be repaired", "INVALID_STATE")
            repairs.check_latest(run, request)
            job = self._workspace.store.get(JOBS, str(run["job_id"]))
            run["settings"] = job["settings"] if job else run["settings"]
            latest = {attempt["task_key"]: attempt for attempt in run["attempts"]}
            chosen = repairs.tasks_to_run(run["settings"]["tasks"], latest, request)
            values = {item["name"]: item["value"] for item in run["job_parameters"]}
            values = {name: value for name, value in values.items() if name in parameters.names(run["settings"])}
            run["job_parameters"] = parameters.of_run(run, values | request.get("job_parameters", {}))
            repair: RepairDocument = {
                "id": self._workspace.store.next_id("repairs"),
                "type": "REPAIR",
                "start_time": now_ms(),
                "task_run_ids": [],
                "state": {},
                "status": {},
            }
            set_active(repair, "RUNNING")
            run["repair_history"].append(repair)
            set_active(run, "PENDING")
            kept = {key: outcome_of(attempt) for key, attempt in latest.items() if key not in chosen}
            active = ActiveRun(self._workspace, self._slots, run, chosen, kept, self._workspace.settings.run_dir)
            active.save()
            self._begin(active)
            return repair["id"]

    def _has_room(self, run: RunDocument) -> bool:
        """Whether a run's job may have one more; a run that has ended does not count, even while its thread exists."""
        others = [other.document for other in self._active.values()]
        same_job = [other for other in others if other["job_id"] == run["job_id"] and is_active(other)]
        return len(same_job) < int(run["settings"]["max_concurrent_runs"])

    def _begin(self, run: ActiveRun) -> None:
        """Starts a run; called with the lock held."""
        self._active[run.document["run_id"]] = run
        run.start()
        threading.Thread(target=self._follow, args=[run], daemon=True).start()

    def _follow(self, run: ActiveRun) -> None:
        """Waits for a run's end, and starts the next one of its job that waits in the queue."""
        run.join()
        if not run.saved:
            self._workspace.store.retry_until_closed(run.save)
        self._continuous.ended(run.document)
        with self._slots.changed:
            if self._active.get(run.document["run_id"]) is run:  # else a repair of it runs already
                del self._active[run.document["run_id"]]
            for run_id, queued in list(self._queued.items()):
                same_job = queued.document["job_id"] == run.document["job_id"]
                if same_job and self._has_room(queued.document) and not self._closing.is_set():
                    del self._queued[run_id]
                    set_active(queued.document, "PENDING")
                    queued.document["queue_duration"] = now_ms() - queued.document["start_time"]
                    self._begin(queued)
                    break

    def _schedule(self) -> None:
        before = datetime.now(UTC)
        while not self._closing.wait(SCHEDULER_TICK_SECONDS):
            now = datetime.now(UTC)
            for _, job in self._workspace.store.items(JOBS):
                try:
                    self._start_if_due(job, before, now)
                except Exception:  # noqa: BLE001 (one job, such as one whose principal is gone, must not end all schedules)
                    _LOG.exception("the schedule of job %s started no run", job["job_id"])
            before = now

    def _start_if_due(self, job: JobDocument, before: datetime, now: datetime) -> None:
        if settings.continuous(job["settings"]):
            self._keep_active(job)
            return
        schedule = settings.schedule(job["settings"])
        due = schedule.after(before) if schedule else None
        if due is not None and due <= now:
            self.run_now(job, job["creator_user_name"], due=due)

    def _keep_active(self, job: JobDocument) -> None:
        with self._slots.changed:
            runs = [*self._active.values(), *self._queued.values()]
            if self._continuous.due(job["job_id"]) and not any(run.document["job_id"] == job["job_id"] for run in runs):
                self._admit(self._new_run(job, job["creator_user_name"], {}, None, None, "CONTINUOUS"), queue=False)
