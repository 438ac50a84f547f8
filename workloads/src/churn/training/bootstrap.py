"""Entry point `bootstrap`: registers a base-rate model as version 1 and champion.

With it an endpoint can be made before the first training. It gives every customer the share of leavers in IBM Telco,
and says what it is: its tag `bootstrap` is `true`, its description says so, and its band is `unrated`. The first model
that passes the gate replaces it. A registered model that has a champion, or other versions, is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import mlflow
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier

from churn import tasks
from churn.core.entry import parse
from churn.data import telco
from churn.feature_engineering.groups import COLUMNS
from churn.serving import registry
from churn.serving.bands import NO_BANDS
from churn.serving.packaging import log


def base_rate_model() -> tuple[DummyClassifier, pd.DataFrame]:
    """The model, and Telco's customers as its input; features that Telco lacks are NaN or empty text."""
    customers = telco()
    inputs = customers.reindex(columns=COLUMNS.all)
    inputs = inputs.astype(dict.fromkeys(COLUMNS.numeric, np.float64))
    inputs[list(COLUMNS.categorical)] = inputs[list(COLUMNS.categorical)].fillna("")
    return DummyClassifier(strategy="prior").fit(inputs, customers["churn"] == "Yes"), inputs


def main(argv: Sequence[str] | None = None) -> None:
    """Registers the base-rate model as first version and champion, unless the model has versions already."""
    run, options = parse(tasks.BOOTSTRAP, argv)
    model = options.model
    if champion := registry.aliased(model, registry.CHAMPION):
        print(f"version {champion.number} of {model} is {registry.CHAMPION}: nothing to bootstrap")
        return
    if registry.registered(model):
        first = registry.numbered(model, registry.FIRST)
        if not first.bootstrap:
            print(f"{model} has versions: nothing to bootstrap; set the alias {registry.CHAMPION} on one of them")
            return
        registry.set_alias(first, registry.CHAMPION)  # an earlier run was stopped before it did that
        print(f"version {first.number} of {model} is the base-rate model, now alias {registry.CHAMPION}")
        return
    estimator, inputs = base_rate_model()
    tags = {"bootstrap": "true", "kind": "base_rate", "date": run.date.isoformat(), "run_id": run.run_id}
    mlflow.set_experiment(experiment_id=options.experiment_id)
    with mlflow.start_run(run_name=f"bootstrap {run.date}", tags=tags):
        info = log(estimator, COLUMNS, inputs.head(1), NO_BANDS)
    description = (
        f"Bootstrap model: gives every customer the base rate {estimator.class_prior_[1]:.3f} as score. It serves "
        "until a trained model passes the gate."
    )
    version = registry.register(info, model, tags, description)
    registry.set_alias(version, registry.CHAMPION)
    print(f"version {version.number} of {model} is the base-rate model, alias {registry.CHAMPION}")


if __name__ == "__main__":
    main()
