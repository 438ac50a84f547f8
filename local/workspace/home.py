"""The home page: runs, pipelines, endpoints, dashboards, alerts and tables of the workspace."""

import html
import math
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import HTMLResponse

from local.workspace.alerts.documents import ALERTS, NOTIFICATIONS
from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError
from local.workspace.core.web_pages import Markup, document, note, pages_router, row, section
from local.workspace.dashboards.documents import DASHBOARDS
from local.workspace.jobs.documents import RUNS, Stateful
from local.workspace.pipelines.documents import PIPELINES, UPDATES
from local.workspace.serving.documents import ENDPOINTS
from local.workspace.unity_catalog import namespaces
from local.workspace.unity_catalog.documents import SCHEMAS

RUNS_SHOWN = 10
FAILED = ("FAILED", "TIMEDOUT", "INTERNAL_ERROR")

pages = pages_router()


@pages.get("/", response_class=HTMLResponse)
def home(workspace: WorkspaceDep, count: str = "") -> str:
    """Returns the page; `count` is the full name of a table whose rows are counted."""
    sections = [
        section("Job runs", ["Run", "State", "Started", "Duration"], _runs(workspace), "No job has run yet."),
        section("Pipelines", ["Pipeline", "State", "Runs", "Update"], _pipelines(workspace), "No pipeline yet."),
        section("Model endpoints", ["Endpoint", "Served", "State"], _endpoints(workspace), "No endpoint yet."),
        section("Dashboards", ["Dashboard", "Path", "Changed"], _dashboards(workspace), "No dashboard yet."),
        section("Alerts", ["Alert", "State", "Evaluated", "Notified"], _alerts(workspace), "No alert yet."),
        _tables(workspace, count),
    ]
    url = html.escape(workspace.settings.workspace_url)
    header = f'<span class="quiet">local workspace, {url}</span><a href="/mlflow/">MLflow: runs</a>'
    return document("Churn platform", header, sections)


def _runs(workspace: Workspace) -> list[str]:
    rows = []
    for _, run in reversed(workspace.store.items(RUNS)[-RUNS_SHOWN:]):
        rows.append(row(run["run_name"], _state(run), _moment(run["start_time"]), _duration(run)))
        latest = {attempt["task_key"]: attempt for attempt in run["attempts"]}
        if not any(map(_failed, latest.values())):  # else the task's reason, below, is the run's
            rows += _reason(run)
        for key, task in sorted(latest.items(), key=lambda item: item[1]["start_time"] or math.inf):
            rows.append(row(key, _state(task), _moment(task["start_time"]), _duration(task), first="task quiet"))
            rows += _reason(task)
    return rows


def _shown_state(document: Stateful) -> str:
    state = document["state"]
    return str(state.get("result_state") or state["life_cycle_state"])


def _failed(document: Stateful) -> bool:
    return _shown_state(document) in FAILED


def _reason(document: Stateful) -> list[str]:
    """A line that says why a run or a task failed; none where it did not, or no reason is kept."""
    message = document["state"].get("state_message")
    return [note(message, 4)] if message and _failed(document) else []


def _state(document: Stateful) -> Markup:
    state, shown = document["state"], _shown_state(document)
    kind = "good" if shown == "SUCCESS" else "bad" if shown in FAILED else "quiet"
    message = html.escape(str(state.get("state_message", "")), quote=True)
    return Markup(f'<span class="{kind}" title="{message}">{html.escape(shown.lower().replace("_", " "))}</span>')


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(document: Stateful) -> str:
    if not document.get("end_time"):
        return "runs"
    seconds = (document["end_time"] - document["start_time"]) / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _pipelines(workspace: Workspace) -> list[str]:
    rows = []
    for key, pipeline in workspace.store.items(PIPELINES):
        updates = [update for _, update in workspace.store.items(UPDATES, f"{key}/")]
        newest = max(updates, key=lambda update: update["creation_time"], default=None)
        state = newest["state"] if newest else "NEVER RUN"
        kind = "bad" if state == "FAILED" else "good" if state in ("COMPLETED", "RUNNING") else "quiet"
        shown = Markup(f'<span class="{kind}">{html.escape(state.lower())}</span>')
        runs = "day and night" if pipeline["spec"].get("continuous") else "when it is started"
        rows.append(row(pipeline["name"], shown, runs, _moment(newest["creation_time"]) if newest else ""))
    return rows


def _endpoints(workspace: Workspace) -> list[str]:
    rows = []
    for _, endpoint in workspace.store.items(ENDPOINTS):
        config: dict[str, Any] = endpoint.get("config") or endpoint.get("pending_config") or {}
        served = [
            f"{item['entity_name']} version {item['entity_version']}" for item in config.get("served_entities", [])
        ]
        update = endpoint["state"].get("config_update", "")
        state = "serves" if update == "NOT_UPDATING" else update.lower().replace("_", " ")
        rows.append(row(endpoint["name"], ", ".join(served), state))
    return rows


def _dashboards(workspace: Workspace) -> list[str]:
    return [
        row(
            Markup(f'<a href="/dashboardsv3/{key}/published">{html.escape(dashboard["display_name"])}</a>'),
            dashboard["path"],
            dashboard["update_time"],
        )
        for key, dashboard in workspace.store.items(DASHBOARDS)
        if dashboard["lifecycle_state"] == "ACTIVE"
    ]


def _alerts(workspace: Workspace) -> list[str]:
    rows = []
    for key, alert in workspace.store.items(ALERTS):
        if alert["lifecycle_state"] == "ACTIVE":
            evaluation, last = alert["evaluation"], workspace.store.get(NOTIFICATIONS, key)
            state = str(evaluation.get("state", "UNKNOWN"))
            kind = "good" if state == "OK" else "bad" if state in ("TRIGGERED", "ERROR") else "quiet"
            shown = Markup(f'<span class="{kind}">{html.escape(state.lower())}</span>')
            notified = f"{last['time']}: {', '.join(last['recipients']) or 'nobody'}" if last else ""
            rows.append(row(alert["display_name"], shown, evaluation.get("last_evaluated_at", ""), notified))
            rows += [note(last["message"], 4)] if last and state == "TRIGGERED" else []
    return rows


def _tables(workspace: Workspace, count: str) -> str:
    rows = []
    try:
        for schema, _ in workspace.store.items(SCHEMAS):
            for name in namespaces.tables(workspace, schema):
                full_name = f"{schema}.{name}"
                link = f'<a href="/?count={html.escape(full_name, quote=True)}#tables">count</a>'
                table = namespaces.table(workspace, full_name) if full_name == count else None
                rows.append(row(full_name, Markup(link) if table is None else f"{table.count():,}"))
    except ApiError as error:
        return section('<span id="tables">Tables</span>', [], [], html.escape(error.message))
    return section('<span id="tables">Tables</span>', ["Table", "Rows"], rows, "No table yet.")
