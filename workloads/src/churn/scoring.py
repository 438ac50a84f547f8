"""Scores every active customer of a day with the champion: gold.churn_scores_daily gets one row for each.

The champion is looked up once, so all of a day's scores come from one version. A day is replaced as a whole, and other
days stay. Who is active is asked of silver, not of the features that were scored: should these lack a customer, or hold
one who has left, the task fails, and says who.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import mlflow
import pandas as pd
from pyspark import cloudpickle
from pyspark.sql import functions as sf

from churn import registry
from churn.dataset import inputs
from churn.entry import Run, parse, parser, spark_session
from churn.features import active_customers, known_customers
from churn.tables import SCORES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from churn.registry import Version


class Scorer(Protocol):
    """What `churn.served.Scorer` offers, as it comes out of a logged model."""

    def score(self, frame: pd.DataFrame) -> pd.DataFrame: ...


class ScoringError(Exception):
    """The scores of a day are not one for each active customer."""


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


def check_complete(active: DataFrame, scores: DataFrame) -> int:
    """Sees to it that each active customer has one score and nobody else has any.

    Returns:
        How many were scored.

    Raises:
        ScoringError: Customers are missing, scored twice, or not active; the text counts them and names some.
    """
    expected = active.select("customer_id", sf.lit(1).alias("expected"))
    found = scores.groupBy("customer_id").agg(sf.count("*").alias("found"))
    both = expected.join(found, "customer_id", "full").fillna(0, ["expected", "found"])
    wrong = both.where("expected <> found")
    faults = wrong.limit(5).collect()
    if faults:
        named = ", ".join(f"{row.customer_id} ({row.expected} expected, {row.found} found)" for row in faults)
        raise ScoringError(f"{wrong.count()} customers do not have the scores they should have: {named}")
    return both.count()


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", required=True, help="registered model, such as churn_dev.mlops.churn_model")
    run = parse(arguments, argv)
    model = run.options.model
    champion = registry.aliased(model, registry.CHAMPION)
    if champion is None:
        sys.exit(f"{model} has no version with the alias {registry.CHAMPION}: run `bootstrap`, or `train` and `gate`")
    spark = spark_session()
    on_date = sf.col("observation_date") == sf.lit(run.date)
    customers = spark.table(run.table("gold.churn_features")).where(on_date)
    if customers.isEmpty():
        sys.exit(f"{run.table('gold.churn_features')} has no customers at {run.date}: run `features` for that date")
    scores = dated(score(inputs(customers, "customer_id"), load(champion)), run, champion)
    SCORES.replace(scores, run.catalog, run.date)
    written = spark.table(run.table(SCORES.name)).where(sf.col("date") == sf.lit(run.date))
    known = known_customers(spark.table(run.table("silver.customer_versions")), run.date)
    count = check_complete(active_customers(known, run.date), written)
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
