"""Workspace, registry and gold tables for the tests of the tasks; made once, since each takes seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.local.conftest import LocalWorkspace
from tests.mlflow_client import mlflow_at

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

    from local.settings import LocalSettings
    from tests.workloads.ml_world import World


@pytest.fixture(scope="session")
def workspace(spark_home: LocalSettings) -> Iterator[LocalWorkspace]:
    """A workspace beside the Spark server; the environment names it while the tests run."""
    cloud = LocalWorkspace(spark_home)
    try:
        cloud.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABRICKS_HOST", spark_home.workspace_url)
            patch.setenv("DATABRICKS_TOKEN", cloud.token)
            yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def models(workspace: LocalWorkspace) -> Iterator[WorkspaceClient]:
    """The workspace with MLflow, and the catalog of the tests of models; the environment names its registry."""
    from tests.workloads.ml_world import CATALOG

    workspace.start_mlflow()
    client = workspace.client()
    workspace.catalog(CATALOG)
    for schema in ("silver", "gold", "mlops"):
        client.schemas.create(schema, CATALOG)
    with mlflow_at(workspace.settings.workspace_url, workspace.token):
        yield client


@pytest.fixture(scope="session")
def world(spark: SparkSession, spark_home: LocalSettings, models: WorkspaceClient) -> Iterator[World]:
    """Gold tables of Telco in a catalog of their own; the environment names the Spark server, as a task's does."""
    from tests.workloads.ml_world import World, labelled_telco

    telco_world = World(spark, labelled_telco())
    telco_world.write_gold()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        yield telco_world


@pytest.fixture(scope="session")
def champion(world: World) -> str:
    """Name of a model that was bootstrapped, trained and gated: version 2 is champion."""
    from churn.training import bootstrap, train
    from churn.validation import gate
    from tests.workloads.ml_world import CATALOG, HORIZON, LEAD, run

    model = f"{CATALOG}.mlops.churn_model"
    run(bootstrap.main, model)
    window = {"lead_days": LEAD, "horizon_days": HORIZON, "settle_days": 0}
    run(train.main, model, **window, retrain_days=7, history_days=HORIZON)
    run(gate.main, model)
    return model


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], seconds: int = 120) -> None:
    """Waits until a server answers.

    Raises:
        RuntimeError: It ended, or did not answer in time.
    """
    for _ in range(seconds * 4):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.25)
    raise RuntimeError(f"{url} does not answer (exit status {process.poll()})")
