"""Labelled customers: those that a model learns from, and those kept back to judge it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from churn.core.errors import FinalError
from churn.feature_engineering.inputs import inputs
from churn.serving.model_version import SplitRule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.core.label_window import LabelWindow
    from churn.feature_engineering.feature import Columns

HOLDOUT_PERCENT = 20
# Customers change little from a day to the next: daily observations would be near copies, at seven times the rows.
OBSERVED_EVERY_DAYS = 7


class DatasetError(FinalError):
    """No model can be fitted or judged on the labelled customers; the text says what is missing."""


@dataclass(frozen=True)
class Split:
    """Labelled customers in two parts.

    Attributes:
        train: Rows to fit on.
        holdout: Rows that no fit has seen, all of one observation date.
        rule: `time` when all training labels were complete by the holdout's observation date, `customer` when the
            holdout is a fifth of the customers by hash.
    """

    train: pd.DataFrame
    holdout: pd.DataFrame
    rule: SplitRule

    @property
    def holdout_date(self) -> date:
        """Observation date of the holdout."""
        return pd.Timestamp(self.holdout["observation_date"].iloc[0]).date()


def labelled(features: DataFrame, labels: DataFrame, today: date, window: LabelWindow, columns: Columns) -> DataFrame:
    """Joins features to labels: of the latest observation date with complete labels, and of each seventh day before it.

    Args:
        features: gold.churn_features.
        labels: gold.churn_labels.
        today: Logical date, by whose end a label must be complete.
        window: The label window.
        columns: What to read of the features.

    Returns:
        One row per customer and observation date: `customer_id`, `observation_date`, the columns (numbers as doubles),
        `churned`.
    """
    from pyspark.sql import functions as sf

    complete = labels.where(
        (sf.col("lead_days") == window.lead_days)
        & (sf.col("horizon_days") == window.horizon_days)
        & (sf.col("observation_date") <= sf.lit(window.labelled_date(today)))
    )
    newest = complete.agg(sf.max("observation_date").alias("newest"))
    spaced = sf.date_diff("newest", "observation_date") % OBSERVED_EVERY_DAYS == 0
    keys = ["customer_id", "observation_date"]
    chosen = complete.crossJoin(newest).where(spaced).select(*keys, sf.col("churned").cast("int"))
    return inputs(features, columns, *keys).join(chosen, keys)


def split(frame: pd.DataFrame, window: LabelWindow) -> Split:
    """Splits labelled customers such that the holdout shows how the model will do on later days.

    The holdout is the latest observation date. Training takes the dates whose labels were complete by then, so that
    nothing learned was unknown on the holdout's day. If there is no such date, the holdout is a fifth of the customers
    of the latest date, and training leaves these customers out at all dates. The hash of a customer's id alone decides,
    so the same customers are kept back in every training, and two models of different days can be judged on them.

    Args:
        frame: Labelled customers, as from `labelled`.
        window: The label window.

    Raises:
        DatasetError: A part would lack leavers or stayers.
    """
    dates = pd.to_datetime(frame["observation_date"])
    complete = dates + timedelta(days=window.days) <= dates.max()
    train, rule = frame[complete], SplitRule.TIME
    if train["churned"].nunique() != 2:
        train, rule = frame[~holdout_mask(frame)], SplitRule.CUSTOMER
    return Split(_checked(train, f"training part by {rule}"), holdout(frame[dates == dates.max()], rule), rule)


def holdout(newest: pd.DataFrame, rule: SplitRule) -> pd.DataFrame:
    """The holdout of a split, out of all labelled customers of its date.

    Args:
        newest: Labelled customers of the latest observation date, as from `labelled`.
        rule: As in `Split`.

    Raises:
        DatasetError: Leavers or stayers are lacking.
    """
    return _checked(newest if rule is SplitRule.TIME else newest[holdout_mask(newest)], f"holdout by {rule}")


def fingerprint(frame: pd.DataFrame) -> str:
    """Hash of the rows whatever their order: the same data give the same text."""
    rows = pd.util.hash_pandas_object(frame[sorted(frame.columns)], index=False)
    return hashlib.sha256(rows.sort_values().to_numpy().tobytes()).hexdigest()[:16]


def _bucket(customer_id: str) -> int:
    """Number from 0 to 99 that a customer always has."""
    return int.from_bytes(hashlib.sha256(customer_id.encode()).digest()[:4], "big") % 100


def holdout_mask(frame: pd.DataFrame) -> pd.Series[bool]:
    """Mask of the rows whose customers are kept back from every training by customer."""
    return frame["customer_id"].map(_bucket) < HOLDOUT_PERCENT


def _checked(part: pd.DataFrame, name: str) -> pd.DataFrame:
    """The part in an order that is always the same, if both outcomes occur in it."""
    if part["churned"].nunique() != 2:
        raise DatasetError(
            f"the {name} ({len(part)} rows) lacks an outcome: a model needs customers who left and customers who stayed"
        )
    return part.sort_values(["observation_date", "customer_id"], ignore_index=True)
