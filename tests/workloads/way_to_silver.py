"""The way of delivered files to silver, by the real programs: landing, ingest, bronze, silver, reconcile."""

from __future__ import annotations

import io
import os
import subprocess
from datetime import date
from typing import TYPE_CHECKING, Any

from databricks.sdk.service.catalog import VolumeType

from churn.core.contract import file_contracts
from churn.core.entry import Run
from churn.ingestion import ingest
from churn.transforms import reconcile
from local.settings import REPOSITORY
from tests.conftest import SERVER_PYTHON
from tests.small_data import SMALL_DATA

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.local.conftest import LocalWorkspace


class WayToSilver:
    """A catalog of its own, into which files are delivered and taken in by the real programs."""

    def __init__(self, cloud: LocalWorkspace, spark: SparkSession, storage: Path, catalog: str) -> None:
        client = cloud.client()
        self.home, self.client, self.spark, self.storage = cloud.settings, client, spark, storage
        self.catalog = catalog
        cloud.catalog(catalog)
        for schema in ("landing", "bronze", "silver", "gold", "mlops"):
            client.schemas.create(schema, catalog)
        for contract in file_contracts():
            client.volumes.create(catalog, "landing", contract.domain, VolumeType.MANAGED)
        for volume in ("admitted", "quarantine"):
            client.volumes.create(catalog, "bronze", volume, VolumeType.MANAGED)

    def deliver(self, files: dict[str, bytes]) -> None:
        for path, data in files.items():
            self.client.files.upload(f"/Volumes/{self.catalog}/landing/{path}", io.BytesIO(data), overwrite=True)

    def take_in(self, run_id: str) -> None:
        arguments = [f"--catalog={self.catalog}", "--date=2026-02-28", f"--run_id={run_id}"]
        ingest.main(arguments)
        for pipeline in ("bronze", "silver"):
            update = self.update(pipeline)
            assert update.returncode == 0, update.stdout[-3000:] + update.stderr[-3000:]
        reconcile.main(arguments)

    def run(self, run_id: str) -> Run:
        return Run(self.catalog, date(2026, 2, 28), run_id)

    def stored_contents(self, folder: str) -> list[bytes]:
        """Contents of the files below a folder that were taken in, in the order of delivery."""
        ledger = "SELECT stored FROM {}.bronze.deliveries WHERE file"
        deliveries = self.rows(f"{ledger} LIKE '{folder}/%' ORDER BY stored")
        return [
            open_file.read() for row in deliveries if (open_file := self.client.files.download(row.stored).contents)
        ]

    def rows(self, query: str) -> list[Any]:
        return self.spark.sql(query.replace("{}", self.catalog)).collect()

    def update(self, pipeline: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One update of a pipeline's own source."""
        source = REPOSITORY / "workloads" / "pipelines" / f"{pipeline}.py"
        command = [SERVER_PYTHON, "-m", "local.spark.pipeline_runner", str(source), "--catalog", self.catalog]
        command += ["--schema", pipeline, "--remote", self.home.spark_remote, "--storage", str(self.storage / pipeline)]
        configuration = {**SMALL_DATA, "churn.catalog": self.catalog, "churn.stream": "true"}
        configuration |= {"churn.admitted": f"/Volumes/{self.catalog}/bronze/admitted"}
        configuration |= {"pipelines.maxFlowRetryAttempts": "0"}  # as they are deployed
        for key, value in configuration.items():
            command += ["--configuration", f"{key}={value}"]
        environment = os.environ | {
            "PLATFORM_HOME": str(self.home.home),
            "PLATFORM_PORT": str(self.home.port),
            "PYTHONPATH": str(REPOSITORY / "workloads" / "src"),
        }
        command += arguments
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
