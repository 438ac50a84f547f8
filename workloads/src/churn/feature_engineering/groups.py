"""What is known of a customer on an observation date, point in time: nothing dated or reported later is read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.transforms import conform

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CATEGORICAL: tuple[str, ...] = (
    "gender",
    "partner",
    "dependents",
    "phone_service",
    "multiple_lines",
    "internet_service",
    "online_security",
    "online_backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
    "contract",
    "paperless_billing",
    "payment_method",
)
NUMERIC: tuple[str, ...] = (
    "senior_citizen",
    "tenure_months",
    "monthly_charges",
    "total_charges",
    "late_payments_90d",
    "tickets_30d",
    "tickets_90d",
    "campaign_responses_90d",
    "events_7d",
    "events_30d",
    "usage_trend",
)
FRACTIONAL: tuple[str, ...] = ("monthly_charges", "total_charges", "usage_trend")


def known_customers(changes: DataFrame, observed: date) -> DataFrame:
    """Each customer as last reported by the observation date.

    Args:
        changes: silver.customer_versions: every accepted report of a customer.
        observed: Observation date, included.
    """
    return conform.latest(changes.where(sf.col("as_of") <= sf.lit(observed)), contract_of("customer"))


def active_customers(known: DataFrame, observed: date) -> DataFrame:
    """Those of `known_customers` who had signed up and not left by the end of the observation date."""
    left = sf.col("churn_date").isNotNull() & (sf.col("churn_date") <= sf.lit(observed))
    return known.where((sf.col("signup_date") <= sf.lit(observed)) & ~left)


def build(
    customers: DataFrame,
    *,
    transactions: DataFrame,
    support: DataFrame,
    marketing: DataFrame,
    events: DataFrame,
    observed: date,
) -> DataFrame:
    """Builds the features of one observation date.

    Of a row's reports the last one by the observation date is read, whenever this runs: a bill that turns from `late`
    to `paid` afterwards is late. The first report counts from the day that the row is dated, since history may be
    delivered long after it. A use is no state that changes: what was last reported of it is read.

    Args:
        customers: As from `active_customers`.
        transactions: silver.transactions_versions: every accepted report of a bill.
        support: silver.support_versions, of a ticket.
        marketing: silver.marketing_versions, of a contact.
        events: silver.events: uses.
        observed: Observation date; windows of n days are (observed - n, observed].

    Returns:
        One row per active customer: `customer_id`, `observation_date`, `CATEGORICAL`, `NUMERIC`. `total_charges` adds
        the bills since the customer's last report; `usage_trend` is the events of the last 30 days over those of the
        30 before, both plus one so that a silent customer has 1.
    """
    bills = conform.latest(transactions, contract_of("transactions"), observed)
    tickets = conform.latest(support, contract_of("support"), observed)
    contacts = conform.latest(marketing, contract_of("marketing"), observed)
    windows = [
        _counts(bills, "transaction_date", observed, late_payments_90d=(90, sf.col("status") != "paid")),
        _counts(tickets, "opened_date", observed, tickets_30d=(30, None), tickets_90d=(90, None)),
        _counts(contacts, "touch_date", observed, campaign_responses_90d=(90, sf.col("responded"))),
        _counts(events, "event_date", observed, events_7d=(7, None), events_30d=(30, None), events_60d=(60, None)),
    ]
    joined = customers.join(_billed_since(customers, bills, observed), "customer_id", "left")
    for window in windows:
        joined = joined.join(window, "customer_id", "left")
    counts = ["late_payments_90d", "tickets_30d", "tickets_90d", "campaign_responses_90d", "events_7d", "events_30d"]
    before = sf.coalesce("events_60d", sf.lit(0)) - sf.coalesce("events_30d", sf.lit(0))
    months = sf.floor(sf.months_between(sf.lit(observed), "signup_date"))
    computed: dict[str, Column] = {
        "tenure_months": months.cast("int"),
        "total_charges": sf.coalesce("total_charges", sf.lit(0.0)) + sf.coalesce("billed_since", sf.lit(0.0)),
        "usage_trend": (sf.coalesce("events_30d", sf.lit(0)) + 1) / (before + 1),
        **{name: sf.coalesce(name, sf.lit(0)).cast("int") for name in counts},
    }
    return joined.select(
        "customer_id",
        sf.lit(observed).alias("observation_date"),
        *CATEGORICAL,
        *(computed.get(name, sf.col(name)).alias(name) for name in NUMERIC),
    )


def _counts(rows: DataFrame, dated: str, observed: date, **counts: tuple[int, Column | None]) -> DataFrame:
    """Per customer, how many rows lie in a window of days and meet a condition, one column for each."""
    longest = max(days for days, _ in counts.values())
    columns = [
        sf.count_if(_within(dated, observed, days) & (sf.lit(True) if condition is None else condition)).alias(name)
        for name, (days, condition) in counts.items()
    ]
    return rows.where(_within(dated, observed, longest)).groupBy("customer_id").agg(*columns)


def _billed_since(customers: DataFrame, bills: DataFrame, observed: date) -> DataFrame:
    """Per customer, what was billed after the last report and by the observation date, in dollars.

    Summed as whole cents, since a sum of doubles differs in its last bits with the order of the rows.
    """
    reported = customers.select("customer_id", "as_of")
    dated = sf.col("transaction_date")
    return (
        bills.join(reported, "customer_id")
        .where((dated > sf.col("as_of")) & (dated <= sf.lit(observed)))
        .groupBy("customer_id")
        .agg(sf.sum(sf.col("amount").cast("decimal(18,2)")).cast("double").alias("billed_since"))
    )


def _within(dated: str, observed: date, days: int) -> Column:
    return (sf.col(dated) > sf.lit(observed - timedelta(days=days))) & (sf.col(dated) <= sf.lit(observed))
