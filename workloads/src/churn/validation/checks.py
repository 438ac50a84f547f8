"""What a challenger must show before it becomes champion. Holdout and scores in, outcomes out; no I/O.

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

On a fifth of Telco a sound model has AUC 0.86, average precision 2.6 times the base rate, calibration error 0.02 to
0.05, AUC 0.71 or more in its slices, and no column above 0.76: it passes with room for chance.

* Where more than half leave, half way from the base rate to 1: 1.5 times the base rate would soon be above 1, which no
model reaches, and half way is about what a ranking of AUC 0.75 has there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import brier_score_loss

from churn.training.metrics import Floats, Labels, auc, evaluate
from churn.training.models import Columns

MIN_AUC = 0.75
MIN_PRECISION_OVER_BASE_RATE = 1.5
MIN_PRECISION_GAIN = 0.5  # of what lies between the base rate, which chance has, and 1
MAX_CALIBRATION_ERROR = 0.08
MIN_SLICE_AUC = 0.60
MIN_SLICE_ROWS = 20  # of either outcome; an AUC of fewer says nothing (standard error 0.06 and more)
MAX_AUC = 0.95
MAX_FEATURE_AUC = 0.90
MAX_AUC_LOSS = 0.01
SLICES = ("contract", "senior_citizen", "internet_service")


class Outcome(StrEnum):
    """Of a check or a gate. `error` means that it could not be tested, which is not the same as `failed`."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One question put to a challenger, and the answer.

    Attributes:
        name: Such as `discrimination`.
        outcome: Passed, failed, or could not be tested.
        reason: One sentence for a person.
        metric: What was measured, such as `auc`; empty where nothing was.
        value: The measurement.
        threshold: What it was held against.
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
    """Puts all questions to a challenger.

    Args:
        holdout: Labelled customers that the challenger was not fitted on.
        columns: What it reads.
        scores: Its probabilities for the holdout.
        champion: The champion's, where there is one.
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
        _at_least("discrimination", "auc", metrics["auc"], MIN_AUC),
        _at_least("precision", "average_precision", metrics["average_precision"], least_precision(base_rate)),
        _at_most("calibration", "calibration_error", metrics["calibration_error"], MAX_CALIBRATION_ERROR),
        _at_most("skill", "brier", metrics["brier"], constant),
        *(by_slice(holdout[column], labels, scores) for column in SLICES),
        _at_most("leak", "auc", metrics["auc"], MAX_AUC),
        single_feature(holdout, columns, labels),
    ]
    if champion is not None:
        rows = np.ones(len(labels), np.bool_) if fair is None else fair
        checks.append(against_champion(labels[rows], scores[rows], champion[rows]))
    return checks


def least_precision(base_rate: float) -> float:
    """The least average precision allowed where a share of customers, the base rate, leaves."""
    return min(MIN_PRECISION_OVER_BASE_RATE * base_rate, base_rate + MIN_PRECISION_GAIN * (1 - base_rate))


def against_champion(labels: Labels, scores: Floats, champion: Floats) -> Check:
    """Holds the challenger's AUC against the champion's on the same customers."""
    if np.bincount(labels, minlength=2).min() < MIN_SLICE_ROWS:
        reason = f"the champion has seen the holdout: not {MIN_SLICE_ROWS} leavers and stayers are new to both"
        return Check("champion", Outcome.ERROR, reason)
    return _at_least("champion", "auc", auc(labels, scores), auc(labels, champion) - MAX_AUC_LOSS)


def decide(checks: Sequence[Check]) -> Outcome:
    """Passed when every check passed; a check that could not be tested decides before one that failed."""
    outcomes = {check.outcome for check in checks}
    if not outcomes or Outcome.ERROR in outcomes:
        return Outcome.ERROR
    return Outcome.FAILED if Outcome.FAILED in outcomes else Outcome.PASSED


def by_slice(values: pd.Series[str], labels: Labels, scores: Floats) -> Check:
    """Holds the worst AUC among the values of a column against the least allowed; small slices are not judged."""
    name = f"slice_{values.name}"
    found: dict[str, float] = {}
    for value in sorted(values.dropna().unique()):
        rows = (values == value).to_numpy()
        if np.bincount(labels[rows], minlength=2).min() >= MIN_SLICE_ROWS:
            found[f"{value}"] = auc(labels[rows], scores[rows])
    if not found:
        reason = f"no value of {values.name} has {MIN_SLICE_ROWS} customers who left and as many who stayed"
        return Check(name, Outcome.ERROR, reason)
    worst = min(found, key=lambda value: found[value])
    return _at_least(name, f"auc where {values.name} is {worst}", found[worst], MIN_SLICE_AUC, found)


def single_feature(holdout: pd.DataFrame, columns: Columns, labels: Labels) -> Check:
    """Holds the best AUC that any one column has by itself against the most allowed.

    A category counts as the rate of leavers among its customers, a number as itself or its opposite, an unknown number
    as lower than all.
    """
    found: dict[str, float] = {}
    for column in columns.categorical:
        rates = pd.Series(labels).groupby(holdout[column].fillna("").to_numpy()).transform("mean")
        found[column] = auc(labels, rates.to_numpy(np.float64))
    for column in columns.numeric:
        values = np.asarray(holdout[column].rank().fillna(0), dtype=np.float64)
        found[column] = max(auc(labels, values), auc(labels, -values))
    best = max(found, key=lambda column: found[column])
    return _at_most("leak_feature", f"auc of {best}", found[best], MAX_FEATURE_AUC, found)


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
