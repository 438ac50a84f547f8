"""Deployment of jobs, a pipeline, an endpoint and a cluster, by the real engine and the real provider."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.dummy import DummyRegressor

from tests.inventory import inventory
from tests.local import wheel
from tests.mlflow_client import mlflow_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.conftest import LocalWorkspace

PROGRAM = Path(__file__).parent / "programs" / "execution"
SHOW = "import sys\n\ndef show():\n    print(sorted(sys.argv[1:]))\n"


@pytest.fixture
def deployable(lakehouse: LocalWorkspace) -> Iterator[None]:
    """Makes what the program refers to: wheels, the pipeline's source, a schema, and two versions of a model in it."""
    client = lakehouse.client()
    lakehouse.catalog("proof")
    client.schemas.create("mlops", "proof")
    folder = lakehouse.settings.workspace_files / "Shared" / "proof"
    for edition in (1, 2):
        wheel.build(folder / f"tasks-{edition}.0-py3-none-any.whl", "tasks", SHOW, {"show": "tasks:show"})
    (folder / "bronze.py").write_text("from pyspark import pipelines as dp\n")
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    for value in (1.0, 2.0):
        model = DummyRegressor(strategy="constant", constant=value).fit(frame, [value, value])
        with mlflow_at(lakehouse.settings.workspace_url, lakehouse.token), mlflow.start_run(experiment_id="0"):
            signature = infer_signature(frame, model.predict(frame))
            mlflow.sklearn.log_model(model, name="m", signature=signature, registered_model_name="proof.mlops.constant")
    yield
    client.catalogs.delete("proof", force=True)


@pytest.mark.shows(
    "jobs: jobs on serverless compute and on job clusters as resources",
    "pipelines: pipelines as resources",
    "serving: endpoints as resources",
    "compute: clusters as resources",
    client="Databricks provider",
)
@pytest.mark.usefixtures("deployable")
def test_all_are_deployed_changed_used_and_destroyed(
    lakehouse: LocalWorkspace, pulumi: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    client = lakehouse.client()
    before = inventory(client)
    pulumi("config", "set", "edition", "1")
    pulumi("preview")  # when the credentials of the endpoint's provider are not known yet
    pulumi("up", "--yes", "--skip-preview")
    (server,) = client.service_principals.list(filter='displayName eq "server"')
    assert client.serving_endpoints.get("proof").creator == server.application_id
    pulumi("preview", "--expect-no-changes", "--diff")
    pulumi("preview", "--refresh", "--expect-no-changes", "--diff")
    assert client.serving_endpoints.query("proof", dataframe_records=[{"x": 5.0}]).predictions == [1.0]

    pulumi("config", "set", "edition", "2")
    pulumi("up", "--yes", "--skip-preview")
    pulumi("preview", "--refresh", "--expect-no-changes", "--diff")
    assert client.serving_endpoints.query("proof", dataframe_records=[{"x": 5.0}]).predictions == [2.0]

    job_id = int(json.loads(pulumi("stack", "output", "--json").stdout)["job_id"])
    run = client.jobs.run_now(job_id, job_parameters={"date": "2026-01-31"}).result(timedelta(minutes=2))
    logs = client.jobs.get_run_output(run.tasks[0].run_id).logs
    assert "['--date=2026-01-31', '--edition=2']" in logs

    pulumi("destroy", "--yes", "--skip-preview")
    assert inventory(client) == before
