"""Scores of a day: each active customer once, nobody else, from one version, the same as the endpoint's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import mlflow
import numpy as np
import pandas as pd
import pytest

from churn.core.entry import Run
from churn.feature_engineering.groups import COLUMNS
from churn.inference import score
from churn.inference.score import ScoringError, champion_on, check_complete
from churn.serving import registry
from churn.serving.model_version import Version
from churn.serving.packaging import requirements, signature
from churn.training import bootstrap
from churn.training.models import KINDS, fit_calibrated
from churn.validation import gate
from churn.validation.checks import Check, Outcome
from tests.workloads.ml_world import (
    CATALOG,
    EXPERIMENT,
    FEWER,
    FURTHER,
    TAGS,
    TODAY,
    challenge,
    run,
    with_further,
)

if TYPE_CHECKING:
    from datetime import date

    from churn.feature_engineering.feature import Columns
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
    run(score.main, champion)
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
    world.spark.sql(f"INSERT INTO {table} VALUES ('X', DATE '{yesterday}', 0.5, 'medium', 1, '0', NULL)").collect()
    world.spark.sql(f"INSERT INTO {table} VALUES ('stray', DATE '{TODAY}', 0.5, 'medium', 1, '0', NULL)").collect()
    run(score.main, champion, run_id="2")
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
    rows = world.spark.createDataFrame([(name,) for name in scored], "customer_id STRING")
    with pytest.raises(ScoringError, match=text):
        check_complete(active, rows, "scores")
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
            run(score.main, champion)
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
    champions = {day: champion_on(world.spark, on(day), model) for day in (TODAY - timedelta(days=1), *days)}
    assert [version.number if version else None for version in champions.values()] == [1, 1, 2, 2, 4]

    run(score.main, model)
    by = world.rows(f"SELECT DISTINCT model_version, band FROM {{}}gold.churn_scores_daily WHERE date = '{TODAY}'")
    run(score.main, champion)
    assert [(row.model_version, row.band) for row in by] == [(1, "unrated")]


def test_a_day_before_any_model_has_no_champion(world: World, champion: str) -> None:
    model = f"{CATALOG}.mlops.never_bootstrapped"
    registry.set_alias(registered(model, champion, date="2026-02-01"), registry.CHAMPION)
    with pytest.raises(score.NoChampionError, match="no champion that was made by 2026-01-31"):
        run(score.main, model)


def test_a_day_without_customers_names_the_task_that_makes_them(world: World, champion: str) -> None:
    with pytest.raises(score.NoFeaturesError, match="no customers at 2026-02-01: run `features`"):
        run(score.main, champion, date=TODAY + timedelta(days=1))


def test_no_champion_names_the_task_that_makes_one(world: World) -> None:
    with pytest.raises(score.NoChampionError, match="run `bootstrap`"):
        run(score.main, f"{CATALOG}.mlops.unheard_of")


@pytest.mark.parametrize(
    ("columns", "missing"),
    [(FURTHER, "region, visits_7d"), (FEWER, None)],
    ids=["a-feature-is-gone", "a-feature-is-new"],
)
def test_a_day_is_scored_with_the_columns_of_the_version(
    world: World, champion: str, columns: Columns, missing: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"{CATALOG}.mlops.scored_by_{len(columns.all)}"
    registry.set_alias(challenge(model, with_further(world.frame), columns), registry.CHAMPION)
    run(score.main, model)
    rows = world.rows(f"SELECT * FROM {{}}gold.churn_scores_daily WHERE date = '{TODAY}' AND model_version = 1")
    run(score.main, champion)
    warned = f"warning: version 1 of {model} reads features no longer built as NULL: {missing}"
    assert (warned in capsys.readouterr().out) == (missing is not None)
    assert {row.customer_id for row in rows} == world.active
    assert len(rows) == len(world.active)
    assert {row.missing_features for row in rows} == {missing}
    customers = world.frame[world.frame["churned"] == 0].head(20).reindex(columns=["customer_id", *columns.all])
    customers = customers.astype(dict.fromkeys(columns.categorical, object))
    answer = mlflow.pyfunc.load_model(f"models:/{model}/1").predict(customers[columns.all])
    by_id = {row.customer_id: row.score for row in rows}
    assert [by_id[name] for name in customers["customer_id"]] == answer["score"].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_that_is_gone_is_unknown_to_every_kind_of_model(world: World, kind: str) -> None:
    frame = with_further(world.frame)
    model = fit_calibrated(kind, frame.head(2_000), FURTHER)
    gone = frame.head(50).assign(region=None, visits_7d=np.nan)
    scores = model.predict_proba(gone[FURTHER.all])[:, 1]
    assert ((scores > 0) & (scores < 1)).all()


def test_a_version_that_an_earlier_release_packaged_still_scores(world: World, champion: str, tmp_path: Path) -> None:
    model = f"{CATALOG}.mlops.packaged_earlier"
    served = Path(__file__).with_name("served_by_an_earlier_release.py")
    joblib.dump(fit_calibrated("logistic_regression", world.frame, COLUMNS), tmp_path / "estimator.joblib")
    with mlflow.start_run(experiment_id=EXPERIMENT):
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(served),
            artifacts={"estimator": str(tmp_path / "estimator.joblib")},
            model_config={"columns": COLUMNS.all, "rated": True},
            signature=signature(COLUMNS),
            pip_requirements=requirements(),
        )
    registry.set_alias(registry.register(info, model, TAGS, "for a test"), registry.CHAMPION)
    run(score.main, model)
    rows = world.rows(f"SELECT * FROM {{}}gold.churn_scores_daily WHERE date = '{TODAY}' AND model_version = 1")
    run(score.main, champion)
    assert len(rows) == len(world.active)
    assert {row.band for row in rows} == {"high", "medium", "low"}
