"""Scores every active customer of a day with the champion: gold.churn_scores_daily gets one row for each.

The champion of that day is looked up once, so all of a day's scores come from one version. A day is replaced as a
whole, and other days stay. Who is active is asked of silver, not of the features that were scored: should these lack a
customer, or hold one who has left, the task fails before it writes, and says who.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import mlflow
import pandas as pd
from pyspark import cloudpickle
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.tables import GATE_RESULTS, SCORES
from churn.feature_engineering.groups import active_customers, known_customers
from churn.serving import registry
from churn.training.dataset import inputs
from churn.validation.checks import Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from churn.serving.registry import Version


class Scorer(Protocol):
    """What `churn.serving.served.Scorer` offers, as it comes out of a logged model."""

    def score(self, frame: pd.DataFrame) -> pd.DataFrame: ...


class ScoringError(Exception):
    """The features or the scores of a day are not one row for each active customer."""


def champion_on(spark: SparkSession, run: Run, model: str) -> Version | None:
    """The version that was champion on the run's date, so that a day scored again uses nothing learned after it.

    That is today's champion if it was made by then, else the newest version that the gate had passed by then, else the
    bootstrap model, which tells no customer from another.
    """
    champion = registry.aliased(model, registry.CHAMPION)
    if champion is None or champion.made <= run.date:
        return champion
    passed = spark.table(GATE_RESULTS.create(spark, run.catalog)).where(
        (sf.col("model") == model) & (sf.col("decision") == str(Outcome.PASSED)) & (sf.col("date") <= sf.lit(run.date))
    )
    [(number,)] = passed.agg(sf.max("challenger_version")).collect()
    if number:
        return registry.numbered(model, number)
    first = registry.numbered(model, registry.FIRST)
    return first if first.bootstrap else None


def load(version: Version) -> Scorer:
    """The scorer inside a registered version, such that Spark can send it to its workers.

    They need the model's libraries, but neither MLflow nor this wheel: the scorer's class travels with it.
    """
    scorer: Scorer = mlflow.pyfunc.load_model(version.uri).unwrap_python_model().scorer
    cloudpickle.register_pickle_by_value(sys.modules[type(scorer).__module__])  # type: ignore[no-untyped-call]
    return scorer


def score(customers: DataFrame, scorer: Scorer) -> DataFrame:
    """Scores customers, a batch at a time.

    Args:
        customers: `customer_id` and the model's columns.
        scorer: As from `load`.

    Returns:
        `customer_id`, `score`, `band`.
    """

    def batches(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            yield scorer.score(frame).assign(customer_id=frame["customer_id"])[["customer_id", "score", "band"]]

    return customers.mapInPandas(batches, "customer_id STRING, score DOUBLE, band STRING")


def check_complete(active: DataFrame, rows: DataFrame, table: str) -> int:
    """Sees to it that each active customer has one row and nobody else has any.

    Args:
        active: As from `churn.feature_engineering.groups.active_customers`.
        rows: Features or scores of a day.
        table: Where they are, for the text of the error.

    Returns:
        How many customers there are.

    Raises:
        ScoringError: Customers are missing, there twice, or not active; the text counts them and names some.
    """
    expected = active.select("customer_id", sf.lit(1).alias("expected"))
    found = rows.groupBy("customer_id").agg(sf.count("*").alias("found"))
    both = expected.join(found, "customer_id", "full").fillna(0, ["expected", "found"])
    wrong = both.where("expected <> found")
    faults = wrong.limit(5).collect()
    if faults:
        named = ", ".join(f"{row.customer_id} ({row.expected} expected, {row.found} found)" for row in faults)
        raise ScoringError(f"{wrong.count()} customers do not have the rows of {table} that they should: {named}")
    return both.count()


def main(argv: Sequence[str] | None = None) -> None:
    """Scores the active customers of the logical date.

    Raises:
        SystemExit: There is no champion, or there are no features.
        ScoringError: Features or scores are not one row for each active customer.
    """
    run, options = parse(tasks.SCORE, argv)
    model = options.model
    spark = spark_session()
    champion = champion_on(spark, run, model)
    if champion is None:
        sys.exit(
            f"{model} has no {registry.CHAMPION} that was made by {run.date}: run `bootstrap`, or `train` and `gate`"
        )
    features = run.table("gold.churn_features")
    customers = spark.table(features).where(sf.col("observation_date") == sf.lit(run.date))
    if customers.isEmpty():
        sys.exit(f"{features} has no customers at {run.date}: run `features` for that date")
    known = known_customers(spark.table(run.table("silver.customer_versions")), run.date)
    active = active_customers(known, run.date)
    check_complete(active, customers, features)
    scores = dated(score(inputs(customers, "customer_id"), load(champion)), run, champion)
    SCORES.replace(scores, run.catalog, run.date)
    written = spark.table(run.table(SCORES.name)).where(sf.col("date") == sf.lit(run.date))
    count = check_complete(active, written, run.table(SCORES.name))
    print(
        f"{count} customers scored on {run.date} by version {champion.number} of {model} ({champion.tags.get('kind')})"
    )


def dated(scores: DataFrame, run: Run, champion: Version) -> DataFrame:
    """Completes scores to rows of gold.churn_scores_daily."""
    return scores.select(
        "customer_id",
        sf.lit(run.date).alias("date"),
        "score",
        "band",
        sf.lit(champion.number).alias("model_version"),
        sf.lit(run.run_id).alias("run_id"),
    )


if __name__ == "__main__":
    main()
