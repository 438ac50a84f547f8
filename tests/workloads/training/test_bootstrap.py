"""The base-rate model, which serves until a first model has passed the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlflow
import pytest

from churn.feature_engineering.groups import COLUMNS
from churn.serving import registry
from churn.serving.served_model import DECIMALS
from churn.training import bootstrap
from tests.workloads.ml_world import CATALOG, run

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from tests.workloads.ml_world import World

MODEL = f"{CATALOG}.mlops.bootstrapped"


def test_it_is_registered_once_and_says_what_it_is(models: WorkspaceClient, capsys: pytest.CaptureFixture[str]) -> None:
    run(bootstrap.main, MODEL)
    version = registry.aliased(MODEL, registry.CHAMPION)
    assert version is not None
    assert (version.number, version.bootstrap) == (1, True)
    description = mlflow.MlflowClient().get_model_version(MODEL, "1").description
    assert description is not None
    assert description.startswith("Bootstrap model")

    run(bootstrap.main, MODEL)
    assert "nothing to bootstrap" in capsys.readouterr().out
    assert len(mlflow.MlflowClient().search_model_versions(f"name = '{MODEL}'")) == 1


def test_one_that_was_stopped_before_its_alias_is_finished(models: WorkspaceClient) -> None:
    model = f"{CATALOG}.mlops.stopped"
    run(bootstrap.main, model)
    mlflow.MlflowClient().delete_registered_model_alias(model, registry.CHAMPION)
    run(bootstrap.main, model)
    champion = registry.aliased(model, registry.CHAMPION)
    assert champion is not None
    assert champion.number == 1
    assert len(mlflow.MlflowClient().search_model_versions(f"name = '{model}'")) == 1


def test_it_gives_everyone_the_base_rate_and_no_band(world: World) -> None:
    run(bootstrap.main, MODEL)
    model = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    answer = model.predict(world.frame[COLUMNS.all].head(5))
    assert answer["score"].tolist() == [round(1869 / 7043, DECIMALS)] * 5
    assert set(answer["band"]) == {"unrated"}


def test_a_model_that_was_never_registered_has_no_alias(models: WorkspaceClient) -> None:
    assert registry.aliased(f"{CATALOG}.mlops.unheard_of", registry.CHAMPION) is None
