"""Who left within a horizon: the labels that features are joined to by customer and observation date."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.transforms import conform

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def add_window(arguments: argparse.ArgumentParser) -> None:
    """Adds the parameters that say where a label's window lies, and when all who left in it are known."""
    helps = {
        "lead_days": "days between observation and label window",
        "horizon_days": "length of the label window in days",
        "settle_days": "days that a report of leaving may be late",
    }
    for name, text in helps.items():
        arguments.add_argument(f"--{name}", required=True, type=_days, help=text)


def labelled_date(today: date, lead_days: int, horizon_days: int, settle_days: int) -> date:
    """The latest observation date whose label is complete: those who left in its window are reported by today's end."""
    return today - timedelta(days=lead_days + horizon_days + settle_days)


def build(
    active: DataFrame, changes: DataFrame, today: date, observed: date, lead_days: int, horizon_days: int
) -> DataFrame:
    """Labels the customers who were active on an observation date.

    The label window is (observed + lead, observed + lead + horizon], both in days. A customer who left between the
    observation date and the window has no label: neither was the leaving in the window, nor did they stay. Of several
    leavings the first counts: one who left and came back has left. Of several reports of one day (`as_of`) the last
    delivered counts, as in silver.customer: a correction leaves nothing of what it corrects.

    Args:
        active: Customers active on the observation date as known on it, with `customer_id` and `churn_date`.
        changes: silver.customer_versions: every accepted report of a customer.
        today: Reports up to this day are known.
        observed: Observation date.
        lead_days: Days between observation and window: time to act.
        horizon_days: Length of the window.

    Returns:
        `customer_id`, `observation_date`, `lead_days`, `horizon_days`, `churned` (0 or 1).
    """
    begin = observed + timedelta(days=lead_days)
    end = begin + timedelta(days=horizon_days)
    since = changes.where((sf.col("as_of") > sf.lit(observed)) & (sf.col("as_of") <= sf.lit(today)))
    last = sf.max_by("churn_date", conform.order(contract_of("customer")))
    of_day = since.groupBy("customer_id", "as_of").agg(last.alias("left"))
    reported = of_day.groupBy("customer_id").agg(sf.min("left").alias("reported"))
    left = sf.least("churn_date", "reported")  # the one that is given, where one is NULL
    within = (left > sf.lit(begin)) & (left <= sf.lit(end))
    return (
        active.select("customer_id", "churn_date")
        .join(reported, "customer_id", "left")
        .where(left.isNull() | (left > sf.lit(begin)))
        .select(
            "customer_id",
            sf.lit(observed).alias("observation_date"),
            sf.lit(lead_days).alias("lead_days"),
            sf.lit(horizon_days).alias("horizon_days"),
            sf.coalesce(within, sf.lit(False)).cast("int").alias("churned"),
        )
    )


def _days(text: str) -> int:
    days = int(text)
    if days < 0:
        raise argparse.ArgumentTypeError(f"{days} is less than 0")
    return days
