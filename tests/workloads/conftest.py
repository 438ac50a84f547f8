"""MLflow and the gold tables for the tests of models; made once, since each takes seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.mlflow_client import mlflow_at
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings
    from tests.workloads.ml_world import World


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real MLflow server over SQLite; the environment names it while the tests run."""
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_base_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "a")]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log, mlflow_at(url):
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_healthy(f"{url}/health", server)
            yield url
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="session")
def world(spark: SparkSession, spark_home: LocalSettings, mlflow_server: str) -> Iterator[World]:
    """Gold tables of Telco in a catalog of their own; the environment names the Spark server, as a task's does."""
    from tests.workloads.ml_world import CATALOG, World, labelled_telco

    spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{CATALOG}")
    for schema in ("silver", "gold", "mlops"):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema}")
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
