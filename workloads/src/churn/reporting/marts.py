"""Entry point `marts`: refreshes the marts of the dashboard from a day's scores, features and the gate's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.tables import GATE_CHECKS, GATE_RESULTS, MARTS, OVERVIEW, SCORE_DISTRIBUTION, SCORES, SEGMENTS
from churn.feature_engineering.groups import FEATURES
from churn.serving.bands import HIGH

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

TENURE_BANDS_MONTHS = (12, 24, 48)
TENTHS = 10
DAYS_NAMED = 10
# Marts add decimals, since a sum of doubles differs in its last bits with the order of the rows.
SCORE, DOLLARS = "decimal(18,6)", "decimal(18,2)"


class NoScoresError(FinalError):
    """A date has no scores, so there is nothing to show; the text names the task that makes them."""


def missing_days(scores: DataFrame, today: date) -> list[date]:
    """The days without scores, from the first day that has scores to today.

    Args:
        scores: gold.churn_scores_daily.
        today: Logical date.
    """
    scored = {row.date for row in scores.where(sf.col("date") <= sf.lit(today)).select("date").distinct().collect()}
    first = min(scored, default=today)
    days = (first + timedelta(days=number) for number in range((today - first).days + 1))
    return [day for day in days if day not in scored]


def overview(scored: DataFrame, gate_results: DataFrame, missing: int) -> DataFrame:
    """One row a day: how many customers are at risk, what they pay, which model says so.

    Args:
        scored: gold.churn_scores_daily of one day, with `monthly_charges`.
        gate_results: mlops.gate_results up to that day.
        missing: Number of days without scores.
    """
    days = scored.groupBy("date").agg(
        sf.count("*").alias("active_customers"),
        sf.count_if(_at_risk()).alias("at_risk_customers"),
        sf.sum(sf.col("score").cast(SCORE)).cast("double").alias("expected_leavers"),
        _mean_score(),
        sf.sum(sf.col("monthly_charges").cast(DOLLARS)).cast("double").alias("monthly_charges"),
        _charges_at_risk(),
        sf.max("model_version").alias("model_version"),
        sf.lit(missing).cast("bigint").alias("missing_days"),
    )
    latest = gate_results.select(
        sf.max_by(sf.struct("date", "decision", "challenger_version"), _decided()).alias("gate")
    ).select(
        sf.col("gate.date").alias("gate_date"),
        sf.col("gate.decision").alias("gate_decision"),
        sf.col("gate.challenger_version").alias("gate_challenger_version"),
    )
    return days.crossJoin(latest)


def segments(scored: DataFrame) -> DataFrame:
    """One row per day, dimension and segment.

    Args:
        scored: gold.churn_scores_daily, with `contract`, `internet_service`, `tenure_months` and `monthly_charges`.
    """
    dimensions = {
        "contract": sf.col("contract"),
        "tenure": _tenure_band(),
        "internet_service": sf.col("internet_service"),
    }
    pairs = [sf.struct(sf.lit(name).alias("dimension"), value.alias("segment")) for name, value in dimensions.items()]
    return (
        scored.withColumn("pair", sf.explode(sf.array(*pairs)))
        .groupBy("date", "pair.dimension", "pair.segment")
        .agg(
            sf.count("*").alias("customers"),
            sf.count_if(_at_risk()).alias("at_risk_customers"),
            _mean_score(),
            _charges_at_risk(),
        )
    )


def score_distribution(scored: DataFrame) -> DataFrame:
    """Number of customers who score within each tenth, by day.

    Args:
        scored: gold.churn_scores_daily.
    """
    tenth = sf.least(sf.floor(sf.col("score") * TENTHS), sf.lit(TENTHS - 1)) / TENTHS
    return scored.groupBy("date", tenth.alias("score_from")).agg(sf.count("*").alias("customers"))


def gate_checks(gate_results: DataFrame, today: date) -> DataFrame:
    """The checks of the gate's last decision, one row each.

    Args:
        gate_results: mlops.gate_results up to that day.
        today: Logical date.
    """
    last = gate_results.agg(sf.max_by("run_id", _decided()).alias("run_id"))
    return gate_results.join(last, "run_id").select(
        sf.lit(today).alias("date"),
        sf.col("date").alias("gate_date"),
        "decision",
        "challenger_version",
        "check_name",
        "outcome",
        "reason",
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Refreshes the marts of the logical date, and prints the days before it that have no scores.

    Raises:
        NoScoresError: The date has no scores.
    """
    run, _ = parse(tasks.MARTS, argv)
    spark = spark_session()
    today = sf.lit(run.date)
    features = (
        spark.table(run.table(FEATURES.name))
        .where(sf.col("observation_date") == today)
        .select("customer_id", "contract", "internet_service", "tenure_months", "monthly_charges")
    )
    scores = spark.table(run.table(SCORES.name))
    scored = scores.where(sf.col("date") == today).join(features, "customer_id")
    if scored.isEmpty():
        raise NoScoresError(f"{run.table(SCORES.name)} has no scores on {run.date}: run `score` for that date")
    decided = spark.table(GATE_RESULTS.create(spark, run.catalog)).where(sf.col("date") <= today)
    missing = missing_days(scores, run.date)
    _write(run, scored, decided, len(missing))
    print(f"marts of {run.date} refreshed: {', '.join(mart.name for mart in MARTS)}")
    if missing:
        named = ", ".join(str(day) for day in missing[:DAYS_NAMED])
        more = f" and {len(missing) - DAYS_NAMED} more" if len(missing) > DAYS_NAMED else ""
        each = "run churn_daily with each as its date, in order"
        print(f"warning: {len(missing)} days have no scores: {named}{more}; {each}")


def _write(run: Run, scored: DataFrame, decided: DataFrame, missing: int) -> None:
    OVERVIEW.replace(overview(scored, decided, missing), run.catalog, run.date)
    SEGMENTS.replace(segments(scored), run.catalog, run.date)
    SCORE_DISTRIBUTION.replace(score_distribution(scored), run.catalog, run.date)
    GATE_CHECKS.replace(gate_checks(decided, run.date), run.catalog, run.date)


def _decided() -> Column:
    """Order of the gate's decisions, as a value that is higher for a later one.

    On one date the newer challenger was decided on later; of one challenger, the newer run, whose number is kept as
    text. A run whose id is no number comes before all others.
    """
    return sf.struct("date", "challenger_version", sf.col("run_id").try_cast("bigint"), "run_id")


def _at_risk() -> Column:
    return sf.col("band") == HIGH


def _charges_at_risk() -> Column:
    charges = sf.when(_at_risk(), sf.col("monthly_charges")).otherwise(0).cast(DOLLARS)
    return sf.sum(charges).cast("double").alias("monthly_charges_at_risk")


def _mean_score() -> Column:
    return sf.avg(sf.col("score").cast(SCORE)).cast("double").alias("mean_score")


def _tenure_band() -> Column:
    """Bands of tenure in months, such as `13-24`; the digits sort as text."""
    months = sf.col("tenure_months")
    first, second, third = TENURE_BANDS_MONTHS
    return (
        sf.when(months <= first, f"00-{first} months")
        .when(months <= second, f"{first + 1}-{second} months")
        .when(months <= third, f"{second + 1}-{third} months")
        .otherwise(f"{third + 1} months and more")
    )


if __name__ == "__main__":
    main()
