"""The two kinds of model on plain Telco: as good as they should be, not better, and the same each time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churn.data import telco
from churn.feature_engineering.feature import Columns
from churn.serving.bands import BANDS
from churn.serving.served import Scorer
from churn.training.metrics import calibration_error, evaluate, lift
from churn.training.models import KINDS, cross_validate, customer_folds, fit_calibrated, importances

NUMERIC = ("senior_citizen", "tenure_months", "monthly_charges", "total_charges")


@pytest.fixture(scope="module")
def plain() -> tuple[pd.DataFrame, Columns]:
    """Telco, its own columns and nothing else."""
    frame = telco()
    columns = Columns(tuple(frame.columns.drop(["customer_id", "churn", *NUMERIC])), NUMERIC)
    frame["churned"] = (frame["churn"] == "Yes").astype(int)
    return frame.astype(dict.fromkeys(NUMERIC, float)), columns


def test_both_kinds_reach_what_telco_allows_and_no_more(plain: tuple[pd.DataFrame, Columns]) -> None:
    folds = cross_validate(*plain)
    means = folds.groupby("kind").mean().to_dict("index")
    assert folds.groupby("kind").size().to_dict() == dict.fromkeys(KINDS, 15)
    for kind in KINDS:
        assert 0.840 <= means[kind]["auc"] <= 0.860, f"{kind}: outside means a bug or a leak"
        assert means[kind]["average_precision"] > 0.64
        assert means[kind]["brier"] < 0.14
        assert means[kind]["lift_at_10_percent"] > 2.7


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_data_give_the_same_model(plain: tuple[pd.DataFrame, Columns], kind: str) -> None:
    frame, columns = plain
    sample = frame.head(2_000)
    first, second = (fit_calibrated(kind, sample, columns) for _ in range(2))
    assert np.array_equal(first.predict_proba(frame[columns.all]), second.predict_proba(frame[columns.all]))
    assert importances(first).equals(importances(second))


@pytest.mark.parametrize("kind", KINDS)
def test_a_customers_score_is_the_same_in_any_batch(plain: tuple[pd.DataFrame, Columns], kind: str) -> None:
    frame, columns = plain
    scorer = Scorer(fit_calibrated(kind, frame.head(2_000), columns), columns.all, BANDS)
    whole = scorer.score(frame)
    for size in (1, 7, 1_000):
        mixed = frame.sample(1_000, random_state=size)
        parts = pd.concat([scorer.score(mixed[start : start + size]) for start in range(0, len(mixed), size)])
        pd.testing.assert_frame_equal(parts, whole.loc[mixed.index], check_exact=True)


@pytest.mark.parametrize("kind", KINDS)
def test_models_take_unknown_numbers_and_new_categories(plain: tuple[pd.DataFrame, Columns], kind: str) -> None:
    frame, columns = plain
    model = fit_calibrated(kind, frame.head(2_000), columns)
    odd = frame.head(1).assign(contract="Weekly", **dict.fromkeys(NUMERIC, np.nan))
    assert 0 < model.predict_proba(odd[columns.all])[0, 1] < 1


def test_rows_of_one_customer_stay_in_one_fold(plain: tuple[pd.DataFrame, Columns]) -> None:
    frame, _ = plain
    twice = pd.concat([frame, frame.assign(tenure_months=1)], ignore_index=True)
    tested: list[int] = []
    for train, test in customer_folds(twice, repeats=1):
        assert set(twice["customer_id"][train]).isdisjoint(twice["customer_id"][test])
        tested.extend(test)
    assert sorted(tested) == list(range(len(twice)))


def test_metrics_of_known_scores() -> None:
    labels = np.array([1] * 10 + [0] * 90)
    perfect = labels.astype(float)
    assert evaluate(labels, perfect)["auc"] == 1
    assert lift(labels, perfect) == 10
    assert calibration_error(labels, perfect) == 0
    assert calibration_error(labels, np.full(100, 0.1), bins=1) == pytest.approx(0)
    assert calibration_error(labels, np.full(100, 0.4), bins=1) == pytest.approx(0.3)
