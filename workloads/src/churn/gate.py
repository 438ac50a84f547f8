"""Decides whether the challenger becomes champion, and records why.

Both are put before the same holdout (`churn.checks` has the questions and thresholds). The alias `champion` moves only
when every check passed. The task fails when something could not be tested, or when no champion but the bootstrap model
is left, since scores would then tell nothing; a challenger that fails beside a real champion is a normal day.
Should a champion not be able to answer (its columns are gone), set the alias by hand after looking at the record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

from churn import registry
from churn.checks import Check, Outcome, decide, judge
from churn.dataset import COLUMNS, DatasetError, labelled, split
from churn.entry import Run, parse, parser, spark_session
from churn.tables import GATE_RESULTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from churn.metrics import Floats
    from churn.registry import Version


# what a model that does not fit the holdout may raise, from MLflow's signature check to its own arithmetic
NO_ANSWER = (MlflowException, ArithmeticError, LookupError, TypeError, ValueError)


def examine(spark: SparkSession, run: Run, challenger: Version, champion: Version | None) -> list[Check]:
    """Puts challenger and champion before the holdout of the challenger's lead and horizon."""
    lead, horizon = int(challenger.tags["lead_days"]), int(challenger.tags["horizon_days"])
    features, labels = spark.table(run.table("gold.churn_features")), spark.table(run.table("gold.churn_labels"))
    try:
        holdout = split(labelled(features, labels, run.date, lead, horizon).toPandas(), lead, horizon).holdout
    except DatasetError as error:
        return [Check("holdout", Outcome.ERROR, str(error))]
    try:
        scores = _scores(challenger, holdout)
        return judge(holdout, COLUMNS, scores, _scores(champion, holdout) if champion else None)
    except NO_ANSWER as error:
        return [Check("scores", Outcome.ERROR, f"a model does not answer: {error}")]


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
    arguments = parser(__doc__)
    arguments.add_argument("--model", required=True, help="registered model, such as churn_dev.mlops.churn_model")
    run = parse(arguments, argv)
    model = run.options.model
    challenger = registry.aliased(model, registry.CHALLENGER)
    champion = registry.aliased(model, registry.CHAMPION)
    if challenger is None:
        sys.exit(f"{model} has no version with the alias {registry.CHALLENGER}: run `train` first")
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
    elif decision is Outcome.ERROR or champion is None or champion.bootstrap:
        left = f"version {champion.number}" if champion else "nothing"
        sys.exit(
            f"gate {decision}: {registry.CHAMPION} stays {left}; see {run.table(GATE_RESULTS.name)}, run {run.run_id}"
        )
    else:
        print(f"gate failed: {registry.CHAMPION} stays version {champion.number}")


def _scores(version: Version, holdout: pd.DataFrame) -> Floats:
    answer = mlflow.pyfunc.load_model(version.uri).predict(holdout[COLUMNS.all])
    scores: Floats = answer["score"].to_numpy(np.float64)
    return scores


if __name__ == "__main__":
    main()
