"""Usage: how much a customer uses the service, and whether that grows or shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.feature_engineering.feature import Feature, FeatureGroup
from churn.feature_engineering.windows import counts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known


def build(customers: DataFrame, known: Known) -> DataFrame:
    """Counts usage events, and compares the last 30 days with the 30 before."""
    days = {"events_7d": (7, None), "events_30d": (30, None), "events_60d": (60, None)}
    rows = counts(known.usage, "event_date", known.observed, **days)
    before = sf.col("events_60d") - sf.col("events_30d")
    rows = rows.withColumn("usage_trend", (sf.col("events_30d") + 1) / (before + 1)).drop("events_60d")
    return customers.join(rows, "customer_id", "left")


GROUP = FeatureGroup(
    name="usage",
    meaning="How much the customer uses the service, and whether that grows or shrinks.",
    sources=("usage",),
    features=(
        Feature("events_7d", "INT", "events", "usage events", window_days=7, default=0),
        Feature("events_30d", "INT", "events", "usage events", window_days=30, default=0),
        Feature(
            "usage_trend",
            "DOUBLE",
            "ratio",
            "events of the last 30 days over those of the 30 before, one added to both",
            window_days=60,
            default=1,
        ),
    ),
    build=build,
)
