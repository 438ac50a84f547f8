"""Entry point `gate`: decides whether the challenger becomes champion, and records why.

Both are evaluated on the same holdout, each with the columns of its own signature (`churn.validation.checks` has the
checks, `churn.validation.thresholds` what they compare with). The alias `champion` moves only when every check passed,
and only to a model that was trained on the logical date.

The task fails when a check could not be tested. It also fails when models were trained but only the bootstrap model is
champion, since its scores say nothing. A challenger that fails beside a real champion is a normal day, and so is a day
before the first training.

If a version cannot be loaded or does not answer, read the record, and give its alias to another version by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.tables import GATE_RESULTS, LABELS
from churn.feature_engineering.groups import COLUMNS, FEATURES
from churn.serving import registry
from churn.serving.loaded_model import LoadedModel, load
from churn.serving.model_version import SplitRule, UntaggedVersionError
from churn.training.dataset import DatasetError, holdout, holdout_mask, labelled
from churn.validation.checks import Check, Outcome, decide, judge

if TYPE_CHECKING:
    import numpy.typing as npt
    from pyspark.sql import SparkSession

    from churn.feature_engineering.feature import Columns
    from churn.serving.model_version import Version


# What a version raises that cannot be loaded or does not fit the holdout: from MLflow's checks to its own arithmetic.
NO_ANSWER = (MlflowException, UntaggedVersionError, ArithmeticError, LookupError, TypeError, ValueError)


class NoModelError(FinalError):
    """The model has neither champion nor challenger; the text names the task that registers one."""


class GateError(FinalError):
    """The gate could not decide, or nothing but the bootstrap model is left to score customers."""


def examine(spark: SparkSession, run: Run, challenger: Version, champion: Version | None) -> list[Check]:
    """Evaluates challenger and champion on the holdout of the challenger's training."""
    try:
        models = [load(version) for version in (challenger, champion) if version]
        columns = reduce(or_, (model.columns for model in models), COLUMNS)
        customers = held_out(spark, run, challenger, columns)
        scores, *others = (model.scores(customers) for model in models)
        comparable = unseen(customers, challenger, champion) if champion else None
        checks = judge(customers, models[0].columns, scores, others[0] if others else None, comparable)
    except DatasetError as error:
        return [Check("holdout", Outcome.ERROR, str(error))]
    except NO_ANSWER as error:
        return [Check("scores", Outcome.ERROR, f"a model does not answer: {error}")]
    return [*checks, *_missing(models)]


def unseen(customers: pd.DataFrame, challenger: Version, champion: Version) -> npt.NDArray[np.bool_]:
    """Mask of the customers of the holdout on whom both models can be compared.

    The champion must not have learned who of them left.

    Args:
        customers: The holdout of the challenger's training.
        challenger: Judged on what it has not seen in any case.
        champion: May have been trained later than the holdout's day, if it was trained by customer.
    """
    if champion.bootstrap or champion.learned_until <= challenger.holdout_date:
        return np.ones(len(customers), np.bool_)
    if champion.split is SplitRule.CUSTOMER:
        return holdout_mask(customers).to_numpy(np.bool_)
    return np.zeros(len(customers), np.bool_)


def held_out(spark: SparkSession, run: Run, challenger: Version, columns: Columns) -> pd.DataFrame:
    """Reads the holdout that the challenger's training kept back, and no other date.

    Args:
        spark: Session.
        run: The run that judges.
        challenger: Has the date and the rule of the holdout.
        columns: What to read of the features.

    Raises:
        DatasetError: Leavers or stayers are lacking.
    """
    on_date = sf.col("observation_date") == sf.lit(challenger.holdout_date)
    features, labels = (spark.table(run.table(table.name)).where(on_date) for table in (FEATURES, LABELS))
    return holdout(labelled(features, labels, run.date, challenger.window, columns).toPandas(), challenger.split)


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
    GATE_RESULTS.replace(spark.createDataFrame(rows, GATE_RESULTS.ddl), run.catalog, run.run_id)


def main(argv: Sequence[str] | None = None) -> None:
    """Judges the challenger of the logical date and makes it champion if it passes.

    Raises:
        NoModelError: The model has neither champion nor challenger.
        GateError: A check could not be tested, or only the bootstrap model is left.
    """
    run, options = parse(tasks.GATE, argv)
    model = options.model
    challenger = registry.aliased(model, registry.CHALLENGER)
    champion = registry.aliased(model, registry.CHAMPION)
    if challenger is None and champion is None:
        raise NoModelError(f"{model} has neither {registry.CHAMPION} nor {registry.CHALLENGER}: run `bootstrap` first")
    if challenger is None or challenger.registered_on != run.date:
        reason = f"no version of {model} was trained on {run.date}: {_champion_sentence(champion)}"
        if challenger and not _is_trained(champion):  # the gate has refused what was trained before
            raise GateError(reason)
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
    elif decision is Outcome.ERROR or not _is_trained(champion):
        raise GateError(
            f"gate {decision}: {_champion_sentence(champion)}; see {run.table(GATE_RESULTS.name)}, run {run.run_id}"
        )
    else:
        print(f"gate failed: {_champion_sentence(champion)}")


def _missing(models: Sequence[LoadedModel]) -> list[Check]:
    """Record, for information only, of features that a model reads and that are no longer built."""
    warnings = [model.warning for model in models if model.warning]
    return [Check("missing_features", Outcome.PASSED, "; ".join(warnings))] if warnings else []


def _is_trained(champion: Version | None) -> bool:
    """Whether there is a champion that was trained: the bootstrap model gives every customer the same score."""
    return champion is not None and not champion.bootstrap


def _champion_sentence(champion: Version | None) -> str:
    """Sentence about the model that goes on scoring when nothing is promoted."""
    if champion is None:
        return f"there is still no {registry.CHAMPION}"
    kind = ", the bootstrap model, whose scores are unrated" if champion.bootstrap else ""
    return f"{registry.CHAMPION} stays version {champion.number}{kind}"


if __name__ == "__main__":
    main()
