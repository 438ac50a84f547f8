"""Charges: how long a customer has been one, and what they pay and have paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.feature_engineering.feature import Feature, FeatureGroup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.feature_engineering.feature import Known


def build(customers: DataFrame, known: Known) -> DataFrame:
    """Brings tenure and total of the last report up to the observation date."""
    observed = sf.lit(known.observed)
    billed = customers.join(_billed_since(known), "customer_id", "left")
    return billed.withColumns(
        {
            "tenure_months": sf.floor(sf.months_between(observed, "signup_date")),
            "total_charges": sf.coalesce("total_charges", sf.lit(0.0)) + sf.coalesce("billed_since", sf.lit(0.0)),
        }
    )


def _billed_since(known: Known) -> DataFrame:
    """Per customer, what was billed after the last report and by the observation date, in dollars.

    Summed as whole cents, since a sum of doubles differs in its last bits with the order of the rows.
    """
    reported = known.customers.select("customer_id", "as_of")
    dated = sf.col("transaction_date")
    return (
        known.bills.join(reported, "customer_id")
        .where((dated > sf.col("as_of")) & (dated <= sf.lit(known.observed)))
        .groupBy("customer_id")
        .agg(sf.sum(sf.col("amount").cast("decimal(18,2)")).cast("double").alias("billed_since"))
    )


GROUP = FeatureGroup(
    name="charges",
    meaning="How long the customer has been one, and what they pay and have paid.",
    sources=("customer", "transactions_versions"),
    features=(
        Feature("tenure_months", "INT", "whole months", "time since the customer signed up"),
        Feature("monthly_charges", "DOUBLE", "dollars a month", "monthly charges by the last report"),
        Feature(
            "total_charges", "DOUBLE", "dollars", "total of the last report (0 if it has none) and of the bills since"
        ),
    ),
    build=build,
)
