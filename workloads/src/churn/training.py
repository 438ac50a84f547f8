"""Fits both kinds of model on the labelled customers and registers the better one as `challenger`.

The better one has the higher cross-validated AUC on the training part, so the holdout judges only. Nothing is fitted
while the champion is younger than `retrain_days`, or when the challenger has learned from the very same data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV

from churn import registry
from churn.dataset import COLUMNS, Split, fingerprint, labelled, split
from churn.entry import Run, parse, parser, spark_session
from churn.metrics import Floats, evaluate
from churn.models import KINDS, Columns, cross_validate, fit_calibrated, importances
from churn.plots import quality, weights

if TYPE_CHECKING:
    from churn.registry import Version

EXAMPLE_ROWS = 3


@dataclass(frozen=True)
class Candidate:
    """One fitted kind of model.

    Attributes:
        kind: Name out of `churn.models.KINDS`.
        estimator: Fitted and calibrated on the training part.
        metrics: On the holdout, as `churn.metrics.evaluate` has them, and `cross_validated_auc` of the training part.
        scores: Probabilities for the holdout.
    """

    kind: str
    estimator: CalibratedClassifierCV
    metrics: dict[str, float]
    scores: Floats


def fit(kind: str, parts: Split, columns: Columns) -> Candidate:
    """Fits a kind on the training part and measures it on the holdout; the same data give the same model."""
    folds = cross_validate(parts.train, columns, kinds=[kind], repeats=1)
    estimator = fit_calibrated(kind, parts.train, columns)
    scores = estimator.predict_proba(parts.holdout[columns.all])[:, 1]
    metrics = evaluate(parts.holdout["churned"].to_numpy(np.int64), scores)
    return Candidate(kind, estimator, {**metrics, "cross_validated_auc": float(folds["auc"].mean())}, scores)


def skip_reason(
    today: date, data: str, retrain_days: int, champion: Version | None, challenger: Version | None
) -> str | None:
    """Why no training is due on a day, or None when it is.

    Args:
        today: Logical date.
        data: Fingerprint of what training would learn from.
        retrain_days: Age in days from which a champion is replaced.
        champion: The version in use; a bootstrap model has no age.
        challenger: The version trained last.
    """
    if champion and not champion.bootstrap:
        age = (today - date.fromisoformat(champion.tags["date"])).days
        if age < retrain_days:
            return f"champion version {champion.number} is {age} days old, younger than retrain_days={retrain_days}"
    if challenger and challenger.tags.get("data_fingerprint") == data:
        return f"challenger version {challenger.number} has learned from the same data ({data})"
    return None


def train(frame: pd.DataFrame, run: Run, data: str) -> Version:
    """Fits, tracks and compares the kinds, and registers the better one.

    Args:
        frame: Labelled customers, as from `churn.dataset.labelled`.
        run: Its options name `model`, `lead_days` and `horizon_days`.
        data: Fingerprint of the frame.
    """
    options = run.options
    parts = split(frame, options.lead_days, options.horizon_days)
    tags = {
        "date": run.date.isoformat(),
        "run_id": run.run_id,
        "lead_days": str(options.lead_days),
        "horizon_days": str(options.horizon_days),
        "data_fingerprint": data,
        "features": json.dumps(COLUMNS.all),
        "split": parts.rule,
    }
    registry.experiment(options.model)
    logged = {}
    for kind in KINDS:
        with mlflow.start_run(run_name=f"{kind} {run.date}", tags=tags):
            candidate = fit(kind, parts, COLUMNS)
            logged[kind] = candidate, _track(candidate, parts)
    best, info = max(logged.values(), key=lambda entry: entry[0].metrics["cross_validated_auc"])
    version = registry.register(info, options.model, {**tags, "kind": best.kind}, _description(best, run, parts))
    registry.set_alias(version, registry.CHALLENGER)
    for kind, (candidate, _) in logged.items():
        figures = ", ".join(f"{name} {value:.4f}" for name, value in candidate.metrics.items())
        print(f"{kind}: {figures}")
    print(f"version {version.number} of {options.model} is {best.kind}, alias {registry.CHALLENGER}")
    return version


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", required=True, help="registered model, such as churn_dev.mlops.churn_model")
    arguments.add_argument("--lead_days", required=True, type=int, help="days between observation and label window")
    arguments.add_argument("--horizon_days", required=True, type=int, help="length of the label window in days")
    arguments.add_argument("--retrain_days", required=True, type=int, help="age at which a champion is replaced")
    run = parse(arguments, argv)
    options = run.options
    spark = spark_session()
    features, labels = spark.table(run.table("gold.churn_features")), spark.table(run.table("gold.churn_labels"))
    frame = labelled(features, labels, run.date, options.lead_days, options.horizon_days).toPandas()
    data = fingerprint(frame)
    champion = registry.aliased(options.model, registry.CHAMPION)
    challenger = registry.aliased(options.model, registry.CHALLENGER)
    reason = skip_reason(run.date, data, options.retrain_days, champion, challenger)
    if reason:
        print(f"no training on {run.date}: {reason}")
    else:
        train(frame, run, data)


def _track(candidate: Candidate, parts: Split) -> mlflow.models.model.ModelInfo:
    """Writes all that is known of a candidate into the active MLflow run."""
    model = candidate.estimator.calibrated_classifiers_[0].estimator.named_steps["model"]
    parameters = {name: value for name, value in model.get_params().items() if value is not None}
    mlflow.log_params(
        {"kind": candidate.kind, **parameters, "train_rows": len(parts.train), "holdout_rows": len(parts.holdout)}
    )
    mlflow.log_metrics(candidate.metrics)
    for name, figure in quality(parts.holdout["churned"].to_numpy(np.int64), candidate.scores).items():
        mlflow.log_figure(figure, name)
    mlflow.log_figure(weights(importances(candidate.estimator)), "weights.png")
    return registry.log(candidate.estimator, COLUMNS, parts.train.head(EXAMPLE_ROWS), rated=True)


def _description(best: Candidate, run: Run, parts: Split) -> str:
    return (
        f"Probability that a customer leaves within {run.options.horizon_days} days, from {run.options.lead_days} days "
        f"after observation on. {best.kind}, calibrated, fitted on {len(parts.train)} rows up to {run.date}; AUC "
        f"{best.metrics['auc']:.4f} on {len(parts.holdout)} customers kept back (by {parts.rule})."
    )


if __name__ == "__main__":
    main()
