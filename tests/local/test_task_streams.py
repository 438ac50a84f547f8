"""Structured Streaming in tasks of jobs: foreachBatch with a trigger interval, and a checkpoint in a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import catalog, compute, jobs
from pyspark.sql import SparkSession

from tests.local import wheel
from tests.local.job_tasks import MINUTE, failed, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace

WHEEL = "/Workspace/Shared/wheels/streams-1.0-py3-none-any.whl"
SOURCE = """
from pyspark.sql import SparkSession, functions as F

def touch(rows, number):
    spark = rows.sparkSession
    rows.createOrReplaceTempView("batch")
    target = "SELECT id, count(*) AS n FROM (SELECT DISTINCT id FROM batch) GROUP BY id"
    spark.sql(f"MERGE INTO tasks.own.seen t USING ({target}) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *")

def follow():
    spark = SparkSession.builder.getOrCreate()
    query = (
        spark.readStream.table("tasks.own.numbers").writeStream.foreachBatch(touch)
        .option("checkpointLocation", "/Volumes/tasks/own/files/checkpoint")
        .trigger(processingTime="1 second").start()
    )
    query.awaitTermination()
"""


@pytest.fixture(scope="module")
def cloud(lakehouse: LocalWorkspace) -> Iterator[LocalWorkspace]:
    path = lakehouse.settings.workspace_files / WHEEL.removeprefix("/Workspace/")
    wheel.build(path, "streams", SOURCE, {"follow": "streams:follow"})
    client = lakehouse.client()
    lakehouse.catalog("tasks")
    client.schemas.create("own", "tasks")
    client.volumes.create("tasks", "own", "files", catalog.VolumeType.MANAGED)
    yield lakehouse
    client.catalogs.delete("tasks", force=True)


@pytest.fixture
def session(cloud: LocalWorkspace) -> Iterator[SparkSession]:
    opened = SparkSession.builder.remote(cloud.settings.spark_remote).create()
    yield opened
    opened.stop()


def task(**where: Any) -> jobs.Task:
    point = jobs.PythonWheelTask("streams", "follow")
    return jobs.Task(task_key="follow", python_wheel_task=point, **where)


@pytest.mark.shows(
    "spark: foreachBatch with a trigger interval in a task, checkpoint in a volume", client="databricks-sdk"
)
def test_a_task_streams_into_a_table_until_it_is_cancelled(cloud: LocalWorkspace, session: SparkSession) -> None:
    client = cloud.client()
    session.sql("CREATE TABLE tasks.own.numbers AS SELECT id FROM range(5)")
    session.sql("CREATE TABLE tasks.own.seen (id BIGINT, n BIGINT)")
    cluster = compute.ClusterSpec(spark_version="17.3.x-scala2.13", node_type_id="m7g.large", num_workers=0)
    follow = task(new_cluster=cluster, libraries=[compute.Library(whl=WHEEL)])
    job_id = client.jobs.create(name="follow", tasks=[follow], continuous=jobs.Continuous()).job_id
    assert job_id

    def seen() -> int:
        return session.table("tasks.own.seen").count()

    wait_for(lambda: seen() == 5, 120)
    session.sql("INSERT INTO tasks.own.numbers SELECT id FROM range(5, 8)")
    wait_for(lambda: seen() == 8, 60)
    checkpoint = cloud.settings.volumes / "tasks/own/files/checkpoint"
    assert (checkpoint / "commits" / "1").is_file()
    for run in client.jobs.list_runs(job_id=job_id, active_only=True):
        client.jobs.cancel_run(run.run_id)
    session.sql("INSERT INTO tasks.own.numbers SELECT id FROM range(8, 9)")
    wait_for(lambda: seen() == 9, 120)
    assert sorted(row.n for row in session.table("tasks.own.seen").collect()) == [1] * 9, "the next run went on"
    client.jobs.delete(job_id)


@pytest.mark.shows("jobs: a trigger interval is refused on serverless compute", client="databricks-sdk")
def test_serverless_compute_refuses_a_trigger_interval(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    environment = jobs.JobEnvironment("default", compute.Environment(environment_version="4", dependencies=[WHEEL]))
    follow = task(environment_key="default")
    job_id = client.jobs.create(name="serverless", tasks=[follow], environments=[environment]).job_id
    assert job_id
    text = failed(lambda: client.jobs.run_now(job_id).result(2 * MINUTE))
    assert "INFINITE_STREAMING_TRIGGER_NOT_SUPPORTED" in text
    client.jobs.delete(job_id)
