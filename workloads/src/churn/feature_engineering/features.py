"""Entry point `features`: builds gold.churn_features and gold.churn_labels.

It builds the features of the logical date, and the labels of the latest observation date whose label is complete: the
label window is over, and so are the days that a report of leaving may be late. Each date is replaced as a whole, labels
separately for each lead and horizon. Dates are independent, so a day costs a day, and a backfill is the same call with
another date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.tables import LABELS
from churn.feature_engineering import labels
from churn.feature_engineering.build import active_customers, build, known_customers
from churn.feature_engineering.groups import FEATURES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from churn.core.table import Table


class NoCustomersError(FinalError):
    """Nobody is active on the logical date: the source delivered nothing up to it, or the date is wrong."""


def main(argv: Sequence[str] | None = None) -> None:
    """Builds the features of the logical date, and the labels that are complete by it.

    Raises:
        NoCustomersError: Nobody is active on the logical date.
    """
    run, options = parse(tasks.FEATURES, argv)
    spark = spark_session()
    count = write_features(spark, run, run.date, options.usage_table)
    if count == 0:
        raise NoCustomersError(f"no customer is active on {run.date}: is --date right, and was anything delivered?")
    print(f"features of {count:,} active customers on {run.date}")
    observed = options.window.labelled_date(run.date)
    count = write_labels(spark, run, observed, options)
    print(f"labels of {count:,} customers observed on {observed}" if count else f"nobody was known on {observed}")


def write_features(spark: SparkSession, run: Run, observed: date, usage_table: str) -> int:
    """Replaces the features of one observation date; returns the number of customers."""
    rows = build(
        _active(spark, run, observed),
        transactions=_silver(spark, run, "transactions_versions"),
        support=_silver(spark, run, "support_versions"),
        marketing=_silver(spark, run, "marketing_versions"),
        usage=usage(spark.table(run.table(usage_table)), usage_table),
        observed=observed,
    )
    FEATURES.replace(rows, run.catalog, observed)
    return _count(spark, run, FEATURES, observed)


def usage(rows: DataFrame, table: str) -> DataFrame:
    """Uses of the services as silver.usage has them.

    Args:
        rows: Of `table`.
        table: `silver.usage`, or `silver.events`, where uses are events of a kind.
    """
    if table == tasks.USAGE:
        return rows
    kind = sf.col("feature").alias("event_type")
    return rows.where("kind = 'core_feature_use'").select("event_id", "customer_id", "event_date", kind, "minutes")


def write_labels(spark: SparkSession, run: Run, observed: date, options: tasks.FeaturesOptions) -> int:
    """Replaces the labels of one observation date, lead and horizon, and builds the date's features if there are none.

    Returns:
        Number of customers who have a label.
    """
    changes = _silver(spark, run, "customer_versions")
    window = options.window
    rows = labels.build(_active(spark, run, observed), changes, run.date, observed, window)
    part = observed, window.lead_days, window.horizon_days
    LABELS.replace(rows, run.catalog, *part)
    if _count(spark, run, FEATURES, observed) == 0:
        write_features(spark, run, observed, options.usage_table)
    return _count(spark, run, LABELS, *part)


def _active(spark: SparkSession, run: Run, observed: date) -> DataFrame:
    return active_customers(known_customers(_silver(spark, run, "customer_versions"), observed), observed)


def _silver(spark: SparkSession, run: Run, name: str) -> DataFrame:
    return spark.table(run.table(f"silver.{name}"))


def _count(spark: SparkSession, run: Run, table: Table, *part: date | int) -> int:
    return spark.table(run.table(table.name)).where(table.condition(*part)).count()
