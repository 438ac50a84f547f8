"""The home page, and access to pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pyspark.sql.connect.session import SparkSession

from local.workspace.core.store import DocumentKind, Store

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace


@pytest.mark.shows("dashboards: the workspace's page with its runs", client="httpx")
def test_the_page_shows_runs_with_their_tasks_and_names_absent_services(workspace: LocalWorkspace) -> None:
    task = {
        "task_key": "train <model>",
        "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": 'no "rows"'},
        "start_time": 1_700_000_000_000,
        "end_time": 1_700_000_075_000,
    }
    run = task | {"run_name": "churn_daily", "attempts": [task]}
    store = Store(workspace.settings.home / "workspace.sqlite")
    store.put("runs", "1", run)
    store.put("uc_schema", "home.gold", {"full_name": "home.gold"})
    page = httpx.get(workspace.settings.workspace_url, timeout=60)
    store.delete("runs", "1")
    store.delete("uc_schema", "home.gold")
    store.close()
    assert page.status_code == 200
    for part in ("churn_daily", "train &lt;model&gt;", "1 min 15 s", "2023-11-14 22:13:20 UTC", "Spark Connect at"):
        assert part in page.text
    assert 'class="bad" title="no &quot;rows&quot;">failed' in page.text


def test_a_failed_task_shows_its_reason_and_a_failed_run_its_own(workspace: LocalWorkspace) -> None:
    def ended(result: str, message: str) -> dict[str, Any]:
        state = {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message}
        return {"task_key": "train", "state": state, "start_time": 1_700_000_000_000, "end_time": 1_700_000_075_000}

    runs = {
        "1": ended("FAILED", "Task train failed.") | {"run_name": "a", "attempts": [ended("FAILED", "no <rows>")]},
        "2": ended("TIMEDOUT", "over time") | {"run_name": "b", "attempts": [ended("SUCCESS", "well")]},
    }
    store = Store(workspace.settings.home / "workspace.sqlite")
    for key, run in runs.items():
        store.put("runs", key, run)
    page = httpx.get(workspace.settings.workspace_url, timeout=60).text
    for key in runs:
        store.delete("runs", key)
    store.close()
    notes = re.findall(r'<td class="note bad" colspan="4">(.*?)</td>', page)  # runs of other tests have theirs too
    expected = ["over time", "no &lt;rows&gt;"]
    assert [note for note in notes if note in (*expected, "Task train failed.", "well")] == expected


def test_pages_are_not_for_another_host_s_name(workspace: LocalWorkspace) -> None:
    for path in ("/", "/mlflow/"):
        answer = httpx.get(workspace.settings.workspace_url + path, headers={"Host": "evil.example"}, timeout=60)
        assert answer.status_code == 403


def test_rows_are_counted_on_demand(lakehouse: LocalWorkspace) -> None:
    client = lakehouse.client()
    lakehouse.catalog("home")
    client.schemas.create("gold", "home")
    session = SparkSession.builder.remote(lakehouse.settings.spark_remote).create()
    session.sql("CREATE TABLE home.gold.many AS SELECT * FROM range(1234)")
    session.client.close()
    url = lakehouse.settings.workspace_url
    assert "/?count=home.gold.many#tables" in httpx.get(url, timeout=60).text
    assert "1,234" in httpx.get(url, params={"count": "home.gold.many"}, timeout=60).text
    client.catalogs.delete("home", force=True)


def test_the_page_shows_pipelines_and_alerts(workspace: LocalWorkspace) -> None:
    pipeline = {"name": "churn-stream", "spec": {"continuous": True}}
    updates = [
        {"state": state, "creation_time": moment}
        for state, moment in (("FAILED", 1_700_000_000_000), ("RUNNING", 1_700_000_060_000))
    ]
    alert = {"display_name": "late", "lifecycle_state": "ACTIVE", "evaluation": {"state": "TRIGGERED"}}
    notified = {
        "time": "2026-01-31T05:00:00.000Z",
        "state": "TRIGGERED",
        "message": "lag is <9>",
        "recipients": ["on@call"],
    }
    store = Store(workspace.settings.home / "workspace.sqlite")
    documents: dict[tuple[str, str], dict[str, Any]] = {
        ("pipelines", "p"): pipeline,
        ("pipeline_updates", "p/1"): updates[0],
        ("pipeline_updates", "p/2"): updates[1],
        ("alerts", "a"): alert,
        ("alert_notifications", "a"): notified,
    }
    for (kind, key), document in documents.items():
        store.put(DocumentKind(kind), key, document)
    page = httpx.get(workspace.settings.workspace_url, timeout=60).text
    for kind, key in documents:
        store.delete(DocumentKind(kind), key)
    store.close()
    for part in (
        "churn-stream",
        '<span class="good">running</span>',
        "day and night",
        "2023-11-14 22:14:20 UTC",
        '<span class="bad">triggered</span>',
        "2026-01-31T05:00:00.000Z: on@call",
        "lag is &lt;9&gt;",
    ):
        assert part in page
