"""Days without scores: their runs in order, and what is said when one fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import Job, JobParameterDefinition, JobSettings
from databricks.sdk.service.sql import ResultData, StatementResponse

from cli import days, runs
from cli.errors import CommandError
from local.settings import LocalSettings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

OUTPUTS = {"job_ids": {"churn_daily": "1"}, "catalog": "churn_local", "warehouse_id": "w"}


def client_with(*missing: str, date: str = "2026-02-06") -> Any:
    """A workspace whose warehouse answers with these days, and whose job has this default of its date."""
    client = create_autospec(WorkspaceClient, instance=True)
    parameters = [JobParameterDefinition("catalog", "c"), JobParameterDefinition("date", date)]
    client.jobs.get.return_value = Job(settings=JobSettings(parameters=parameters))
    answer = StatementResponse(result=ResultData(data_array=[[day] for day in missing]))
    client.statement_execution.execute_statement.return_value = answer
    return client


def test_each_missing_day_is_run_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[str | None] = []
    monkeypatch.setattr(days, "follow", lambda _, job_id, day: run.append(f"{job_id} {day}"))
    client = client_with("2026-02-02", "2026-02-04")
    days.run_missing(client, OUTPUTS, "2026-02-05")
    assert run == ["1 2026-02-02", "1 2026-02-04"]
    (statement, warehouse), _ = client.statement_execution.execute_statement.call_args
    assert "CAST('2026-02-05' AS DATE)" in statement
    assert "churn_local.gold.churn_scores_daily" in statement
    assert warehouse == "w"
    client.jobs.get.assert_not_called()


@pytest.mark.parametrize(
    ("default", "last"),
    [
        ("{{job.trigger.time.iso_datetime}}[UTC]-1d", "2026-02-05"),
        ("{{job.trigger.time.iso_datetime}}[Asia/Tokyo]-1d", "2026-02-06"),
        ("{{job.trigger.time.iso_datetime}}[Asia/Tokyo]", "2026-02-07"),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_the_day_of_a_run_is_that_of_the_jobs_default(default: str, last: str) -> None:
    moment = datetime(2026, 2, 6, 23, 30, tzinfo=UTC)
    assert days.day_of(moment, client_with(date=default), OUTPUTS) == last


def test_days_are_missing_up_to_the_day_of_a_run_that_began_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule that was down for days leaves no scored day after them."""
    monkeypatch.setattr(days, "follow", lambda *_: None)
    client = client_with("2026-02-05", date="2026-02-06")
    days.run_missing(client, OUTPUTS, None)
    (statement, _), _ = client.statement_execution.execute_statement.call_args
    assert "CAST('2026-02-06' AS DATE)" in statement
    with pytest.raises(CommandError, match="parameter date: '' is no day"):
        days.run_missing(client_with(date=""), OUTPUTS, None)


def test_a_day_that_fails_stops_and_names_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(_: WorkspaceClient, _job: str, day: str) -> None:
        if day == "2026-02-04":
            raise CommandError("run 7 ended as FAILED")

    monkeypatch.setattr(days, "follow", follow)
    said = r"run 7 ended as FAILED\n2026-02-04 failed; not run yet: 2026-02-05\n  → .*--missing` then runs"
    with pytest.raises(CommandError, match=said):
        days.run_missing(client_with("2026-02-02", "2026-02-04", "2026-02-05"), OUTPUTS, None)


def test_no_missing_day_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(days, "follow", lambda *_: pytest.fail("nothing is to run"))
    days.run_missing(client_with(), OUTPUTS, None)
    assert "no day is missing" in capsys.readouterr().out


def test_only_the_daily_job_has_missing_days(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--missing is for churn_daily, which has days, not for churn_bootstrap"):
        runs.run_job(LocalSettings(tmp_path, 25000), "local", "churn_bootstrap", None, missing=True)


@pytest.mark.parametrize(
    ("last", "missing"),
    [
        ("2026-02-01", ["2026-02-02", "2026-02-04"]),
        ("2026-02-07", ["2026-02-02", "2026-02-04", "2026-02-06", "2026-02-07"]),
    ],
)
def test_the_missing_days_are_those_between_the_scored_ones(spark: SparkSession, last: str, missing: list[str]) -> None:
    table = "churn_test.gold.churn_scores_daily"
    spark.sql(f"CREATE OR REPLACE TABLE {table} (customer_id STRING, date DATE) USING DELTA").collect()
    try:
        asked = client_with()
        days.missing_days(asked, OUTPUTS | {"catalog": "churn_test"}, last)
        (statement, _), _ = asked.statement_execution.execute_statement.call_args
        assert spark.sql(statement).collect() == []
        scored = ", ".join(f"('a', DATE'2026-02-0{day}'), ('b', DATE'2026-02-0{day}')" for day in (5, 1, 3))
        spark.sql(f"INSERT INTO {table} VALUES {scored}").collect()
        assert [str(row.day) for row in spark.sql(statement).collect()] == missing
    finally:
        spark.sql(f"DROP TABLE {table}").collect()
