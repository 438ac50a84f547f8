"""The labelled customers a model learns from, and those kept back to judge it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from churn.features import CATEGORICAL, NUMERIC
from churn.models import Columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

COLUMNS = Columns(CATEGORICAL, NUMERIC)
HOLDOUT_PERCENT = 20


class DatasetError(Exception):
    """The labelled customers do not allow a model to be fitted or judged; the text says what is missing."""


@dataclass(frozen=True)
class Split:
    """Labelled customers in two parts.

    Attributes:
        train: Rows to fit on.
        holdout: Rows that no fit has seen, all of one observation date.
        rule: `time` when all training labels were known by the holdout's observation date, `customer` when the
            holdout is a fifth of the customers by hash.
    """

    train: pd.DataFrame
    holdout: pd.DataFrame
    rule: str


def labelled(features: DataFrame, labels: DataFrame, today: date, lead_days: int, horizon_days: int) -> DataFrame:
    """Joins features to the labels that were complete on a day.

    Args:
        features: gold.churn_features.
        labels: gold.churn_labels.
        today: Logical date; what happened before it is known.
        lead_days: Days between observation and the label's window.
        horizon_days: Length of the label's window in days.

    Returns:
        One row per customer and observation date: `customer_id`, `observation_date`, the model's columns (numbers as
        doubles), `churned`.
    """
    from pyspark.sql import functions as sf

    latest = today - timedelta(days=lead_days + horizon_days)
    keys = ["customer_id", "observation_date"]
    complete = labels.where(
        (sf.col("lead_days") == lead_days)
        & (sf.col("horizon_days") == horizon_days)
        & (sf.col("observation_date") <= sf.lit(latest))
    ).select(*keys, sf.col("churned").cast("int"))
    return inputs(features, *keys).join(complete, keys)


def inputs(features: DataFrame, *keys: str) -> DataFrame:
    """The columns a model reads, in its types (strings and doubles), after the key columns given."""
    from pyspark.sql import functions as sf

    categorical = [sf.col(name).cast("string") for name in COLUMNS.categorical]
    numeric = [sf.col(name).cast("double") for name in COLUMNS.numeric]
    return features.select(*keys, *categorical, *numeric)


def split(frame: pd.DataFrame, lead_days: int, horizon_days: int) -> Split:
    """Keeps back a holdout that says how the model will do on days to come.

    The holdout is the latest observation date. Training takes the dates whose labels were complete by then, so that
    nothing learned was unknown on the holdout's day. Where there is no such date, the holdout is a fifth of the
    customers of the latest date, and training leaves those out at all dates. They are chosen by the hash of their id
    alone, so a customer stays kept back in every training, and two models of different days can be judged on them.

    Args:
        frame: Labelled customers, as from `labelled`.
        lead_days: Days between observation and the label's window.
        horizon_days: Length of the label's window in days.

    Raises:
        DatasetError: A part would lack leavers or stayers.
    """
    if frame.empty:
        raise DatasetError(
            f"no customer has a label with lead_days={lead_days} and horizon_days={horizon_days} that is complete by "
            "the logical date: run `features` with these settings, or start the history earlier"
        )
    frame = frame.sort_values(["observation_date", "customer_id"], ignore_index=True)
    dates = pd.to_datetime(frame["observation_date"])
    newest = dates == dates.max()
    known = dates + timedelta(days=lead_days + horizon_days) <= dates.max()
    if frame.loc[known, "churned"].nunique() == 2:
        return _checked(Split(frame[known], frame[newest], "time"))
    kept = frame["customer_id"].map(_bucket) < HOLDOUT_PERCENT
    return _checked(Split(frame[~kept], frame[kept & newest], "customer"))


def fingerprint(frame: pd.DataFrame) -> str:
    """Hash of the rows whatever their order: the same data give the same text."""
    rows = pd.util.hash_pandas_object(frame[sorted(frame.columns)], index=False)
    return hashlib.sha256(rows.sort_values().to_numpy().tobytes()).hexdigest()[:16]


def _bucket(customer_id: str) -> int:
    return int.from_bytes(hashlib.sha256(customer_id.encode()).digest()[:4], "big") % 100


def _checked(parts: Split) -> Split:
    for name, part in (("training", parts.train), ("holdout", parts.holdout)):
        if part["churned"].nunique() != 2:
            raise DatasetError(
                f"the {name} part ({len(part)} customers, split by {parts.rule}) holds only one outcome: "
                "a model needs customers who left and customers who stayed"
            )
    return Split(parts.train.reset_index(drop=True), parts.holdout.reset_index(drop=True), parts.rule)
