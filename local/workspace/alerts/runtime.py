"""Evaluations of alerts: each runs its query on a warehouse when its schedule is due, and notifies.

Nothing here sends mail: a notification is kept, and shown on the home page and in the log.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.workspace.alerts.conditions import WrongColumnError, state_of
from local.workspace.alerts.documents import ALERTS, NOTIFICATIONS
from local.workspace.core.clock import timestamp
from local.workspace.core.errors import ApiError, bad_request
from local.workspace.jobs.quartz import Schedule
from local.workspace.sql.runtime import Statements

if TYPE_CHECKING:
    from local.workspace.alerts.documents import AlertDocument, NotificationDocument, State
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

_LOG = logging.getLogger(__name__)
TICK_SECONDS = 0.5


def schedule_of(written: Document) -> Schedule | None:
    """Reads a schedule; None where it is paused.

    Raises:
        ApiError: The expression or its time zone is wrong.
    """
    try:
        schedule = Schedule.parse(written["quartz_cron_schedule"], written["timezone_id"])
    except ValueError as error:
        raise bad_request(f"schedule: {error}") from error
    return None if written.get("pause_status") == "PAUSED" else schedule


class Evaluations:
    """The scheduler of one workspace's alerts."""

    def __init__(self, workspace: Workspace) -> None:
        """Starts the scheduler."""
        self._workspace = workspace
        self._closing = threading.Event()
        self._running: dict[str, threading.Thread] = {}
        self._scheduler = threading.Thread(target=self._schedule, name="alert scheduler", daemon=True)
        self._scheduler.start()

    def close(self) -> None:
        """Stops the scheduler; evaluations that run end with their statements."""
        self._closing.set()
        self._scheduler.join()

    def _schedule(self) -> None:
        before = datetime.now(UTC)
        while not self._closing.wait(TICK_SECONDS):
            now = datetime.now(UTC)
            for key, alert in self._workspace.store.items(ALERTS):
                schedule = schedule_of(alert["schedule"]) if alert["lifecycle_state"] == "ACTIVE" else None
                due = schedule.after(before) if schedule else None
                if due is not None and due <= now:
                    self._begin(key)
            before = now

    def _begin(self, key: str) -> None:
        """Evaluates an alert in a thread of its own, unless an earlier evaluation of it still runs."""
        earlier = self._running.get(key)
        if earlier is None or not earlier.is_alive():
            thread = threading.Thread(target=self._evaluate, args=[key], name=f"alert {key}", daemon=True)
            self._running[key] = thread
            thread.start()

    def _evaluate(self, key: str) -> None:
        alert = self._workspace.store.get(ALERTS, key)
        if alert is None:
            return
        state, said = self._judged(alert)
        with self._workspace.store.transaction():
            present = self._workspace.store.get(ALERTS, key)
            if present is None or present["lifecycle_state"] != "ACTIVE" or self._closing.is_set():
                return
            before: State = present["evaluation"].get("state", "UNKNOWN")
            present["evaluation"] |= {"state": state, "last_evaluated_at": timestamp()}
            self._workspace.store.put(ALERTS, key, present)
            if self._notifies(present, before, state):
                self._notify(present, state, said)

    def _judged(self, alert: AlertDocument) -> tuple[State, str]:
        """Runs the query, and judges its result."""
        request = {"statement": alert["query_text"], "parameters": alert.get("parameters", [])}
        run_as = alert["effective_run_as"]
        try:
            caller = self._workspace.principal(run_as.get("user_name") or run_as["service_principal_name"])
        except ApiError as error:
            return "ERROR", error.message
        statement = self._workspace.service(Statements).execute(self._workspace, caller, request)
        statement.ended.wait()
        answer = statement.answer()
        if "result" not in answer:
            return "ERROR", str(answer["status"].get("error", {}).get("message", answer["status"]["state"]))
        columns = [column["name"] for column in answer["manifest"]["schema"]["columns"]]
        try:
            return state_of(alert["evaluation"], columns, answer["result"].get("data_array", []))
        except WrongColumnError as error:
            return "ERROR", str(error)

    def _notifies(self, alert: AlertDocument, before: State, state: State) -> bool:
        """Whether people are notified: of a change, and of one that lasts as often as the alert says."""
        notification = alert["evaluation"].get("notification", {})
        if state == "OK":
            return before == "TRIGGERED" and bool(notification.get("notify_on_ok"))
        if state != "TRIGGERED":
            return False
        last = self._workspace.store.get(NOTIFICATIONS, alert["id"])
        seconds = notification.get("retrigger_seconds", 0)
        if before != "TRIGGERED" or last is None:
            return True
        age = datetime.now(UTC) - datetime.fromisoformat(last["time"])
        return bool(seconds) and age.total_seconds() >= seconds

    def _notify(self, alert: AlertDocument, state: State, said: str) -> None:
        subscriptions = alert["evaluation"].get("notification", {}).get("subscriptions", [])
        document: NotificationDocument = {
            "time": timestamp(),
            "state": state,
            "message": said,
            "recipients": [subscription["user_email"] for subscription in subscriptions],
        }
        self._workspace.store.put(NOTIFICATIONS, alert["id"], document)
        _LOG.warning("alert %s is %s (%s): %s", alert["display_name"], state, document["recipients"], said)
