"""Entry point `train`: fits both kinds of model on the labelled customers and registers the better one as `challenger`.

The better one has the higher cross-validated AUC on the training part; the holdout only judges. Nothing is fitted while
the champion is younger than `retrain_days`, before any label is complete (the first weeks of a new source), or when the
challenger has learned from the same data. The rows to learn from must fit into the memory of one node, so observations
from more than `history_days` before the logical date are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from pyspark.sql import functions as sf
from sklearn.calibration import CalibratedClassifierCV

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.tables import LABELS
from churn.feature_engineering.groups import COLUMNS, FEATURES
from churn.serving import registry
from churn.serving.bands import BANDS
from churn.serving.packaging import log
from churn.training.dataset import Split, fingerprint, labelled, split
from churn.training.metrics import Floats, evaluate
from churn.training.models import KINDS, cross_validate, fit_calibrated, importances
from churn.training.plots import quality, weights

if TYPE_CHECKING:
    from churn.core.label_window import LabelWindow
    from churn.feature_engineering.feature import Columns
    from churn.serving.model_version import Version
    from churn.tasks import TrainOptions


@dataclass(frozen=True)
class Candidate:
    """One fitted kind of model.

    Attributes:
        kind: Name out of `churn.training.models.KINDS`.
        estimator: Fitted and calibrated on the training part.
        metrics: On the holdout, as `churn.training.metrics.evaluate` has them, and `cross_validated_auc` of the
            training part.
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


def reason_to_wait(today: date, retrain_days: int, champion: Version | None) -> str | None:
    """Reason why the champion needs no successor on a day; None if it needs one.

    Args:
        today: Logical date.
        retrain_days: Age in days from which a champion is replaced.
        champion: The version in use; a bootstrap model is always due.
    """
    if champion is None or champion.bootstrap:
        return None
    age = (today - champion.registered_on).days
    if age >= retrain_days:
        return None
    return f"champion version {champion.number} is {age} days old, younger than retrain_days={retrain_days}"


def reason_to_skip(data: str, challenger: Version | None) -> str | None:
    """Reason why training would teach nothing new: the data are those of the last training; None if they are not.

    Args:
        data: Fingerprint of what training would learn from.
        challenger: The version trained last.
    """
    if challenger and challenger.tags.get("data_fingerprint") == data:
        return f"challenger version {challenger.number} has learned from the same data ({data})"
    return None


def train(frame: pd.DataFrame, run: Run, options: TrainOptions, data: str) -> Version:
    """Fits, tracks and compares the kinds, and registers the better one.

    Args:
        frame: Labelled customers, as from `churn.training.dataset.labelled`.
        run: The run that trains.
        options: Its model, experiment and label window.
        data: Fingerprint of the frame.
    """
    parts = split(frame, options.window)
    tags = {
        "date": run.date.isoformat(),
        "run_id": run.run_id,
        **options.window.parameters,
        "data_fingerprint": data,
        "split": str(parts.rule),
        "holdout_date": parts.holdout_date.isoformat(),
    }
    mlflow.set_experiment(experiment_id=options.experiment_id)
    logged = {}
    for kind in KINDS:
        with mlflow.start_run(run_name=f"{kind} {run.date}", tags=tags):
            candidate = fit(kind, parts, COLUMNS)
            logged[kind] = candidate, _track(candidate, parts)
    best, info = max(logged.values(), key=lambda entry: entry[0].metrics["cross_validated_auc"])
    version = registry.register(
        info, options.model, {**tags, "kind": best.kind}, _description(best, run, options.window, parts)
    )
    registry.set_alias(version, registry.CHALLENGER)
    for kind, (candidate, _) in logged.items():
        figures = ", ".join(f"{name} {value:.4f}" for name, value in candidate.metrics.items())
        print(f"{kind}: {figures}")
    print(f"version {version.number} of {options.model} is {best.kind}, alias {registry.CHALLENGER}")
    return version


def main(argv: Sequence[str] | None = None) -> None:
    """Trains if the champion is due for a successor, and says why if not.

    Raises:
        DatasetError: The labelled customers lack leavers or stayers.
    """
    run, options = parse(tasks.TRAIN, argv)
    reason = train_if_due(run, options)
    if reason:
        print(f"no training on {run.date}: {reason}")


def train_if_due(run: Run, options: TrainOptions) -> str | None:
    """Trains on the complete labels if a successor is due.

    The champion's age is looked at first, since reading the labels takes long.

    Returns:
        Reason why it did not train; None if it did.
    """
    reason = reason_to_wait(run.date, options.retrain_days, registry.aliased(options.model, registry.CHAMPION))
    if reason:
        return reason
    spark = spark_session()
    recent = sf.col("observation_date") >= sf.lit(run.date - timedelta(days=options.history_days))
    features, labels = (spark.table(run.table(table.name)).where(recent) for table in (FEATURES, LABELS))
    window = options.window
    frame = labelled(features, labels, run.date, window, COLUMNS).toPandas()
    if frame.empty:
        return (
            f"no label with lead_days={window.lead_days} and horizon_days={window.horizon_days} of the last "
            f"history_days={options.history_days} is complete; one is {window.days} days after its observation date, "
            "if `features` ran with these settings"
        )
    data = fingerprint(frame)
    reason = reason_to_skip(data, registry.aliased(options.model, registry.CHALLENGER))
    if reason is None:
        train(frame, run, options, data)
    return reason


def _track(candidate: Candidate, parts: Split) -> mlflow.models.model.ModelInfo:
    """Logs parameters, metrics, figures and the model of a candidate under the active MLflow run."""
    model = candidate.estimator.calibrated_classifiers_[0].estimator.named_steps["model"]
    parameters = {name: value for name, value in model.get_params().items() if value is not None}
    mlflow.log_params(
        {"kind": candidate.kind, **parameters, "train_rows": len(parts.train), "holdout_rows": len(parts.holdout)}
    )
    mlflow.log_metrics(candidate.metrics)
    for name, figure in quality(parts.holdout["churned"].to_numpy(np.int64), candidate.scores).items():
        mlflow.log_figure(figure, name)
    mlflow.log_figure(weights(importances(candidate.estimator)), "weights.png")
    return log(candidate.estimator, COLUMNS, typical(parts.train, COLUMNS), BANDS)


def typical(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """One row of usual values as an example: a model stays for long, and must not keep a customer's.

    Args:
        frame: Labelled customers.
        columns: What a model reads of them.

    Returns:
        Of each number the median, of each category the most frequent one.
    """
    categories = {name: next(iter(frame[name].mode()), "") for name in columns.categorical}
    numbers = {name: float(frame[name].median()) for name in columns.numeric}
    return pd.DataFrame([{**categories, **numbers}])


def _description(best: Candidate, run: Run, window: LabelWindow, parts: Split) -> str:
    return (
        f"Probability that a customer leaves within {window.horizon_days} days, from {window.lead_days} days "
        f"after observation on. {best.kind}, calibrated, fitted on {len(parts.train)} rows up to {run.date}; AUC "
        f"{best.metrics['auc']:.4f} on {len(parts.holdout)} customers kept back (by {parts.rule})."
    )


if __name__ == "__main__":
    main()
