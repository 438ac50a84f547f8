"""Checks that a challenger must pass before it becomes champion. No I/O.

| check | asks | fails when |
|---|---|---|
| discrimination | does it rank? | AUC below 0.75 |
| precision | is the top of the ranking worth calling? | average precision below 1.5 times the base rate * |
| calibration | are its probabilities true? | expected calibration error above 0.08 |
| skill | does it beat knowing the base rate alone? | Brier score not below that of the base rate |
| slice_<column> | does it work for everyone? | AUC below 0.60 among some value of the column |
| leak | is it too good to be true? | AUC above 0.95 |
| leak_feature | does one column give the label away? | AUC of a single column above 0.90 |
| champion | is it no worse than what runs? | AUC more than 0.01 below the champion's on customers new to both |

The thresholds and their sources are in `churn.validation.thresholds`.

* Where more than half leave, half way from the base rate to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import brier_score_loss

from churn.training.metrics import Floats, Labels, auc, evaluate
from churn.validation.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from churn.feature_engineering.feature import Columns


class Outcome(StrEnum):
    """Outcome of a check or of the gate; `error` means that something could not be tested, unlike `failed`."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One check of a challenger, and its outcome.

    Attributes:
        name: Such as `discrimination`.
        outcome: Passed, failed, or could not be tested.
        reason: One sentence for a person.
        metric: What was measured, such as `auc`; empty where nothing was.
        value: The measurement.
        threshold: What it was compared with.
        diagnostics: Further figures, by name.
    """

    name: str
    outcome: Outcome
    reason: str
    metric: str = ""
    value: float | None = None
    threshold: float | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)


def judge(
    holdout: pd.DataFrame,
    columns: Columns,
    scores: Floats,
    champion: Floats | None,
    fair: npt.NDArray[np.bool_] | None = None,
) -> list[Check]:
    """Runs all checks.

    Args:
        holdout: Labelled customers that the challenger was not fitted on.
        columns: What the challenger reads.
        scores: The challenger's probabilities for the holdout.
        champion: The champion's probabilities for the holdout, if there is a champion.
        fair: Rows of the holdout on which both may be compared; None for all.
    """
    broken = {
        who: int((~np.isfinite(values)).sum())
        for who, values in (("challenger", scores), ("champion", champion))
        if values is not None and not np.isfinite(values).all()
    }
    if broken:
        reason = "; ".join(f"the {who} gave no number for {count} customers" for who, count in broken.items())
        return [Check("scores", Outcome.ERROR, reason)]
    labels = holdout["churned"].to_numpy(np.int64)
    metrics = evaluate(labels, scores)
    base_rate = metrics["base_rate"]
    constant = float(brier_score_loss(labels, np.full(len(labels), base_rate)))
    checks = [
        _at_least("discrimination", "auc", metrics["auc"], THRESHOLDS.min_auc),
        _at_least("precision", "average_precision", metrics["average_precision"], least_precision(base_rate)),
        _at_most("calibration", "calibration_error", metrics["calibration_error"], THRESHOLDS.max_calibration_error),
        _at_most("skill", "brier", metrics["brier"], constant),
        *(by_slice(holdout, column, labels, scores) for column in THRESHOLDS.slices),
        _at_most("leak", "auc", metrics["auc"], THRESHOLDS.max_auc),
        single_feature(holdout, columns, labels),
    ]
    if champion is not None:
        rows = np.ones(len(labels), np.bool_) if fair is None else fair
        checks.append(against_champion(labels[rows], scores[rows], champion[rows]))
    return checks


def least_precision(base_rate: float) -> float:
    """The least average precision allowed where a share of customers, the base rate, leaves."""
    return min(
        THRESHOLDS.min_precision_over_base_rate * base_rate, base_rate + THRESHOLDS.min_precision_gain * (1 - base_rate)
    )


def against_champion(labels: Labels, scores: Floats, champion: Floats) -> Check:
    """Compares the challenger's AUC with the champion's on the same customers."""
    if np.bincount(labels, minlength=2).min() < THRESHOLDS.min_slice_rows:
        reason = (
            f"the champion has seen the holdout: not {THRESHOLDS.min_slice_rows} leavers and stayers are new to both"
        )
        return Check("champion", Outcome.ERROR, reason)
    return _at_least("champion", "auc", auc(labels, scores), auc(labels, champion) - THRESHOLDS.max_auc_loss)


def decide(checks: Sequence[Check]) -> Outcome:
    """Passed when every check passed; a check that could not be tested decides before one that failed."""
    outcomes = {check.outcome for check in checks}
    if not outcomes or Outcome.ERROR in outcomes:
        return Outcome.ERROR
    return Outcome.FAILED if Outcome.FAILED in outcomes else Outcome.PASSED


def by_slice(holdout: pd.DataFrame, column: str, labels: Labels, scores: Floats) -> Check:
    """Compares the worst AUC among the values of a column with the least allowed; small slices are not judged."""
    name = f"slice_{column}"
    if column not in holdout:
        return Check(
            name, Outcome.ERROR, f"{column} is no feature any more: take it out of the slices of the thresholds"
        )
    by_value: dict[str, float] = {}
    for value in sorted(holdout[column].dropna().unique()):
        rows = (holdout[column] == value).to_numpy()
        if np.bincount(labels[rows], minlength=2).min() >= THRESHOLDS.min_slice_rows:
            by_value[f"{value}"] = auc(labels[rows], scores[rows])
    if not by_value:
        reason = f"no value of {column} has {THRESHOLDS.min_slice_rows} customers who left and as many who stayed"
        return Check(name, Outcome.ERROR, reason)
    worst = min(by_value, key=lambda value: by_value[value])
    return _at_least(name, f"auc where {column} is {worst}", by_value[worst], THRESHOLDS.min_slice_auc, by_value)


def single_feature(holdout: pd.DataFrame, columns: Columns, labels: Labels) -> Check:
    """Compares the best AUC that any one column has by itself with the most allowed.

    A category counts as the rate of leavers among its customers, a number as itself or its opposite, an unknown number
    as lower than all.
    """
    by_column: dict[str, float] = {}
    for column in columns.categorical:
        rates = pd.Series(labels).groupby(holdout[column].fillna("").to_numpy()).transform("mean")
        by_column[column] = auc(labels, rates.to_numpy(np.float64))
    for column in columns.numeric:
        values = np.asarray(holdout[column].rank().fillna(0), dtype=np.float64)
        by_column[column] = max(auc(labels, values), auc(labels, -values))
    best = max(by_column, key=lambda column: by_column[column])
    return _at_most("leak_feature", f"auc of {best}", by_column[best], THRESHOLDS.max_feature_auc, by_column)


def _at_least(
    name: str, metric: str, value: float, threshold: float, diagnostics: dict[str, float] | None = None
) -> Check:
    passed = value >= threshold
    reason = f"{metric} is {value:.4f}, {'at least' if passed else 'below the least allowed,'} {threshold:.4f}"
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    return Check(name, outcome, reason, metric, value, threshold, diagnostics or {})


def _at_most(
    name: str, metric: str, value: float, threshold: float, diagnostics: dict[str, float] | None = None
) -> Check:
    passed = value <= threshold
    reason = f"{metric} is {value:.4f}, {'at most' if passed else 'above the most allowed,'} {threshold:.4f}"
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    return Check(name, outcome, reason, metric, value, threshold, diagnostics or {})
