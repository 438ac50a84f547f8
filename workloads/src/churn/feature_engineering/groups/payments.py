"""Payments: whether a customer pays bills in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.feature_engineering.feature import Feature, FeatureGroup
from churn.feature_engineering.windows import counts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known


def build(customers: DataFrame, known: Known) -> DataFrame:
    """Counts bills that are not paid, or were paid late, by their status on the observation date."""
    late = sf.col("status") != "paid"
    rows = counts(known.bills, "transaction_date", known.observed, late_payments_90d=(90, late))
    return customers.join(rows, "customer_id", "left")


GROUP = FeatureGroup(
    name="payments",
    meaning="Whether the customer pays bills in time.",
    sources=("transactions_versions",),
    features=(
        Feature("late_payments_90d", "INT", "bills", "bills with another status than paid", window_days=90, default=0),
    ),
    build=build,
)
