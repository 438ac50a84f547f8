"""Structured Streaming in tasks of jobs: trigger intervals, which serverless compute refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import compute, jobs

from tests.local import wheel
from tests.local.job_tasks import MINUTE, failed

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace

WHEEL = "/Workspace/Shared/wheels/streams-1.0-py3-none-any.whl"
SOURCE = """
from pyspark.sql import SparkSession

def follow():
    spark = SparkSession.builder.getOrCreate()
    query = spark.readStream.format("rate").load().writeStream.format("noop").trigger(processingTime="1 second").start()
    query.awaitTermination()
"""


@pytest.fixture(scope="module")
def cloud(lakehouse: LocalWorkspace) -> LocalWorkspace:
    path = lakehouse.settings.workspace_files / WHEEL.removeprefix("/Workspace/")
    wheel.build(path, "streams", SOURCE, {"follow": "streams:follow"})
    return lakehouse


def task(**where: Any) -> jobs.Task:
    point = jobs.PythonWheelTask("streams", "follow")
    return jobs.Task(task_key="follow", python_wheel_task=point, **where)


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
