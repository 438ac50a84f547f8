"""Thresholds of the gate, each with the source of its number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Numbers that the checks compare with.

    Chosen on Telco: on a fifth of it a sound model has AUC 0.86, average precision 2.6 times the base rate, calibration
    error 0.02 to 0.05, AUC 0.71 or more in its slices, and no single column above 0.76: it passes with room for chance.

    Attributes:
        min_auc: Least area under the ROC curve: half way from the 0.5 of chance to a perfect ranking.
        min_precision_over_base_rate: Least average precision, in base rates (chance has 1).
        min_precision_gain: Least average precision where more than half leave, as a share of the way from the base rate
            to 1: a multiple of the base rate would soon exceed 1 there. Half way is about what a ranking of AUC 0.75
            has.
        max_calibration_error: Most that predicted and seen rates may differ on average, as a probability.
        min_slice_auc: Least AUC among the customers of one value of a slice.
        min_slice_rows: Leavers, and stayers, that a slice must have to be judged: with fewer the standard error of the
            AUC exceeds 0.06.
        max_auc: Most that an honest model reaches; above it the label has leaked into the features.
        max_feature_auc: Most that one honest column reaches by itself.
        max_auc_loss: How much lower than the champion's AUC the challenger's may be, so that chance alone does not
            refuse a newer model of the same quality.
        slices: Columns whose values are judged apart.
    """

    min_auc: float = 0.75
    min_precision_over_base_rate: float = 1.5
    min_precision_gain: float = 0.5
    max_calibration_error: float = 0.08
    min_slice_auc: float = 0.60
    min_slice_rows: int = 20
    max_auc: float = 0.95
    max_feature_auc: float = 0.90
    max_auc_loss: float = 0.01
    slices: tuple[str, ...] = ("contract", "senior_citizen", "internet_service")


THRESHOLDS = Thresholds()
