"""Marketing: how a customer responds to campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.feature_engineering.feature import Feature, FeatureGroup
from churn.feature_engineering.windows import counts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known


def build(customers: DataFrame, known: Known) -> DataFrame:
    """Counts contacts to which the customer responded, by the day of the contact."""
    responses = {"campaign_responses_90d": (90, sf.col("responded"))}
    return customers.join(counts(known.contacts, "touch_date", known.observed, **responses), "customer_id", "left")


GROUP = FeatureGroup(
    name="marketing",
    meaning="How the customer responds to campaigns.",
    sources=("marketing_versions",),
    features=(
        Feature("campaign_responses_90d", "INT", "responses", "contacts responded to", window_days=90, default=0),
    ),
    build=build,
)
