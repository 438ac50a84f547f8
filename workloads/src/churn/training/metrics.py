"""Metrics of predicted probabilities of leaving: arrays as input, one number as output."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

CALIBRATION_BINS = 10


def lift(labels: Labels, scores: Floats, fraction: float = 0.1) -> float:
    """Share of leavers in the best-scored fraction over their share in all; 1 is what chance gives."""
    top = np.argsort(-scores, kind="stable")[: max(1, round(len(scores) * fraction))]
    return float(labels[top].mean() / labels.mean())


def calibration_error(labels: Labels, scores: Floats, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: mean gap between predicted and seen rate over bins with equally many customers.

    Equal counts, since equal widths leave bins nearly empty where few score (Nixon et al. 2019, "Measuring Calibration
    in Deep Learning": adaptive calibration error).
    """
    parts = np.array_split(np.argsort(scores, kind="stable"), min(bins, len(scores)))
    return float(sum(len(part) * abs(scores[part].mean() - labels[part].mean()) for part in parts) / len(scores))


def auc(labels: Labels, scores: Floats) -> float:
    """Area under the ROC curve: how often a leaver scores above one who stays."""
    return float(roc_auc_score(labels, scores))


def evaluate(labels: Labels, scores: Floats) -> dict[str, float]:
    """All metrics of one set of scores.

    Args:
        labels: 1 for those who left, 0 for those who stayed; both must occur.
        scores: Predicted probabilities of leaving, in the same order.
    """
    return {
        "auc": auc(labels, scores),
        "average_precision": float(average_precision_score(labels, scores)),
        "brier": float(brier_score_loss(labels, scores)),
        "calibration_error": calibration_error(labels, scores),
        "lift_at_10_percent": lift(labels, scores),
        "base_rate": float(labels.mean()),
    }
