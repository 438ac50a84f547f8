"""One active run of a job: a thread that carries its task graph to the end."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from . import settings, tasks
from .states import CANCELED, Outcome, active, ended, is_active, upstream, whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

_LOG = logging.getLogger(__name__)


def now_ms() -> int:
    return int(time.time() * 1000)


class Slots:
    """How many tasks may run at once in the whole workspace; also the lock and the bell of all that concerns runs."""

    def __init__(self, count: int) -> None:
        self.changed = threading.Condition()
        self._free = count

    def take(self, run: JobRun) -> bool:
        """Waits for a free slot; false if the run was stopped before."""
        with self.changed:
            self.changed.wait_for(lambda: self._free > 0 or run.stopped_by is not None)
            if run.stopped_by is not None:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        with self.changed:
            self._free += 1
            self.changed.notify_all()


class JobRun(threading.Thread):
    """Carries a run, or the repair of one, to its end, and writes each step to the store."""

    def __init__(
        self,
        here: Workspace,
        slots: Slots,
        document: Document,
        keys: Collection[str],
        earlier: Mapping[str, Outcome],
        folder: Path,
    ) -> None:
        """Prepares it; `start()` starts it.

        Args:
            here: The workspace.
            slots: Shared by all runs.
            document: The run, whose `attempts` this appends to.
            keys: Keys of the tasks to run.
            earlier: How the other tasks ended before, for a repair.
            folder: Each attempt gets a folder of its run id in it.
        """
        super().__init__(name=f"run {document['run_id']}", daemon=True)
        self._here, self._slots, self._folder = here, slots, folder
        self.document = document
        self.saved = True
        self.stopped_by: Outcome | None = None
        self._tasks = {task["task_key"]: task for task in document["settings"]["tasks"]}
        self._outcomes = dict(earlier)
        self._running: dict[str, tasks.Stoppable | None] = {}
        self._attempts = {key: self._attempt(key, 0) for key in self._tasks if key in keys}

    def save(self) -> None:
        """Writes the run as it is.

        Raises:
            sqlite3.Error: It cannot be written now; `saved` tells it as well.
        """
        self.saved = False
        self._here.store.put("runs", str(self.document["run_id"]), self.document)
        self.saved = True

    def _note(self) -> None:
        """Writes a step. One that cannot be written stops nothing: the next makes it good, and `JobRuns` the last."""
        try:
            self.save()
        except sqlite3.Error:
            _LOG.exception("a step of run %s could not be written", self.document["run_id"])

    def stop(self, outcome: Outcome) -> None:
        """Stops everything; the run ends as told, unless it has ended already. Returns at once."""
        with self._slots.changed:
            if self.stopped_by is not None or not is_active(self.document):
                return
            self.stopped_by = outcome
            self.document |= active("TERMINATING")
            self._note()
            running = list(self._running.values())
            self._slots.changed.notify_all()
        for work in running:
            if work is not None:
                threading.Thread(target=work.stop, daemon=True).start()

    def run(self) -> None:
        limit = self.document["settings"]["timeout_seconds"]
        late = Outcome("TIMEDOUT", "RUN_EXECUTION_ERROR", f"The run took longer than {limit} seconds.")
        timer = threading.Timer(limit, self.stop, [late]) if limit else None
        with self._slots.changed:
            self.document |= active("RUNNING")
            self._note()
        if timer:
            timer.start()
        self._carry()
        if timer:
            timer.cancel()
        needed = {item["task_key"] for task in self._tasks.values() for item in task.get("depends_on", [])}
        with self._slots.changed:
            outcome = self.stopped_by or whole(self._outcomes, self._tasks.keys() - needed)
            end = now_ms()
            self.document |= ended(outcome, whole_run=True) | {"end_time": end}
            self.document["run_duration"] = end - self.document["start_time"]
            if self.document["repair_history"]:
                repair = self.document["repair_history"][-1]
                repair |= ended(outcome, whole_run=True) | {"end_time": end}
            self._note()

    def _carry(self) -> None:
        waiting = set(self._attempts)
        with self._slots.changed:
            while waiting or self._running:
                skipped_any = False  # what was skipped may settle tasks that stand before it in the alphabet
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
        """What a task becomes that had not ended when the run was stopped."""
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
        """Runs a task until it needs no further attempt; returns how the last one ended."""
        task = self._tasks[key]
        retries = task.get("max_retries", 0)
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
                self._attempts[key] |= active("WAITING_FOR_RETRY")
                self._note()
                pause = task.get("min_retry_interval_millis", 0) / 1000
                self._slots.changed.wait_for(lambda: self.stopped_by is not None, pause)

    def _run_attempt(self, key: str) -> Outcome:
        attempt = self._attempts[key]
        if not self._slots.take(self):
            return self._stop_outcome() or CANCELED
        try:
            known = settings.values(self.document, attempt)
            task = {**self._tasks[key]}
            for kind in settings.TASK_KINDS:
                if kind in task:
                    task[kind] = settings.resolved(task[kind], known)
                    attempt["resolved_values"] = {kind: _shown(task[kind])}
            with self._slots.changed:
                attempt |= active("RUNNING") | {"start_time": now_ms()}
                self._note()
            folder = self._folder / str(attempt["run_id"])
            outcome = tasks.run(self._here, self.document, task, folder, lambda work: self._register(key, work))
        except Exception as error:  # noqa: BLE001 (as above; it may be tried again)
            outcome = _fault(error)
        finally:
            self._slots.give_back()
        with self._slots.changed:
            self._running[key] = None
        return self._stop_outcome() or outcome

    def _register(self, key: str, work: tasks.Stoppable) -> None:
        with self._slots.changed:
            self._running[key] = work
            stopped = self.stopped_by is not None
        if stopped:
            work.stop()

    def _attempt(self, key: str, number: int) -> Document:
        run_id = self._here.store.next_id("runs")
        blocked = bool(self._tasks[key].get("depends_on"))
        attempt: Document = {
            "task_key": key,
            "run_id": run_id,
            "attempt_number": number,
            "start_time": now_ms(),
            **active("BLOCKED" if blocked else "PENDING"),
        }
        self._here.store.put("task_runs", str(run_id), {"run_id": self.document["run_id"]})
        self.document["attempts"].append(attempt)
        if self.document["repair_history"]:
            self.document["repair_history"][-1]["task_run_ids"].append(run_id)
        return attempt

    def _end(self, key: str, outcome: Outcome, *, final: bool = True) -> None:
        attempt, end = self._attempts[key], now_ms()
        attempt |= ended(outcome) | {"end_time": end, "execution_duration": end - attempt["start_time"]}
        if final:
            self._outcomes[key] = outcome
        self._note()


def _fault(error: Exception) -> Outcome:
    message = f"The workspace failed to run the task: {type(error).__name__}: {error}"
    return Outcome("FAILED", "INTERNAL_ERROR", message, lost=True)


def _shown(task: Document) -> Document:
    return {name: task[name] for name in ("named_parameters", "parameters") if name in task}
