"""The marts add up to the scores, and the dashboard asks for what the marts have."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn.core.tables import GATE_RESULTS, SCORES, TABLES
from churn.feature_engineering.groups import FEATURES
from churn.inference import score
from churn.reporting import marts, tables
from tests.workloads.dashboards import FOLDER, expect_answers, load
from tests.workloads.ml_world import CATALOG, TODAY, run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.workloads.ml_world import World


@pytest.fixture(scope="module")
def refreshed(world: World, champion: str) -> World:
    """The world after a day's scores and marts; the marts twice, since a day may be repeated.

    The gate has decided on the champion alone: what other tests had it decide in this world is taken away.
    """
    world.spark.sql(f"DELETE FROM {CATALOG}.{GATE_RESULTS.name} WHERE model <> '{champion}'").collect()
    run(score.main, champion)
    for _ in range(2):
        run(marts.main)
    return world


def test_overview_adds_up(refreshed: World) -> None:
    (row,) = refreshed.rows("SELECT * FROM {}gold.marts_churn_overview")
    (seen,) = refreshed.rows("SELECT count_if(band = 'high') AS high, sum(score) AS sum FROM {}gold.churn_scores_daily")
    assert (row.date, row.active_customers, row.model_version) == (TODAY, len(refreshed.active), 2)
    assert row.at_risk_customers == seen.high > 0
    assert row.expected_leavers == pytest.approx(seen.sum)
    stayed = refreshed.frame[refreshed.frame["churned"] == 0]
    assert row.monthly_charges == pytest.approx(stayed["monthly_charges"].sum())
    assert 0 < row.monthly_charges_at_risk < row.monthly_charges
    assert (row.gate_date, row.gate_decision, row.gate_challenger_version) == (TODAY, "passed", 2)
    assert row.missing_days == 0


def test_days_that_were_not_scored_are_named(refreshed: World, capsys: pytest.CaptureFixture[str]) -> None:
    scores, first = f"{CATALOG}.{SCORES.name}", TODAY - timedelta(days=3)
    early = refreshed.spark.table(scores).where(sf.col("date") == sf.lit(TODAY)).withColumn("date", sf.lit(first))
    early.limit(1).write.mode("append").saveAsTable(scores)
    try:
        run(marts.main)
        (row,) = refreshed.rows(f"SELECT missing_days FROM {{}}gold.marts_churn_overview WHERE date = '{TODAY}'")
    finally:
        refreshed.spark.sql(f"DELETE FROM {scores} WHERE date = '{first}'").collect()
        said = capsys.readouterr().out
        run(marts.main)
    assert row.missing_days == 2
    assert f"warning: 2 days have no scores: {TODAY - timedelta(days=2)}, {TODAY - timedelta(days=1)}; run" in said
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("decisions", "latest"),
    [
        ([("9", TODAY, "failed", 2), ("10", TODAY, "passed", 2)], "passed"),
        ([("10", TODAY, "failed", 2), ("9", TODAY, "passed", 3)], "passed"),
        ([("10", TODAY - timedelta(days=1), "failed", 4), ("9", TODAY, "passed", 3)], "passed"),
        ([("by hand", TODAY, "failed", 2), ("9", TODAY, "passed", 2)], "passed"),
        ([("hand 2", TODAY, "passed", 2), ("hand 1", TODAY, "failed", 2)], "passed"),
        ([], None),
    ],
)
def test_the_last_decision_is_that_of_the_latest_run(
    refreshed: World, decisions: list[tuple[str, date, str, int]], latest: str | None
) -> None:
    columns = "run_id STRING, date DATE, decision STRING, challenger_version INT"
    scored = refreshed.rows(
        "SELECT date, score, band, model_version, 1.0 AS monthly_charges FROM {}gold.churn_scores_daily LIMIT 1"
    )
    (row,) = marts.overview(
        refreshed.spark.createDataFrame(scored), refreshed.spark.createDataFrame(decisions, columns), 0
    ).collect()
    assert row.gate_decision == latest


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_marts_are_the_same_in_any_order_of_the_rows(spark: SparkSession, order: tuple[int, ...]) -> None:
    columns = "customer_id STRING, date DATE, score DOUBLE, band STRING, model_version INT, monthly_charges DOUBLE"
    rows = [(str(tenths), TODAY, tenths / 10, "high", 1, tenths / 10) for tenths in (1, 2, 3)]
    scored = spark.createDataFrame([rows[place] for place in order], columns).coalesce(1)
    decisions = spark.createDataFrame([], "run_id STRING, date DATE, decision STRING, challenger_version INT")
    (row,) = marts.overview(scored, decisions, 0).collect()
    sums = row.expected_leavers, row.monthly_charges, row.monthly_charges_at_risk
    assert (*sums, row.mean_score) == (0.6, 0.6, 0.6, 0.2)  # doubles would give 0.6000000000000001 in one of the orders


def test_segments_and_scores_add_up(refreshed: World) -> None:
    query = "SELECT dimension, sum(customers) AS customers, sum(at_risk_customers) AS risk FROM {}gold."
    rows = refreshed.rows(query + "marts_churn_segments GROUP BY dimension")
    (overview,) = refreshed.rows("SELECT * FROM {}gold.marts_churn_overview")
    assert {row.dimension for row in rows} == {"contract", "tenure", "internet_service"}
    assert {(row.customers, row.risk) for row in rows} == {(len(refreshed.active), overview.at_risk_customers)}
    tenths = refreshed.rows("SELECT score_from, customers FROM {}gold.marts_churn_score_distribution")
    assert sum(row.customers for row in tenths) == len(refreshed.active)
    assert all(0 <= row.score_from <= 0.9 for row in tenths)


def test_the_gate_s_last_checks_are_a_mart(refreshed: World) -> None:
    (decided,) = refreshed.rows("SELECT count(*) AS checks FROM {}mlops.gate_results")
    checks = refreshed.rows("SELECT * FROM {}gold.marts_churn_gate")
    assert len(checks) == decided.checks > 5
    assert {(row.date, row.gate_date, row.decision, row.challenger_version) for row in checks} == {
        (TODAY, TODAY, "passed", 2)
    }
    assert {row.outcome for row in checks} == {"passed"}


def test_tables_are_there_before_the_first_day(world: World) -> None:
    world.spark.sql("CREATE SCHEMA IF NOT EXISTS catalogs.churn_empty").collect()
    for schema in ("bronze", "silver", "gold", "mlops"):
        world.spark.sql(f"CREATE SCHEMA IF NOT EXISTS churn_empty.{schema}").collect()
    world.spark.sql(f"CREATE TABLE churn_empty.{SCORES.name} (customer_id STRING) USING DELTA").collect()
    run(tables.main, catalog="churn_empty")
    made = {
        f"{schema}.{row.tableName}"
        for schema in ("bronze", "silver", "gold", "mlops")
        for row in world.spark.sql(f"SHOW TABLES IN churn_empty.{schema}").collect()
    }
    assert made == {table.name for table in (*TABLES, FEATURES)}
    assert all(world.spark.table(f"churn_empty.{table}").isEmpty() for table in made)
    assert world.spark.table(f"churn_empty.{SCORES.name}").columns == SCORES.column_names, "an old one gets its columns"


def test_a_day_without_scores_names_the_task_that_makes_them(refreshed: World) -> None:
    with pytest.raises(marts.NoScoresError, match="no scores on 2026-01-30: run `score`"):
        run(marts.main, date=TODAY - timedelta(days=1))


def test_every_query_of_the_dashboard_gives_what_its_widgets_show(refreshed: World) -> None:
    expect_answers(refreshed.spark, load(FOLDER / "churn.lvdash.json", CATALOG))
