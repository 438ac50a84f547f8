"""The pages: home, and dashboards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
from databricks.sdk.service.dashboards import Dashboard
from pyspark.sql.connect.session import SparkSession

from local.workspace.store import Store

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace


def test_the_page_shows_runs_with_their_tasks_and_says_what_does_not_answer(workspace: LocalWorkspace) -> None:
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
    page = httpx.get(workspace.settings.workspace_url)
    store.delete("runs", "1")
    store.delete("uc_schema", "home.gold")
    store.close()
    assert page.status_code == 200
    for part in ("churn_daily", "train &lt;model&gt;", "1 min 15 s", "2023-11-14 22:13:20 UTC", "Spark Connect at"):
        assert part in page.text
    assert 'class="bad" title="no &quot;rows&quot;">failed' in page.text


def test_pages_are_not_for_another_host_s_name(workspace: LocalWorkspace) -> None:
    for path in ("/", "/mlflow/"):
        answer = httpx.get(workspace.settings.workspace_url + path, headers={"Host": "evil.example"})
        assert answer.status_code == 403


def test_rows_are_counted_on_demand(lakehouse: LocalWorkspace) -> None:
    client = lakehouse.client()
    client.catalogs.create("home")
    client.schemas.create("gold", "home")
    session = SparkSession.builder.remote(lakehouse.settings.spark_remote).create()
    session.sql("CREATE TABLE home.gold.many AS SELECT * FROM range(1234)")
    session.client.close()
    url = lakehouse.settings.workspace_url
    assert "/?count=home.gold.many#tables" in httpx.get(url, timeout=60).text
    assert "1,234" in httpx.get(url, params={"count": "home.gold.many"}, timeout=60).text
    client.catalogs.delete("home", force=True)


def test_a_dashboard_shows_the_rows_of_its_datasets(lakehouse: LocalWorkspace) -> None:
    datasets = [
        {"name": "good", "displayName": "Good & right", "queryLines": ["SELECT 'a<b' AS text, ", "41 + 1 AS answer"]},
        {"name": "bad", "displayName": "Broken", "queryLines": ["SELECT * FROM missing"]},
    ]
    dashboard = Dashboard(
        display_name="Shown",
        parent_path="/Shared",
        serialized_dashboard=json.dumps({"datasets": datasets, "pages": []}),
    )
    made = lakehouse.client().lakeview.create(dashboard)
    url = f"{lakehouse.settings.workspace_url}/dashboardsv3/{made.dashboard_id}/published"
    page = httpx.get(url, timeout=60).text
    assert "Good &amp; right" in page
    assert "a&lt;b" in page
    assert "42" in page
    assert "TABLE_OR_VIEW_NOT_FOUND" in page
    assert f"/dashboardsv3/{made.dashboard_id}/published" in lakehouse.http().get("/").text


def test_a_dashboard_that_is_not_there_is_a_404(workspace: LocalWorkspace) -> None:
    assert httpx.get(f"{workspace.settings.workspace_url}/dashboardsv3/nothing/published").status_code == 404
