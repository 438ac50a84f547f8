"""An active run of a job: a thread that runs its task graph to the end."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

from local.workspace.core.clock import now_ms
from local.workspace.jobs import parameters, tasks
from local.workspace.jobs.continuous import TASK_RETRIES, pause_seconds
from local.workspace.jobs.documents import RUNS, TASK_RUNS, TaskRunDocument
from local.workspace.jobs.states import CANCELED, Outcome, is_active, run_outcome, set_active, set_ended, upstream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import AttemptDocument, RunDocument

_LOG = logging.getLogger(__name__)


class Slots:
    """Limit on the tasks that run at once in the whole workspace.

    `changed` is also the lock and condition variable for the state of all runs.
    """

    def __init__(self, count: int) -> None:
        self.changed = threading.Condition()
        self._free = count

    def take(self, run: ActiveRun) -> bool:
        """Waits for a free slot; returns False if the run was stopped meanwhile."""
        if run.continuous:  # it would hold its slot for good
            return True
        with self.changed:
            self.changed.wait_for(lambda: self._free > 0 or run.stopped_by is not None)
            if run.stopped_by is not None:
                return False
            self._free -= 1
            return True

    def give_back(self, run: ActiveRun) -> None:
        """Frees a slot."""
        if run.continuous:
            return
        with self.changed:
            self._free += 1
            self.changed.notify_all()


class ActiveRun(threading.Thread):
    """A thread that runs the tasks of a run, or of a repair, and writes each step to the store."""

    def __init__(
        self,
        workspace: Workspace,
        slots: Slots,
        document: RunDocument,
        keys: Collection[str],
        earlier: Mapping[str, Outcome],
        folder: Path,
    ) -> None:
        """Prepares the run; `start()` starts it.

        Args:
            workspace: The workspace.
            slots: Shared by all runs.
            document: The run; its `attempts` grow.
            keys: Keys of the tasks to run.
            earlier: For a repair, the earlier ends of the other tasks, by key.
            folder: Parent of the folders of the attempts, which are named by their run ids.
        """
        super().__init__(name=f"run {document['run_id']}", daemon=True)
        self._workspace, self._slots, self._folder = workspace, slots, folder
        self.document = document
        self.continuous = "continuous" in document["settings"]
        self.saved = True
        self.stopped_by: Outcome | None = None
        self._tasks = {task["task_key"]: task for task in document["settings"]["tasks"]}
        self._outcomes = dict(earlier)
        self._running: dict[str, tasks.Stoppable | None] = {}
        self._attempts = {key: self._attempt(key, 0) for key in self._tasks if key in keys}

    def save(self) -> None:
        """Writes the run as it is; `saved` says whether that worked.

        Raises:
            sqlite3.Error: The store failed.
        """
        self.saved = False
        self._workspace.store.put(RUNS, str(self.document["run_id"]), self.document)
        self.saved = True

    def _save_step(self) -> None:
        """Writes a step; a failure is logged, as the next step writes all again, and `JobRuns` the last one."""
        try:
            self.save()
        except sqlite3.Error:
            _LOG.exception("a step of run %s could not be written", self.document["run_id"])

    def stop(self, outcome: Outcome) -> None:
        """Stops all tasks and ends the run with this outcome, unless it has ended. Returns at once."""
        with self._slots.changed:
            if self.stopped_by is not None or not is_active(self.document):
                return
            self.stopped_by = outcome
            set_active(self.document, "TERMINATING")
            self._save_step()
            running = list(self._running.values())
            self._slots.changed.notify_all()
        for program in running:
            if program is not None:
                threading.Thread(target=program.stop, daemon=True).start()

    def run(self) -> None:
        """Runs the tasks and ends the run; the body of the thread."""
        limit = self.document["settings"]["timeout_seconds"]
        late = Outcome("TIMEDOUT", "RUN_EXECUTION_ERROR", f"The run took longer than {limit} seconds.")
        timer = threading.Timer(limit, self.stop, [late]) if limit else None
        with self._slots.changed:
            set_active(self.document, "RUNNING")
            self._save_step()
        if timer:
            timer.start()
        self._run_tasks()
        if timer:
            timer.cancel()
        needed = {item["task_key"] for task in self._tasks.values() for item in task.get("depends_on", [])}
        with self._slots.changed:
            outcome = self.stopped_by or run_outcome(self._outcomes, self._tasks.keys() - needed)
            end = now_ms()
            set_ended(self.document, outcome, end, whole_run=True)
            self.document["run_duration"] = end - self.document["start_time"]
            if self.document["repair_history"]:
                set_ended(self.document["repair_history"][-1], outcome, end, whole_run=True)
            self._save_step()

    def _run_tasks(self) -> None:
        """Starts each task as soon as the tasks before it have ended, and waits for all."""
        waiting = set(self._attempts)
        with self._slots.changed:
            while waiting or self._running:
                skipped_any = False  # a skipped task may decide about tasks that come earlier in the alphabet
                for key in sorted(waiting):
                    task = self._tasks[key]
                    needs = [item["task_key"] for item in task.get("depends_on", [])]
                    if self.stopped_by is None and not all(need in self._outcomes for need in needs):
                        continue
                    waiting.discard(key)
                    skipped = self._stop_outcome() or upstream(
                        task["run_if"], [self._outcomes[n].result for n in needs]
                    )
                    if skipped is None:
                        self._running[key] = None
                        threading.Thread(target=self._run_task, args=[key], name=f"task {key}", daemon=True).start()
                    else:
                        self._end(key, skipped)
                        skipped_any = True
                if not skipped_any and (waiting or self._running):
                    self._slots.changed.wait()

    def _stop_outcome(self) -> Outcome | None:
        """The end of a task that had not ended when the run was stopped; None while the run is not stopped."""
        if self.stopped_by is None:
            return None
        return self.stopped_by if self.stopped_by.lost else CANCELED

    def _run_task(self, key: str) -> None:
        try:
            outcome = self._run_attempts(key)
        except Exception as error:  # noqa: BLE001 (a fault of the workspace must end the run, not leave it hanging)
            outcome = _fault(error)
        with self._slots.changed:
            del self._running[key]
            self._end(key, outcome)
            self._slots.changed.notify_all()

    def _run_attempts(self, key: str) -> Outcome:
        """Runs a task until it needs no further attempt; returns the end of the last one."""
        task = self._tasks[key]
        on_failure = self.document["settings"].get("continuous", {}).get("task_retry_mode") == "ON_FAILURE"
        retries = TASK_RETRIES if on_failure else task.get("max_retries", 0)
        while True:
            outcome = self._run_attempt(key)
            attempt = self._attempts[key]
            retried = outcome.result == "FAILED" or (outcome.result == "TIMEDOUT" and task.get("retry_on_timeout"))
            last = retries != -1 and attempt["attempt_number"] >= retries
            with self._slots.changed:
                if not retried or last or self.stopped_by is not None:
                    return outcome
                self._end(key, outcome, final=False)
                self._attempts[key] = self._attempt(key, attempt["attempt_number"] + 1)
                set_active(self._attempts[key], "WAITING_FOR_RETRY")
                self._save_step()
                pause = task.get("min_retry_interval_millis", 0) / 1000
                if on_failure:
                    pause = pause_seconds(attempt["attempt_number"] + 1)
                self._slots.changed.wait_for(lambda: self.stopped_by is not None, pause)

    def _run_attempt(self, key: str) -> Outcome:
        attempt = self._attempts[key]
        if not self._slots.take(self):
            return self._stop_outcome() or CANCELED
        try:
            kinds = parameters.of_task(self.document, attempt, self._tasks[key])
            attempt["resolved_values"] = {kind: _shown(resolved) for kind, resolved in kinds.items()}
            with self._slots.changed:
                set_active(attempt, "RUNNING")
                attempt["start_time"] = now_ms()
                self._save_step()
            folder = self._folder / str(attempt["run_id"])
            outcome = tasks.run(
                self._workspace,
                self.document,
                self._tasks[key] | kinds,
                folder,
                lambda program: self._register(key, program),
            )
        except Exception as error:  # noqa: BLE001 (as above; it may be tried again)
            outcome = _fault(error)
        finally:
            self._slots.give_back(self)
        with self._slots.changed:
            self._running[key] = None
        return self._stop_outcome() or outcome

    def _register(self, key: str, program: tasks.Stoppable) -> None:
        with self._slots.changed:
            self._running[key] = program
            stopped = self.stopped_by is not None
        if stopped:
            program.stop()

    def _attempt(self, key: str, number: int) -> AttemptDocument:
        """Adds the next attempt of a task to the run."""
        run_id = self._workspace.store.next_id(RUNS)
        attempt: AttemptDocument = {
            "task_key": key,
            "run_id": run_id,
            "attempt_number": number,
            "start_time": now_ms(),
            "state": {},
            "status": {},
        }
        set_active(attempt, "BLOCKED" if self._tasks[key].get("depends_on") else "PENDING")
        self._workspace.store.put(TASK_RUNS, str(run_id), TaskRunDocument(run_id=self.document["run_id"]))
        self.document["attempts"].append(attempt)
        if self.document["repair_history"]:
            self.document["repair_history"][-1]["task_run_ids"].append(run_id)
        return attempt

    def _end(self, key: str, outcome: Outcome, *, final: bool = True) -> None:
        attempt, end = self._attempts[key], now_ms()
        set_ended(attempt, outcome, end)
        attempt["execution_duration"] = end - attempt["start_time"]
        if final:
            self._outcomes[key] = outcome
        self._save_step()


def _fault(error: Exception) -> Outcome:
    message = f"The workspace failed to run the task: {type(error).__name__}: {error}"
    return Outcome("FAILED", "INTERNAL_ERROR", message, lost=True)


def _shown(task: Document) -> Document:
    return {name: task[name] for name in ("named_parameters", "parameters") if name in task}
