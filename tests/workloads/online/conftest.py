"""An online store with its stream, and the task as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import postgres

from churn.feature_engineering.groups import FEATURES
from churn.online.connection import OnlineStore
from churn.training import bootstrap
from local.settings import REPOSITORY
from tests.workloads.ml_world import CATALOG, run
from tests.workloads.online.live_stream import DATABASE, ENDPOINT, MODEL, Stream, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databricks.sdk import WorkspaceClient

    from local.settings import LocalSettings
    from tests.local.conftest import LocalWorkspace
    from tests.workloads.ml_world import World


@pytest.fixture(scope="session")
def store(world: World, models: WorkspaceClient) -> OnlineStore:
    """A Lakebase project, and a champion that gives every customer the same score."""
    spec = postgres.ProjectSpec(pg_version=18)
    models.postgres.create_project(postgres.Project(spec=spec), "online").wait()
    run(bootstrap.main, MODEL)
    return OnlineStore(models, ENDPOINT, DATABASE, "disable")


@pytest.fixture(scope="module")
def stream(world: World, store: OnlineStore) -> Stream:
    """An empty silver.events, and a store that has taken it over."""
    made = Stream(world, store)
    made.make()
    made.catch_up()
    return made


@pytest.fixture
def customers(world: World) -> Iterator[list[str]]:
    """Customers with features of today, which the world has of a past day."""
    table, some = f"{CATALOG}.{FEATURES.name}", sorted(world.active)[:5]
    frame = world.spark.table(table).where(f"customer_id IN {tuple(some)}").toPandas()
    frame = frame.drop_duplicates("customer_id").assign(observation_date=now().date() - timedelta(days=1))
    world.spark.createDataFrame(frame).write.mode("append").saveAsTable(table)
    yield some
    world.spark.sql(f"DELETE FROM {table} WHERE observation_date > DATE '2026-02-01'").collect()


@pytest.fixture
def task(stream: Stream, workspace: LocalWorkspace, spark_home: LocalSettings) -> Iterator[Callable[..., Any]]:
    """Starts the task as a process of its own, as a job does; what still runs ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(until_caught_up: int = 0) -> subprocess.Popen[str]:
        options = {"catalog": CATALOG, "date": "2026-01-31", "run_id": "live", "model": MODEL, "endpoint": ENDPOINT}
        options |= {"database": DATABASE, "sslmode": "disable", "trigger_seconds": "1", "features_days": "31"}
        options["until_caught_up"] = str(until_caught_up)
        url = workspace.settings.workspace_url
        environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY / "workloads" / "src"),
            "PYTHONUNBUFFERED": "1",
            "SPARK_REMOTE": spark_home.spark_remote,
            "MLFLOW_TRACKING_URI": url,
            "MLFLOW_TRACKING_TOKEN": workspace.token,
            "MLFLOW_REGISTRY_URI": "databricks-uc",
        }
        command = [
            sys.executable,
            "-m",
            "churn.online.activity",
            *(f"--{key}={value}" for key, value in options.items()),
        ]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
