"""Entry point `score`: scores every active customer of a day with the champion, into gold.churn_scores_daily.

The champion of that day is looked up once, so all of a day's scores come from one version, with the columns of its own
signature. A day is replaced as a whole, and other days stay. Silver says who is active, not the features that are
scored: if the features lack a customer, or hold one who has left, the task fails before it writes, and names some.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from pyspark import cloudpickle
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.tables import GATE_RESULTS, SCORES
from churn.feature_engineering.build import active_customers, known_customers
from churn.feature_engineering.groups import FEATURES
from churn.feature_engineering.inputs import inputs
from churn.serving import registry
from churn.serving.loaded_model import LoadedModel, Scorer, load
from churn.validation.checks import Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from churn.serving.model_version import Version


CUSTOMERS_NAMED = 5


class ScoringError(FinalError):
    """The features or the scores of a day are not one row for each active customer."""


class NoChampionError(FinalError):
    """No version was champion by the day; the text names the tasks that make a champion."""


class NoFeaturesError(FinalError):
    """The day has no features; the text names the task that builds them."""


def champion_on(spark: SparkSession, run: Run, model: str) -> Version | None:
    """The version that was champion on the run's date, so that a day scored again uses nothing learned after it.

    That is today's champion if it was made by then, else the newest version that the gate had passed by then, else the
    bootstrap model, which gives every customer the same score.
    """
    champion = registry.aliased(model, registry.CHAMPION)
    if champion is None or champion.registered_on <= run.date:
        return champion
    passed = spark.table(GATE_RESULTS.create(spark, run.catalog)).where(
        (sf.col("model") == model) & (sf.col("decision") == str(Outcome.PASSED)) & (sf.col("date") <= sf.lit(run.date))
    )
    [(number,)] = passed.agg(sf.max("challenger_version")).collect()
    if number:
        return registry.numbered(model, number)
    first = registry.numbered(model, registry.FIRST)
    return first if first.bootstrap else None


def portable(scorer: Scorer) -> Scorer:
    """Makes a scorer such that Spark can send it to its workers.

    They need the model's libraries, but neither MLflow nor this wheel: the scorer's class travels with it.
    """
    cloudpickle.register_pickle_by_value(sys.modules[type(scorer).__module__])  # type: ignore[no-untyped-call]  # cloudpickle has no types
    return scorer


def score(customers: DataFrame, scorer: Scorer) -> DataFrame:
    """Scores customers, a batch at a time.

    Args:
        customers: `customer_id` and the model's columns.
        scorer: As from `portable`.

    Returns:
        `customer_id`, `score`, `band`.
    """

    def batches(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            yield scorer.score(frame).assign(customer_id=frame["customer_id"])[["customer_id", "score", "band"]]

    return customers.mapInPandas(batches, "customer_id STRING, score DOUBLE, band STRING")


def check_complete(active: DataFrame, rows: DataFrame, table: str) -> int:
    """Checks that each active customer has one row and nobody else has any.

    Args:
        active: As from `churn.feature_engineering.build.active_customers`.
        rows: Features or scores of a day.
        table: Where they are, for the text of the error.

    Returns:
        Number of customers.

    Raises:
        ScoringError: Customers are missing, there twice, or not active; the text counts them and names some.
    """
    expected = active.select("customer_id", sf.lit(1).alias("expected"))
    counts = rows.groupBy("customer_id").agg(sf.count("*").alias("actual"))
    both = expected.join(counts, "customer_id", "full").fillna(0, ["expected", "actual"])
    wrong = both.where("expected <> actual")
    faults = wrong.limit(CUSTOMERS_NAMED).collect()
    if faults:
        named = ", ".join(f"{row.customer_id} ({row.expected} expected, {row.actual} found)" for row in faults)
        raise ScoringError(f"{wrong.count()} customers do not have the rows of {table} that they should: {named}")
    return both.count()


def main(argv: Sequence[str] | None = None) -> None:
    """Scores the active customers of the logical date.

    Raises:
        NoChampionError: No champion had been made by the date.
        NoFeaturesError: The date has no features.
        ScoringError: Features or scores are not one row for each active customer.
    """
    run, options = parse(tasks.SCORE, argv)
    spark = spark_session()
    champion = champion_on(spark, run, options.model)
    if champion is None:
        raise NoChampionError(
            f"{options.model} has no {registry.CHAMPION} that was made by {run.date}: run `bootstrap`, or `train` and "
            "`gate`"
        )
    features = run.table(FEATURES.name)
    customers = spark.table(features).where(sf.col("observation_date") == sf.lit(run.date))
    if customers.isEmpty():
        raise NoFeaturesError(f"{features} has no customers at {run.date}: run `features` for that date")
    known = known_customers(spark.table(run.table("silver.customer_versions")), run.date)
    active = active_customers(known, run.date)
    check_complete(active, customers, features)
    model = load(champion)
    if model.warning:
        print(f"warning: {model.warning}")
    scores = score(inputs(customers, model.columns, "customer_id"), portable(model.scorer))
    SCORES.replace(completed(scores, run, model), run.catalog, run.date)
    written = spark.table(run.table(SCORES.name)).where(sf.col("date") == sf.lit(run.date))
    count = check_complete(active, written, run.table(SCORES.name))
    by = f"version {champion.number} of {options.model} ({champion.tags.get('kind')})"
    print(f"{count} customers scored on {run.date} by {by}")


def completed(scores: DataFrame, run: Run, model: LoadedModel) -> DataFrame:
    """Adds day, version, run and missing features to scores, giving rows of gold.churn_scores_daily."""
    return scores.select(
        "customer_id",
        sf.lit(run.date).alias("date"),
        "score",
        "band",
        sf.lit(model.version.number).alias("model_version"),
        sf.lit(run.run_id).alias("run_id"),
        sf.lit(", ".join(model.missing) or None).cast("string").alias("missing_features"),
    )


if __name__ == "__main__":
    main()
