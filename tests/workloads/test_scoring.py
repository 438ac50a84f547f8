"""Scores of a day: each active customer once, nobody else, from one version, the same as the endpoint's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
import pytest

from churn.core.entry import Run
from churn.inference import score as scoring
from churn.inference.score import ScoringError, champion_on, check_complete
from churn.serving import registry
from churn.serving.registry import Version
from churn.training import bootstrap
from churn.training.dataset import COLUMNS
from churn.validation import gate
from churn.validation.checks import Check, Outcome
from tests.workloads.ml_world import CATALOG, TODAY, run

if TYPE_CHECKING:
    from datetime import date

    from tests.workloads.ml_world import World


def on(day: date, run_id: str = "1") -> Run:
    """The run of a day."""
    return Run(CATALOG, day, run_id)


def registered(model: str, source: str, **tags: str) -> Version:
    """A further version of a model, with the weights of another model's champion."""
    weights = mlflow.MlflowClient().get_model_version_by_alias(source, registry.CHAMPION).source
    assert weights is not None
    return registry.numbered(model, mlflow.register_model(weights, model, tags=tags).version)


@pytest.fixture(scope="module")
def scores(world: World, champion: str) -> pd.DataFrame:
    run(scoring.main, champion)
    return world.spark.table(f"{CATALOG}.gold.churn_scores_daily").toPandas()


def test_every_active_customer_has_one_score_and_no_other(world: World, scores: pd.DataFrame) -> None:
    assert scores["customer_id"].is_unique
    assert set(scores["customer_id"]) == world.active
    assert len(world.active) == 5_174
    assert set(scores["model_version"]) == {2}
    assert scores["score"].between(0, 1).all()
    assert set(scores["band"]) == {"high", "medium", "low"}
    assert scores.loc[scores["band"] == "high", "score"].min() >= 0.6


def test_scores_are_what_the_registered_model_answers(world: World, champion: str, scores: pd.DataFrame) -> None:
    some = world.frame[world.frame["churned"] == 0].head(50)
    answer = mlflow.pyfunc.load_model(f"models:/{champion}@champion").predict(some[COLUMNS.all])
    stored = scores.set_index("customer_id").loc[some["customer_id"]]
    assert stored["score"].tolist() == answer["score"].tolist()
    assert stored["band"].tolist() == answer["band"].tolist()


def test_a_day_is_replaced_and_other_days_stay(world: World, champion: str, scores: pd.DataFrame) -> None:
    table = f"{CATALOG}.gold.churn_scores_daily"
    yesterday = TODAY - timedelta(days=1)
    world.spark.sql(f"INSERT INTO {table} VALUES ('X', DATE '{yesterday}', 0.5, 'medium', 1, '0')").collect()
    world.spark.sql(f"INSERT INTO {table} VALUES ('stray', DATE '{TODAY}', 0.5, 'medium', 1, '0')").collect()
    run(scoring.main, champion, run_id="2")
    again = world.spark.table(table).toPandas()
    assert again[again["date"] == yesterday]["customer_id"].tolist() == ["X"]
    today = again[again["date"] == TODAY].drop(columns="run_id")
    same = scores.drop(columns="run_id").sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(today.sort_values("customer_id", ignore_index=True), same, check_exact=True)
    world.spark.sql(f"DELETE FROM {table} WHERE date = DATE '{yesterday}'").collect()


@pytest.mark.parametrize(
    ("scored", "text"),
    [
        (["a"], r"1 customers .* b \(1 expected, 0 found\)"),
        (["a", "b", "b"], r"b \(1 expected, 2 found\)"),
        (["a", "b", "left"], r"left \(0 expected, 1 found\)"),
    ],
)
def test_missing_twofold_and_churned_customers_are_errors(world: World, scored: list[str], text: str) -> None:
    active = world.spark.createDataFrame([("a",), ("b",)], "customer_id STRING")
    found = world.spark.createDataFrame([(name,) for name in scored], "customer_id STRING")
    with pytest.raises(ScoringError, match=text):
        check_complete(active, found, "scores")
    assert check_complete(active, active, "scores") == 2


def test_features_of_a_customer_who_left_fail_the_task_before_it_writes(
    world: World, champion: str, scores: pd.DataFrame
) -> None:
    features = f"{CATALOG}.gold.churn_features"
    gone = world.frame.loc[world.frame["churned"] == 1, "customer_id"].iloc[0]
    stray = world.spark.table(features).where(f"customer_id = '{gone}'").toPandas().assign(observation_date=TODAY)
    world.spark.createDataFrame(stray).write.mode("append").saveAsTable(features)
    try:
        with pytest.raises(ScoringError, match=rf"{gone} \(0 expected, 1 found\)"):
            run(scoring.main, champion)
        assert world.rows(f"SELECT * FROM {{}}gold.churn_scores_daily WHERE customer_id = '{gone}'") == []
    finally:
        world.spark.sql(
            f"DELETE FROM {features} WHERE customer_id = '{gone}' AND observation_date = '{TODAY}'"
        ).collect()


def test_an_older_day_is_scored_by_the_model_that_was_champion_then(world: World, champion: str) -> None:
    model = f"{CATALOG}.mlops.older_days"
    run(bootstrap.main, model, date=TODAY)
    days = [TODAY + timedelta(days=number) for number in range(4)]
    for day, outcome in zip(days[1:], (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED), strict=True):
        version = registered(model, champion, date=day.isoformat())
        gate.record(world.spark, on(day, f"older {day}"), version, None, [Check("made up", outcome, "")])
    registry.set_alias(version, registry.CHAMPION)
    found = {day: champion_on(world.spark, on(day), model) for day in (TODAY - timedelta(days=1), *days)}
    assert [version.number if version else None for version in found.values()] == [1, 1, 2, 2, 4]

    run(scoring.main, model)
    by = world.rows(f"SELECT DISTINCT model_version, band FROM {{}}gold.churn_scores_daily WHERE date = '{TODAY}'")
    run(scoring.main, champion)
    assert [(row.model_version, row.band) for row in by] == [(1, "unrated")]


def test_a_day_before_any_model_has_no_champion(world: World, champion: str) -> None:
    model = f"{CATALOG}.mlops.never_bootstrapped"
    registry.set_alias(registered(model, champion, date="2026-02-01"), registry.CHAMPION)
    with pytest.raises(SystemExit, match="no champion that was made by 2026-01-31"):
        run(scoring.main, model)


def test_a_day_without_customers_names_the_task_that_makes_them(world: World, champion: str) -> None:
    with pytest.raises(SystemExit, match="no customers at 2026-02-01: run `features`"):
        run(scoring.main, champion, date=TODAY + timedelta(days=1))


def test_no_champion_names_the_task_that_makes_one(world: World) -> None:
    with pytest.raises(SystemExit, match="run `bootstrap`"):
        run(scoring.main, f"{CATALOG}.mlops.unheard_of")
