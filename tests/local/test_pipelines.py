"""Pipelines through the official SDK: real updates on the real Spark server."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict
from databricks.sdk.service import jobs, pipelines

from tests.inventory import inventory
from tests.local import wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

FOLDER = "/Workspace/Shared/pipelines"
SOURCE = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F
from rules import LIMIT

UPTO = int(spark.conf.get("test.upto"))
print("read", UPTO)

@dp.materialized_view
@dp.expect("small", f"id < {LIMIT}")
@dp.expect_or_drop("even", "id % 2 = 0")
def numbers():
    return spark.range(UPTO)

@dp.materialized_view
def total():
    return spark.read.table("numbers").agg(F.sum("id").alias("total"))
"""
STRICT = """
from pyspark import pipelines as dp

@dp.materialized_view
@dp.expect_or_fail("tiny", "id < 3")
def strict():
    return spark.range(10)
"""
SLOW = """
from pyspark import pipelines as dp

@dp.materialized_view
def slow():
    return spark.sql("SELECT count(*) AS n FROM range(20000000000) a WHERE pmod(hash(a.id), 3) = 5")
"""
WAITING = "import time\n\nprint('waiting', flush=True)\ntime.sleep(600)\n"
GIVES_UP = "import sys\n\nsys.exit('no drops for 2026-01-31')\n"
MINUTES = timedelta(minutes=3)


@pytest.fixture(scope="module")
def cloud(lakehouse: LocalWorkspace) -> Iterator[LocalWorkspace]:
    client = lakehouse.client()
    before = inventory(client)
    files = lakehouse.settings.workspace_files / "Shared" / "pipelines"
    wheel.build(files / "rules-1.0-py3-none-any.whl", "rules", "LIMIT = 6\n", {})
    texts = {"numbers": SOURCE, "strict": STRICT, "slow": SLOW, "waiting": WAITING, "gives-up": GIVES_UP}
    for name, text in texts.items():
        (files / f"{name}.py").write_text(text)
    lakehouse.catalog("flows")
    client.schemas.create("bronze", "flows")
    yield lakehouse
    client.catalogs.delete("flows", force=True)
    for warehouse in client.warehouses.list():
        if warehouse.name == "flows":
            client.warehouses.delete(warehouse.id)
    shutil.rmtree(files)
    assert inventory(client) == before


def create(client: WorkspaceClient, name: str, **more: Any) -> str:
    created = client.pipelines.create(
        name=name,
        catalog="flows",
        schema="bronze",
        serverless=True,
        libraries=[pipelines.PipelineLibrary(file=pipelines.FileLibrary(path=f"{FOLDER}/{name}.py"))],
        configuration={
            "test.upto": "10",
            "pipelines.numUpdateRetryAttempts": "0",
            "pipelines.maxFlowRetryAttempts": "0",
        },
        environment=pipelines.PipelinesEnvironment(dependencies=[f"{FOLDER}/rules-1.0-py3-none-any.whl"]),
        **more,
    )
    assert created.pipeline_id
    return created.pipeline_id


def update(client: WorkspaceClient, pipeline_id: str, **options: Any) -> pipelines.UpdateInfo:
    started = client.pipelines.start_update(pipeline_id, **options)
    client.pipelines.wait_get_pipeline_idle(pipeline_id, MINUTES)
    return client.pipelines.get_update(pipeline_id, started.update_id).update


def query(cloud: LocalWorkspace, statement: str) -> list[list[str]]:
    client = cloud.client()
    found = [item for item in client.warehouses.list() if item.name == "flows"]
    warehouse = (
        found[0]
        if found
        else client.warehouses.create(name="flows", cluster_size="2X-Small", max_num_clusters=1, auto_stop_mins=10)
    )
    answer = client.statement_execution.execute_statement(statement, warehouse.id, wait_timeout="50s")
    assert answer.status.error is None, answer.status.error
    return answer.result.data_array or []


@pytest.mark.shows(
    "pipelines: updates, full refresh, latest updates, deletion with the tables", client="databricks-sdk"
)
@pytest.mark.shows("pipelines: counts of expectations in the event log", client="httpx")
def test_an_update_fills_tables_and_counts_expectations(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "numbers")
    done = update(client, pipeline_id)
    assert done.state is pipelines.UpdateInfoState.COMPLETED, list(client.pipelines.list_pipeline_events(pipeline_id))
    assert query(cloud, "SELECT total FROM flows.bronze.total") == [["20"]]

    answer = cloud.http().get(f"/api/2.0/pipelines/{pipeline_id}/events", params={"filter": "level = 'METRICS'"})
    progress = [event["details"]["flow_progress"] for event in answer.json()["events"] if "numbers" in event["message"]]
    assert progress[0]["metrics"] == {"num_output_rows": 5}
    quality = progress[0]["data_quality"]
    assert quality["dropped_records"] == 5
    counts = {item["name"]: (item["passed_records"], item["failed_records"]) for item in quality["expectations"]}
    assert counts == {"small": (6, 4), "even": (5, 5)}
    types = {event.event_type for event in client.pipelines.list_pipeline_events(pipeline_id)}
    assert {"update_progress", "flow_progress"} <= types

    client.pipelines.update(
        pipeline_id,
        name="numbers",
        catalog="flows",
        schema="bronze",
        libraries=client.pipelines.get(pipeline_id).spec.libraries,
        environment=client.pipelines.get(pipeline_id).spec.environment,
        configuration={"test.upto": "4"},
    )
    assert update(client, pipeline_id, full_refresh=True).state is pipelines.UpdateInfoState.COMPLETED
    assert query(cloud, "SELECT total FROM flows.bronze.total") == [["2"]]
    latest = client.pipelines.get(pipeline_id).latest_updates
    assert [item.state.value for item in latest] == ["COMPLETED", "COMPLETED"]

    client.pipelines.delete(pipeline_id)
    with pytest.raises(NotFound):
        client.pipelines.get(pipeline_id)
    tables = [row[1] for row in query(cloud, "SHOW TABLES IN flows.bronze")]
    assert not {"numbers", "total"} & set(tables)


@pytest.mark.shows(
    "pipelines: an expectation that must hold fails the update", "jobs: pipeline tasks", client="databricks-sdk"
)
def test_a_broken_expectation_fails_the_update_and_the_job(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "strict")
    task = jobs.Task("strict", pipeline_task=jobs.PipelineTask(pipeline_id))
    job_id = client.jobs.create(name="strict", tasks=[task]).job_id
    waiter = client.jobs.run_now(job_id)
    with pytest.raises(Exception, match="tiny"):
        waiter.result(MINUTES)
    latest = client.pipelines.get(pipeline_id)
    assert latest.latest_updates[0].state is pipelines.UpdateStateInfoState.FAILED
    assert latest.health is pipelines.GetPipelineResponseHealth.UNHEALTHY
    errors = list(client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'"))
    assert any("tiny" in event.message for event in errors)
    client.jobs.delete(job_id)
    client.pipelines.delete(pipeline_id)


@pytest.mark.shows("pipelines: event log, filtered by level", client="databricks-sdk")
def test_what_a_source_says_when_it_gives_up_is_the_reason(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "gives-up")
    assert update(client, pipeline_id).state is pipelines.UpdateInfoState.FAILED
    (error,) = client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'")
    assert error.message.startswith("no drops for 2026-01-31 (the runner ended with code 1)")
    client.pipelines.delete(pipeline_id)


@pytest.mark.shows("pipelines: a running update is stopped; a second one is refused", client="databricks-sdk")
def test_a_running_update_is_stopped(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "slow")
    started = client.pipelines.start_update(pipeline_id)
    end = time.monotonic() + 120
    while "flow_progress" not in {event.event_type for event in client.pipelines.list_pipeline_events(pipeline_id)}:
        assert time.monotonic() < end
        time.sleep(0.5)
    with pytest.raises(ResourceConflict, match="active update"):
        client.pipelines.start_update(pipeline_id)
    client.pipelines.stop_and_wait(pipeline_id, MINUTES)
    stopped = client.pipelines.get_update(pipeline_id, started.update_id).update
    assert stopped.state is pipelines.UpdateInfoState.CANCELED
    client.pipelines.delete(pipeline_id)


@pytest.mark.shows("pipelines: a missing source is named", client="databricks-sdk")
def test_a_missing_source_fails_the_update_and_is_named(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "absent")
    assert update(client, pipeline_id).state is pipelines.UpdateInfoState.FAILED
    errors = list(client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'"))
    assert f"{FOLDER}/absent.py does not exist" in errors[0].message
    client.pipelines.delete(pipeline_id)


GOOD = {"name": "p", "catalog": "c", "schema": "s", "libraries": [{"file": {"path": "/Workspace/x.py"}}]}
WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"catalogue": "c"}, 400, "catalogue"),
    ({"libraries": []}, 400, "libraries"),
    ({"libraries": [{"notebook": {"path": "/x"}}]}, 501, "libraries[0]"),
    ({"target": "t"}, 400, "schema or target"),
    ({"configuration": {"pipelines.numUpdateRetryAttempts": "many"}}, 400, "numUpdateRetryAttempts"),
    ({"configuration": {"pipelines.maxFlowRetryAttempts": "-1"}}, 400, "maxFlowRetryAttempts"),
    ({"run_as": {"service_principal_name": "nobody"}}, 400, "run_as"),
]


@pytest.mark.parametrize(("wrong", "status", "named"), WRONG, ids=[named for _, _, named in WRONG])
def test_wrong_settings_are_refused_by_name(
    workspace: LocalWorkspace, wrong: dict[str, Any], status: int, named: str
) -> None:
    answer = workspace.http().post("/api/2.0/pipelines", json=GOOD | wrong)
    assert answer.status_code == status
    assert named in answer.json()["message"]


@pytest.mark.shows("pipelines: failed updates are retried, as often as the setting says", client="databricks-sdk")
@pytest.mark.parametrize(
    ("settings", "tries"),
    [
        ({}, 6),
        ({"configuration": {"pipelines.numUpdateRetryAttempts": "2"}}, 3),
        ({"configuration": {"pipelines.numUpdateRetryAttempts": "0"}}, 1),
        ({"development": True}, 1),
    ],
    ids=["by itself five times", "as often as set", "never if set so", "never in development"],
)
def test_a_failed_update_is_retried(workspace: LocalWorkspace, settings: dict[str, Any], tries: int) -> None:
    client = workspace.client()
    absent = {"libraries": [{"file": {"path": "/Workspace/absent.py"}}]}
    pipeline_id = workspace.http().post("/api/2.0/pipelines", json=GOOD | absent | settings).json()["pipeline_id"]
    job_id = client.jobs.create(
        name="retried", tasks=[jobs.Task("p", pipeline_task=jobs.PipelineTask(pipeline_id))]
    ).job_id
    with pytest.raises(Exception, match=r"absent\.py does not exist"):
        client.jobs.run_now(job_id).result(MINUTES)
    updates = client.pipelines.list_updates(pipeline_id).updates or []
    assert [item.state for item in updates] == [pipelines.UpdateInfoState.FAILED] * tries
    causes = [item.cause for item in updates]
    retries = [pipelines.UpdateInfoCause.RETRY_ON_FAILURE] * (tries - 1)
    assert causes == [*retries, pipelines.UpdateInfoCause.JOB_TASK], "newest first"
    assert len({item.update_id for item in updates}) == tries
    client.jobs.delete(job_id)
    client.pipelines.delete(pipeline_id)


@pytest.mark.shows("pipelines: unique names, filtered lists", client="databricks-sdk")
def test_names_are_unique_and_lists_are_filtered(workspace: LocalWorkspace) -> None:
    client = workspace.client()
    pipeline_id = workspace.http().post("/api/2.0/pipelines", json=GOOD).json()["pipeline_id"]
    with pytest.raises(ResourceConflict, match="already used"):
        client.pipelines.create(
            name="p",
            catalog="c",
            schema="s",
            libraries=[pipelines.PipelineLibrary(file=pipelines.FileLibrary(path="/Workspace/x.py"))],
        )
    assert [item.pipeline_id for item in client.pipelines.list_pipelines(filter="name LIKE 'p%'")] == [pipeline_id]
    assert list(client.pipelines.list_pipelines(filter="name LIKE 'q%'")) == []
    with pytest.raises(BadRequest, match="filter"):
        list(client.pipelines.list_pipelines(filter="notebook = 1"))
    client.pipelines.delete(pipeline_id)


@pytest.mark.shows("pipelines: an update that a crash cut off has failed", client="databricks-sdk")
def test_a_workspace_that_was_killed_leaves_no_update_running(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    pipeline_id = create(client, "waiting")
    started = client.pipelines.start_update(pipeline_id)
    log = cloud.settings.run_dir / str(started.update_id) / "output.log"
    end = time.monotonic() + 120
    while not (log.exists() and "waiting" in log.read_text()):
        assert time.monotonic() < end
        time.sleep(0.2)
    cloud.processes["workspace"].kill()
    cloud.stop("workspace")
    cloud.start()
    found = client.pipelines.get_update(pipeline_id, started.update_id).update
    assert found.state is pipelines.UpdateInfoState.FAILED
    assert client.pipelines.get(pipeline_id).state is pipelines.PipelineState.IDLE
    errors = list(client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'"))
    assert "workspace was stopped" in errors[0].message
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any(started.update_id in command for command in running)
    client.pipelines.delete(pipeline_id)
