"""Builds the features of one observation date, point in time: nothing dated or reported later is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.feature_engineering.feature import Feature, Known
from churn.feature_engineering.groups import CATEGORICAL, GROUPS, NUMERIC
from churn.transforms.latest import latest

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import Column, DataFrame


def known_customers(changes: DataFrame, observed: date) -> DataFrame:
    """Each customer as last reported by the observation date.

    Args:
        changes: silver.customer_versions: every accepted report of a customer.
        observed: Observation date, included.
    """
    return latest(changes.where(sf.col("as_of") <= sf.lit(observed)), contract_of("customer"))


def active_customers(known: DataFrame, observed: date) -> DataFrame:
    """Those of `known_customers` who had signed up and not left by the end of the observation date."""
    has_left = sf.col("churn_date").isNotNull() & (sf.col("churn_date") <= sf.lit(observed))
    return known.where((sf.col("signup_date") <= sf.lit(observed)) & ~has_left)


def build(
    customers: DataFrame,
    *,
    transactions: DataFrame,
    support: DataFrame,
    marketing: DataFrame,
    usage: DataFrame,
    observed: date,
) -> DataFrame:
    """Builds the features of all groups.

    Of a row's reports the last one by the observation date is read, whenever this runs: a bill that turns from `late`
    to `paid` afterwards is late. The first report counts from the day that the row is dated, since history may be
    delivered long after it. Uses do not change, so the latest report of each is read.

    Args:
        customers: As from `active_customers`.
        transactions: silver.transactions_versions: every accepted report of a bill.
        support: silver.support_versions, of a ticket.
        marketing: silver.marketing_versions, of a contact.
        usage: Uses of the services, in the columns of silver.usage.
        observed: Observation date; windows of n days are (observed - n, observed].

    Returns:
        One row per active customer: `customer_id`, `observation_date`, and the features, categories before numbers.
    """
    known = Known(
        observed=observed,
        customers=customers,
        bills=latest(transactions, contract_of("transactions"), observed),
        tickets=latest(support, contract_of("support"), observed),
        contacts=latest(marketing, contract_of("marketing"), observed),
        usage=usage,
    )
    frame = customers
    for group in GROUPS:
        frame = group.build(frame, known)
    features = [_typed_column(feature) for feature in (*CATEGORICAL, *NUMERIC)]
    return frame.select("customer_id", sf.lit(observed).alias("observation_date"), *features)


def _typed_column(feature: Feature) -> Column:
    """The column of a feature in its type, with its default where it is NULL."""
    value = sf.col(feature.name)
    if feature.default is not None:
        value = sf.coalesce(value, sf.lit(feature.default))
    return value.cast(feature.type).alias(feature.name)
