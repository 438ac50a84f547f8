"""Support: how often a customer has asked for help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.feature_engineering.feature import Feature, FeatureGroup
from churn.feature_engineering.windows import counts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known


def build(customers: DataFrame, known: Known) -> DataFrame:
    """Counts tickets by the day on which they were opened."""
    rows = counts(known.tickets, "opened_date", known.observed, tickets_30d=(30, None), tickets_90d=(90, None))
    return customers.join(rows, "customer_id", "left")


GROUP = FeatureGroup(
    name="support",
    meaning="How often the customer has asked for help.",
    sources=("support_versions",),
    features=(
        Feature("tickets_30d", "INT", "tickets", "tickets opened", window_days=30, default=0),
        Feature("tickets_90d", "INT", "tickets", "tickets opened", window_days=90, default=0),
    ),
    build=build,
)
