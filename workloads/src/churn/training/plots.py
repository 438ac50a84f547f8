"""Figures of a model's quality, drawn without a display."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from churn.training.metrics import CALIBRATION_BINS, Floats, Labels


def quality(labels: Labels, scores: Floats) -> dict[str, Figure]:
    """ROC, precision against recall, and calibration of scores on a holdout, by file name."""
    false_positives, true_positives, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    seen, predicted = calibration_curve(labels, scores, n_bins=CALIBRATION_BINS, strategy="quantile")

    figures = {}
    figures["roc.png"], axes = _figure("ROC", "false positive rate", "true positive rate")
    axes.plot(false_positives, true_positives)
    axes.plot([0, 1], [0, 1], linestyle=":")
    figures["precision_recall.png"], axes = _figure("Precision and recall", "recall", "precision")
    axes.plot(recall, precision)
    axes.axhline(labels.mean(), linestyle=":")
    figures["calibration.png"], axes = _figure("Calibration", "predicted probability", "share who left")
    axes.plot(predicted, seen, marker="o")
    axes.plot([0, 1], [0, 1], linestyle=":")
    return figures


def weights(importances: pd.Series[float], top: int = 20) -> Figure:
    """Bars of the weightiest inputs."""
    largest = importances.reindex(importances.abs().sort_values().index).tail(top)
    figure, axes = _figure("Weightiest inputs", "weight", "")
    axes.barh(largest.index.astype(str), largest.to_numpy())
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes
