"""What the tests of models share: Telco as the labelled customers, gold tables, and how an entry point is run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churn.data import telco
from churn.training import bootstrap, train
from churn.training.dataset import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Row, SparkSession

CATALOG = "churn_models"
TODAY = date(2026, 1, 31)
LEAD, HORIZON = 0, 30
EXPERIMENT = "0"  # the one that every MLflow server has
OBSERVED = TODAY - timedelta(days=LEAD + HORIZON)


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
        table = f"{CATALOG}.silver.customer_versions"
        self.spark.createDataFrame(versions).write.mode("overwrite").saveAsTable(table)

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
