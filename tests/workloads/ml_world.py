"""Base of the tests of models: Telco as the labelled customers, gold tables, versions, and runs of entry points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.data import telco
from churn.feature_engineering.feature import Columns
from churn.feature_engineering.groups import COLUMNS
from churn.serving import registry
from churn.serving.bands import BANDS
from churn.serving.packaging import log
from churn.training import bootstrap, train
from churn.training.models import fit_calibrated

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Row, SparkSession

    from churn.serving.model_version import Version

CATALOG = "churn_models"
TODAY = date(2026, 1, 31)
LEAD, HORIZON = 0, 30
EXPERIMENT = "0"  # the one that every MLflow server has
OBSERVED = TODAY - timedelta(days=LEAD + HORIZON)
TAGS = {  # of a version that was trained on `TODAY`
    "lead_days": str(LEAD),
    "horizon_days": str(HORIZON),
    "settle_days": "0",
    "date": TODAY.isoformat(),
    "kind": "logistic_regression",
    "split": "customer",
    "holdout_date": OBSERVED.isoformat(),
}
# What versions read that were trained when there was a feature more, or less, of either kind.
FURTHER = Columns((*COLUMNS.categorical, "region"), (*COLUMNS.numeric, "visits_7d"))
FEWER = Columns(COLUMNS.categorical[1:], COLUMNS.numeric[:-1])


def labelled_telco(observed: date = OBSERVED) -> pd.DataFrame:
    """Telco with the model's columns and types, `churned`, and one observation date; what Telco lacks is noise."""
    frame = telco()
    frame["churned"] = (frame["churn"] == "Yes").astype(int)
    noise = np.random.default_rng(7)
    for column in COLUMNS.numeric:
        if column not in frame:
            frame[column] = noise.normal(size=len(frame))
    for column in COLUMNS.categorical:
        if column not in frame:
            frame[column] = noise.choice(["a", "b"], size=len(frame))
    frame["observation_date"] = observed
    frame = frame.astype(dict.fromkeys(COLUMNS.numeric, np.float64))
    return frame[["customer_id", "observation_date", *COLUMNS.all, "churned"]]


@dataclass(frozen=True)
class World:
    """A catalog whose gold tables are Telco, beside an MLflow server.

    Attributes:
        spark: Session on the server.
        frame: The labelled customers, observed at `OBSERVED`.
    """

    spark: SparkSession
    frame: pd.DataFrame

    @property
    def active(self) -> set[str]:
        """Customers who have features on `TODAY`: those who stayed."""
        return set(self.frame.loc[self.frame["churned"] == 0, "customer_id"])

    def write_gold(self) -> None:
        """Writes gold.churn_features and gold.churn_labels, and silver.customer_versions with who left when."""
        today = self.frame[self.frame["churned"] == 0].assign(observation_date=TODAY)
        features = pd.concat([self.frame, today])[["customer_id", "observation_date", *COLUMNS.all]]
        labels = self.frame[["customer_id", "observation_date", "churned"]]
        labels = labels.assign(lead_days=LEAD, horizon_days=HORIZON)
        for name, rows in {"churn_features": features, "churn_labels": labels}.items():
            self.spark.createDataFrame(rows).write.mode("overwrite").saveAsTable(f"{CATALOG}.gold.{name}")
        left = self.frame["churned"].map({1: TODAY, 0: None})
        versions = self.frame.assign(churn_date=left, as_of=TODAY, signup_date=OBSERVED, _file="f")
        rows = self.spark.createDataFrame(versions)
        for column in contract_of("customer").columns:  # of whom nobody asks who they are
            if column.name not in versions.columns:
                rows = rows.withColumn(column.name, sf.lit(None).cast(column.type))
        rows.write.mode("overwrite").saveAsTable(f"{CATALOG}.silver.customer_versions")

    def rows(self, query: str) -> list[Row]:
        """Answers a query in which table names are `schema.table` after `{}`."""
        return self.spark.sql(query.format(f"{CATALOG}.")).collect()


def run(main: Callable[[list[str]], None], model: str | None = None, run_id: str = "1", **options: object) -> None:
    """Runs an entry point on `TODAY`."""
    parameters = {"catalog": CATALOG, "date": TODAY, "run_id": run_id, **options}
    if model:
        parameters["model"] = model
    if main in (bootstrap.main, train.main):
        parameters["experiment_id"] = EXPERIMENT
    main([f"--{name}={value}" for name, value in parameters.items()])


def with_further(frame: pd.DataFrame) -> pd.DataFrame:
    """Labelled customers with the features of `FURTHER`, which are noise."""
    noise = np.random.default_rng(8)
    return frame.assign(region=noise.choice(["n", "s"], len(frame)), visits_7d=noise.normal(size=len(frame)))


def challenge(model: str, frame: pd.DataFrame, columns: Columns = COLUMNS) -> Version:
    """Registers a model fitted on labelled customers as the challenger."""
    estimator = fit_calibrated("logistic_regression", frame, columns)
    with mlflow.start_run(experiment_id=EXPERIMENT):
        info = log(estimator, columns, frame.head(1), BANDS)
    version = registry.register(info, model, TAGS, "for a test")
    registry.set_alias(version, registry.CHALLENGER)
    return version
