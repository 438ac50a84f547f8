"""Counts of a customer's rows within windows of days that end with the observation date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def counts(rows: DataFrame, dated: str, observed: date, **columns: tuple[int, Column | None]) -> DataFrame:
    """Counts rows by customer.

    Args:
        rows: Rows with `customer_id`.
        dated: Name of the column that dates a row.
        observed: Observation date.
        columns: By name of a count: the days of its window, and the condition that a row must meet, if any.

    Returns:
        `customer_id` and the counts, for the customers who have a row in the longest of the windows.
    """
    longest = max(days for days, _ in columns.values())
    aggregates = [
        sf.count_if(_within(dated, observed, days) & (sf.lit(True) if condition is None else condition)).alias(name)
        for name, (days, condition) in columns.items()
    ]
    return rows.where(_within(dated, observed, longest)).groupBy("customer_id").agg(*aggregates)


def _within(dated: str, observed: date, days: int) -> Column:
    """Whether a row is dated in (observed - days, observed]."""
    return (sf.col(dated) > sf.lit(observed - timedelta(days=days))) & (sf.col(dated) <= sf.lit(observed))
