"""Decides whether the challenger becomes champion, and records why.

Both are put before the same holdout (`churn.validation.checks` has the questions and thresholds). The alias `champion`
moves only when every check passed, and only to a model that was trained on the logical date. The task fails when
something could not be tested, or when models were trained but no champion except the bootstrap model is left, since
scores then tell nothing; a challenger that fails beside a real champion is a normal day, and so is one before the first
training. Should a champion not be able to answer (its columns are gone), set the alias by hand after looking at the
record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.tables import GATE_RESULTS
from churn.serving import registry
from churn.training.dataset import BY_CUSTOMER, COLUMNS, DatasetError, holdout, kept, labelled
from churn.validation.checks import Check, Outcome, decide, judge

if TYPE_CHECKING:
    import numpy.typing as npt
    from pyspark.sql import SparkSession

    from churn.serving.registry import Version
    from churn.training.metrics import Floats


# what a model that does not fit the holdout may raise, from MLflow's signature check to its own arithmetic
NO_ANSWER = (MlflowException, ArithmeticError, LookupError, TypeError, ValueError)


def examine(spark: SparkSession, run: Run, challenger: Version, champion: Version | None) -> list[Check]:
    """Puts challenger and champion before the holdout of the challenger's training."""
    try:
        customers = held_out(spark, run, challenger)
    except DatasetError as error:
        return [Check("holdout", Outcome.ERROR, str(error))]
    try:
        scores = _scores(challenger, customers)
        if champion is None:
            return judge(customers, COLUMNS, scores, None)
        return judge(customers, COLUMNS, scores, _scores(champion, customers), unseen(customers, challenger, champion))
    except NO_ANSWER as error:
        return [Check("scores", Outcome.ERROR, f"a model does not answer: {error}")]


def unseen(customers: pd.DataFrame, challenger: Version, champion: Version) -> npt.NDArray[np.bool_]:
    """Which customers of the holdout can be put before both models: the champion must not have learned who left.

    Args:
        customers: The holdout of the challenger's training.
        challenger: Judged on what it has not seen in any case.
        champion: May have been trained later than the holdout's day, if it was trained by customer.
    """
    if champion.bootstrap or champion.learned_until <= date.fromisoformat(challenger.tag("holdout_date")):
        return np.ones(len(customers), np.bool_)
    if champion.tag("split") == BY_CUSTOMER:
        return kept(customers).to_numpy(np.bool_)
    return np.zeros(len(customers), np.bool_)


def held_out(spark: SparkSession, run: Run, challenger: Version) -> pd.DataFrame:
    """Reads the holdout that the challenger's training kept back, and no other date.

    Raises:
        DatasetError: Leavers or stayers are lacking.
    """
    on_date = sf.col("observation_date") == sf.lit(date.fromisoformat(challenger.tag("holdout_date")))
    features, labels = (spark.table(run.table(f"gold.churn_{name}")).where(on_date) for name in ("features", "labels"))
    return holdout(labelled(features, labels, run.date, challenger.window).toPandas(), challenger.tag("split"))


def record(
    spark: SparkSession, run: Run, challenger: Version, champion: Version | None, checks: Sequence[Check]
) -> None:
    """Writes a run's checks to mlops.gate_results, in place of what the same run wrote before."""
    rows = [
        {
            "run_id": run.run_id,
            "date": run.date,
            "model": challenger.model,
            "challenger_version": challenger.number,
            "champion_version": champion.number if champion else None,
            "decision": str(decide(checks)),
            "check_name": check.name,
            "outcome": str(check.outcome),
            "reason": check.reason,
            "metric": check.metric,
            "value": check.value,
            "threshold": check.threshold,
            "diagnostics": json.dumps(check.diagnostics, sort_keys=True),
        }
        for check in checks
    ]
    GATE_RESULTS.replace(spark.createDataFrame(rows, GATE_RESULTS.columns), run.catalog, run.run_id)


def main(argv: Sequence[str] | None = None) -> None:
    """Judges the challenger of the logical date and makes it champion if it passes.

    Raises:
        SystemExit: There is no model, a check could not be tested, or only the bootstrap model is left.
    """
    run, options = parse(tasks.GATE, argv)
    model = options.model
    challenger = registry.aliased(model, registry.CHALLENGER)
    champion = registry.aliased(model, registry.CHAMPION)
    if challenger is None and champion is None:
        sys.exit(f"{model} has neither {registry.CHAMPION} nor {registry.CHALLENGER}: run `bootstrap` first")
    if challenger is None or challenger.made != run.date:
        reason = f"no version of {model} was trained on {run.date}: {_left(champion)}"
        if challenger and not _rated(champion):  # what was trained before has failed
            sys.exit(reason)
        print(reason)
        return
    if champion and champion.number == challenger.number:
        print(f"version {champion.number} of {model} is champion already: nothing to decide")
        return
    spark = spark_session()
    checks = examine(spark, run, challenger, champion)
    record(spark, run, challenger, champion, checks)
    for check in checks:
        print(f"{check.outcome:6} {check.name}: {check.reason}")
    decision = decide(checks)
    if decision is Outcome.PASSED:
        registry.set_alias(challenger, registry.CHAMPION)
        print(f"version {challenger.number} of {model} is now {registry.CHAMPION}")
    elif decision is Outcome.ERROR or not _rated(champion):
        sys.exit(f"gate {decision}: {_left(champion)}; see {run.table(GATE_RESULTS.name)}, run {run.run_id}")
    else:
        print(f"gate failed: {_left(champion)}")


def _rated(champion: Version | None) -> bool:
    """Whether the scores of a champion tell customers apart."""
    return champion is not None and not champion.bootstrap


def _left(champion: Version | None) -> str:
    """What scores customers when nothing is promoted."""
    if champion is None:
        return f"{registry.CHAMPION} stays nothing"
    kind = ", the bootstrap model, whose scores are unrated" if champion.bootstrap else ""
    return f"{registry.CHAMPION} stays version {champion.number}{kind}"


def _scores(version: Version, customers: pd.DataFrame) -> Floats:
    answer = mlflow.pyfunc.load_model(version.uri).predict(customers[COLUMNS.all])
    scores: Floats = answer["score"].to_numpy(np.float64)
    return scores


if __name__ == "__main__":
    main()
