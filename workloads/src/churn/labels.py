"""Who left within a horizon: the labels that features are joined to by customer and observation date."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

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


def build(active: DataFrame, known_today: DataFrame, observed: date, lead_days: int, horizon_days: int) -> DataFrame:
    """Labels the customers who were active on an observation date.

    The label window is (observed + lead, observed + lead + horizon], both in days. A customer who left between the
    observation date and the window has no label: neither was the leaving in the window, nor did they stay.

    Args:
        active: Customers active on the observation date, with `customer_id`.
        known_today: Customers as known after the window, with `customer_id` and `churn_date`.
        observed: Observation date.
        lead_days: Days between observation and window: time to act.
        horizon_days: Length of the window.

    Returns:
        `customer_id`, `observation_date`, `lead_days`, `horizon_days`, `churned` (0 or 1).
    """
    begin = observed + timedelta(days=lead_days)
    end = begin + timedelta(days=horizon_days)
    left = known_today.select("customer_id", "churn_date")
    within = (sf.col("churn_date") > sf.lit(begin)) & (sf.col("churn_date") <= sf.lit(end))
    stayed = sf.col("churn_date").isNull() | (sf.col("churn_date") > sf.lit(begin))
    return (
        active.select("customer_id")
        .join(left, "customer_id", "left")
        .where(stayed)
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
