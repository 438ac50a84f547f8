"""Each check of the gate passes for a sound model, and fails for the fault it is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from churn.core.label_window import LabelWindow
from churn.feature_engineering.groups import COLUMNS
from churn.training.dataset import split
from churn.training.train import fit
from churn.validation.checks import Check, Outcome, by_slice, decide, judge, least_precision
from tests.workloads.ml_world import HORIZON, LEAD, labelled_telco

if TYPE_CHECKING:
    from churn.training.metrics import Floats

Sound = tuple[pd.DataFrame, "Floats"]


@pytest.fixture(scope="module")
def sound() -> Sound:
    """A fifth of Telco, and what a model fitted on the rest says of it."""
    parts = split(labelled_telco(), LabelWindow(LEAD, HORIZON, 0))
    return parts.holdout, fit("logistic_regression", parts, COLUMNS).scores


def failed(holdout: pd.DataFrame, scores: Floats, champion: Floats | None = None) -> set[str]:
    checks = judge(holdout, COLUMNS, scores, champion)
    assert not [check for check in checks if check.outcome is Outcome.ERROR]
    return {check.name for check in checks if check.outcome is Outcome.FAILED}


def test_a_sound_model_passes(sound: Sound) -> None:
    holdout, scores = sound
    checks = judge(holdout, COLUMNS, scores, champion=np.full(len(scores), 0.265))
    assert decide(checks) is Outcome.PASSED, [check.reason for check in checks]
    assert [check.name for check in checks] == [
        *("discrimination", "precision", "calibration", "skill"),
        *("slice_contract", "slice_senior_citizen", "slice_internet_service"),
        *("leak", "leak_feature", "champion"),
    ]


def test_a_model_of_random_labels_fails(sound: Sound) -> None:
    holdout, scores = sound
    assert {"discrimination", "precision", "slice_contract"} <= failed(
        holdout, np.random.default_rng(1).permutation(scores)
    )


def test_the_base_rate_fails(sound: Sound) -> None:
    holdout, scores = sound
    assert {"discrimination", "precision"} <= failed(holdout, np.full(len(scores), 0.265))


@pytest.mark.parametrize(("base_rate", "least"), [(0.265, 0.3975), (0.5, 0.75), (0.6, 0.8), (0.9, 0.95)])
def test_the_precision_asked_for_can_be_had_at_any_base_rate(base_rate: float, least: float) -> None:
    assert least_precision(base_rate) == pytest.approx(least)


def test_where_most_leave_a_sound_ranking_passes_and_chance_fails(sound: Sound) -> None:
    holdout, scores = sound
    stayed = np.flatnonzero(holdout["churned"] == 0)
    rows = np.union1d(np.flatnonzero(holdout["churned"] == 1), stayed[:: len(stayed) // 60])
    most, ranked = holdout.iloc[rows].reset_index(drop=True), scores[rows]
    assert most["churned"].mean() > 0.8
    assert "precision" not in failed(most, ranked)
    assert "precision" in failed(most, np.random.default_rng(1).permutation(ranked))


def test_probabilities_that_are_not_true_fail(sound: Sound) -> None:
    holdout, scores = sound
    assert failed(holdout, np.sqrt(scores)) == {"calibration"}
    assert "skill" in failed(holdout, 0.5 + scores / 2)


def test_one_bad_slice_fails(sound: Sound) -> None:
    holdout, scores = sound
    senior = (holdout["senior_citizen"] == 1).to_numpy()
    shuffled = scores.copy()
    shuffled[senior] = np.random.default_rng(1).permutation(scores[senior])
    assert failed(holdout, shuffled) == {"slice_senior_citizen"}


def test_a_model_too_good_to_be_true_fails(sound: Sound) -> None:
    holdout, scores = sound
    assert "leak" in failed(holdout, np.clip(scores + holdout["churned"] * 0.5, 0, 1).to_numpy())


@pytest.mark.parametrize("column", ["payment_method", "monthly_charges"])
def test_a_column_that_gives_the_label_away_fails(sound: Sound, column: str) -> None:
    holdout, scores = sound
    leaked = holdout["churned"].map({0: "a", 1: "b"}) if column in COLUMNS.categorical else -holdout["churned"] * 1.0
    checks = {check.name: check for check in judge(holdout.assign(**{column: leaked}), COLUMNS, scores, None)}
    assert checks["leak_feature"].outcome is Outcome.FAILED
    assert column in checks["leak_feature"].reason


def test_a_model_worse_than_the_champion_fails(sound: Sound) -> None:
    holdout, scores = sound
    blurred = scores + np.random.default_rng(1).normal(0, 0.08, len(scores))
    assert failed(holdout, np.clip(blurred, 0, 1), champion=scores) == {"champion"}
    assert failed(holdout, scores, champion=scores) == set(), "as good as the champion is good enough"


def test_a_champion_that_knows_most_of_the_holdout_is_compared_on_the_rest(sound: Sound) -> None:
    holdout, scores = sound
    new = np.arange(len(scores)) % 5 == 0
    remembered = np.where(new, scores, holdout["churned"])
    unfair, fair, none = (
        next(check for check in judge(holdout, COLUMNS, scores, remembered, rows) if check.name == "champion")
        for rows in (None, new, np.zeros(len(scores), np.bool_))
    )
    assert (unfair.outcome, fair.outcome, none.outcome) == (Outcome.FAILED, Outcome.PASSED, Outcome.ERROR)
    assert "the champion has seen the holdout" in none.reason


def test_what_cannot_be_tested_is_an_error_and_no_failure(sound: Sound) -> None:
    holdout, scores = sound
    few = by_slice(holdout.head(30), "contract", holdout["churned"].head(30).to_numpy(), scores[:30])
    assert few.outcome is Outcome.ERROR
    assert "contract" in few.reason
    broken = judge(holdout, COLUMNS, scores, champion=np.full(len(scores), np.nan))
    assert [(check.name, check.outcome) for check in broken] == [("scores", Outcome.ERROR)]
    assert "champion gave no number" in broken[0].reason


def test_decision() -> None:
    passed, failing, error = (Check("x", outcome, "") for outcome in Outcome)
    assert decide([passed]) is Outcome.PASSED
    assert decide([passed, failing]) is Outcome.FAILED
    assert decide([failing, error]) is Outcome.ERROR
    assert decide([]) is Outcome.ERROR, "no question asked is no proof"
