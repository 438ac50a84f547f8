"""The table at the end of `platform up`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import ModelVersionInfo, RegisteredModelAlias, RegisteredModelInfo
from databricks.sdk.service.jobs import BaseRun
from databricks.sdk.service.ml import GetRunResponse, Metric, Run, RunData, RunTag
from databricks.sdk.service.sql import ResultData, StatementResponse

from cli.errors import CommandError
from cli.summary import show_summary
from tests.golden import assert_matches

OUTPUTS: dict[str, Any] = {
    "job_ids": {"churn_daily": "1"},
    "model": "churn_local.mlops.churn_model",
    "catalog": "churn_local",
    "warehouse_id": "w",
    **dict.fromkeys(("workspace_url", "endpoint_url", "dashboard_url"), "http://127.0.0.1:18000"),
}


def client_of(champion: RunData) -> WorkspaceClient:
    """Of a workspace whose champion is version 1, with this as its MLflow run."""
    client = create_autospec(WorkspaceClient, instance=True)
    client.jobs.list_runs.return_value = iter(
        [BaseRun(run_id=7, start_time=0, end_time=98_000, run_page_url="http://127.0.0.1:18000/#job/1/run/7")]
    )
    alias = RegisteredModelAlias(alias_name="champion", version_num=1)
    client.registered_models.get.return_value = RegisteredModelInfo(aliases=[alias])
    client.model_versions.get.return_value = ModelVersionInfo(run_id="r")
    client.experiments.get_run.return_value = GetRunResponse(run=Run(data=champion))
    answer = StatementResponse(result=ResultData(data_array=[["5174", "2026-01-31"]]))
    client.statement_execution.execute_statement.return_value = answer
    return client


@pytest.mark.parametrize(
    ("champion", "said"),
    [
        (RunData(metrics=[Metric(key="auc", value=0.8671)], tags=[]), "version 1, AUC 0.867 on the holdout"),
        (RunData(tags=[RunTag(key="bootstrap", value="true")]), "version 1, the bootstrap model: not trained yet"),
    ],
)
def test_the_champion_is_said(champion: RunData, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(client_of(champion), OUTPUTS)
    output = capsys.readouterr().out
    assert f"churn_local.mlops.churn_model {said}\n" in output
    assert "5,174 customers on 2026-01-31" in output


def test_the_whole_summary(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(client_of(RunData(metrics=[Metric(key="auc", value=0.8671)], tags=[])), OUTPUTS)
    assert_matches(Path(__file__).parent / "records" / "summary.txt", capsys.readouterr().out)


def test_a_trained_model_without_its_metric_is_an_error() -> None:
    with pytest.raises(CommandError, match=r"run r of churn_local\.mlops\.churn_model version 1 has no metric auc"):
        show_summary(client_of(RunData()), OUTPUTS)
