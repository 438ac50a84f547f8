"""The gate with real versions: who becomes champion, what is recorded, and when the task fails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.dummy import DummyClassifier

from churn.feature_engineering.feature import Columns
from churn.serving import registry
from churn.serving.model_version import UntaggedVersionError, Version
from churn.training import bootstrap
from churn.validation import gate
from tests.workloads.ml_world import (
    CATALOG,
    EXPERIMENT,
    FEWER,
    FURTHER,
    TAGS,
    TODAY,
    challenge,
    labelled_telco,
    run,
    with_further,
)

if TYPE_CHECKING:
    from datetime import date

    from databricks.sdk import WorkspaceClient

    from tests.workloads.ml_world import World

TOMORROW = TODAY + timedelta(days=1)


def champion_of(model: str) -> int:
    version = registry.aliased(model, registry.CHAMPION)
    assert version is not None
    return version.number


def decisions(world: World, model: str, run_id: str) -> dict[str, tuple[str, str]]:
    query = f"SELECT * FROM {{}}mlops.gate_results WHERE model = '{model}' AND run_id = '{run_id}'"
    rows = world.rows(query)
    outcomes = {row.check_name: (row.decision, row.outcome) for row in rows}
    assert len(outcomes) == len(rows), "a check of a run stands once"
    return outcomes


def test_a_real_model_beats_the_base_rate(world: World, champion: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert champion_of(champion) == 2
    outcomes = decisions(world, champion, "1")
    assert set(outcomes.values()) == {("passed", "passed")}
    assert {"discrimination", "calibration", "leak", "champion"} <= set(outcomes)
    row = world.rows(f"SELECT * FROM {{}}mlops.gate_results WHERE model = '{champion}' AND check_name = 'champion'")[0]
    assert (row.challenger_version, row.champion_version, row.metric, row.date) == (2, 1, "auc", TODAY)
    assert row.value > 0.8 > row.threshold

    run(gate.main, champion, run_id="later")
    assert "champion already" in capsys.readouterr().out
    assert champion_of(champion) == 2


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TOMORROW])
def test_a_day_without_training_is_a_normal_day_beside_a_real_champion(
    champion: str, day: date, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "spark_session", lambda: pytest.fail("decides"))
    run(gate.main, champion, date=day)
    assert f"was trained on {day}: champion stays version 2" in capsys.readouterr().out


def test_without_a_real_champion_a_failing_challenger_fails_the_task(world: World) -> None:
    model = f"{CATALOG}.mlops.random_labels"
    run(bootstrap.main, model)
    random = world.frame.assign(churned=np.random.default_rng(1).permutation(world.frame["churned"])).head(2_000)
    challenge(model, random)
    for _ in range(2):  # the second time it writes the same rows
        with pytest.raises(gate.GateError, match="gate failed: champion stays version 1"):
            run(gate.main, model, run_id="7")
    assert champion_of(model) == 1
    outcomes = decisions(world, model, "7")
    assert outcomes["discrimination"] == ("failed", "failed")
    assert outcomes["leak"] == ("failed", "passed")
    with pytest.raises(gate.GateError, match=r"trained on .*: champion stays version 1, the bootstrap model"):
        run(gate.main, model, date=TOMORROW)


def test_a_real_champion_outlives_a_worse_challenger(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    model = f"{CATALOG}.mlops.worse"
    registry.set_alias(challenge(model, world.frame.head(4_000)), registry.CHAMPION)
    poor = world.frame.assign(contract="Two year", tenure_months=1.0, total_charges=1.0, internet_service="DSL")
    challenge(model, poor.head(1_000))
    run(gate.main, model, run_id="8")
    assert "gate failed: champion stays version 1" in capsys.readouterr().out
    assert champion_of(model) == 1
    assert decisions(world, model, "8")["champion"] == ("failed", "failed")


@pytest.mark.parametrize(
    "tag", [("horizon_days", "400"), ("settle_days", "1"), ("holdout_date", "2025-12-31")], ids=lambda tag: tag[0]
)
def test_what_cannot_be_tested_is_recorded_as_an_error_and_fails_the_task(world: World, tag: tuple[str, str]) -> None:
    model = f"{CATALOG}.mlops.untestable_{tag[0]}"
    version = challenge(model, world.frame.head(1_000))
    registry.set_alias(version, registry.CHAMPION)
    challenge(model, world.frame.head(1_000))
    mlflow.MlflowClient().set_model_version_tag(model, "2", *tag)
    with pytest.raises(gate.GateError, match="gate error"):
        run(gate.main, model, run_id="9")
    assert champion_of(model) == 1
    assert decisions(world, model, "9") == {"holdout": ("error", "error")}


@pytest.mark.parametrize(
    ("champion", "share"),
    [
        ({"split": "time", "holdout_date": "2026-01-01"}, 1.0),
        ({"split": "customer", "date": "2026-01-01"}, 1.0),
        ({"split": "customer", "date": "2026-01-02"}, 0.2),
        ({"split": "time", "holdout_date": "2026-01-02"}, 0.0),
        ({"bootstrap": "true", "date": "2026-01-31"}, 1.0),
    ],
    ids=["learned-before", "trained-before", "trained-since", "learned-since", "learned-nothing"],
)
def test_models_are_compared_on_what_the_champion_has_not_seen(champion: dict[str, str], share: float) -> None:
    customers = labelled_telco()
    fair = gate.unseen(customers, Version("m", 2, {"holdout_date": "2026-01-01"}), Version("m", 1, champion))
    assert fair.mean() == pytest.approx(share, abs=0.02)


def test_a_version_registered_by_hand_is_named_with_what_it_lacks(champion: str) -> None:
    model = f"{CATALOG}.mlops.by_hand"
    weights = mlflow.MlflowClient().get_model_version(champion, "2").source
    assert weights is not None
    created = mlflow.register_model(weights, model)
    registry.set_alias(registry.numbered(model, created.version), registry.CHALLENGER)
    with pytest.raises(
        UntaggedVersionError, match=f"version 1 of {model} has no tag 'date'.*set it, or give the alias"
    ):
        run(gate.main, model)


def test_before_the_first_training_the_bootstrap_model_stays(
    models: WorkspaceClient, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"{CATALOG}.mlops.new_source"
    run(bootstrap.main, model)
    run(gate.main, model)
    assert "champion stays version 1, the bootstrap model, whose scores are unrated" in capsys.readouterr().out
    assert champion_of(model) == 1


def test_no_model_at_all_names_the_task_that_makes_one(models: WorkspaceClient) -> None:
    with pytest.raises(gate.NoModelError, match="run `bootstrap` first"):
        run(gate.main, f"{CATALOG}.mlops.unheard_of")


@pytest.mark.parametrize(
    ("columns", "recorded"),
    [(FURTHER, {("passed", "passed")}), (FEWER, set())],
    ids=["a-feature-is-gone", "a-feature-is-new"],
)
def test_champion_and_challenger_are_each_judged_by_their_own_columns(
    world: World, columns: Columns, recorded: set[tuple[str, str]]
) -> None:
    model = f"{CATALOG}.mlops.columns_of_{len(columns.all)}"
    frame = with_further(world.frame)
    registry.set_alias(challenge(model, frame.head(4_000), columns), registry.CHAMPION)
    challenge(model, frame)
    run(gate.main, model, run_id=f"columns {len(columns.all)}")
    outcomes = decisions(world, model, f"columns {len(columns.all)}")
    assert {name: outcome for name, outcome in outcomes.items() if outcome != ("passed", "passed")} == {}
    assert champion_of(model) == 2
    assert {outcome for name, outcome in outcomes.items() if name == "missing_features"} == recorded
    if recorded:
        query = f"SELECT reason FROM {{}}mlops.gate_results WHERE model = '{model}' AND check_name = 'missing_features'"
        (row,) = world.rows(query)
        assert row.reason == f"version 1 of {model} reads features no longer built as NULL: region, visits_7d"


def test_a_version_of_another_kind_is_recorded_as_an_error(world: World, champion: str) -> None:
    model = f"{CATALOG}.mlops.foreign"
    frame = pd.DataFrame({"tenure_months": [0.0, 1.0]})
    with mlflow.start_run(experiment_id=EXPERIMENT):
        foreign = DummyClassifier().fit(frame, [0, 1])
        info = mlflow.sklearn.log_model(foreign, name="model", signature=infer_signature(frame, foreign.predict(frame)))
    registry.set_alias(registry.register(info, model, TAGS, "for a test"), registry.CHALLENGER)
    with pytest.raises(gate.GateError, match="gate error"):
        run(gate.main, model, run_id="foreign")
    assert decisions(world, model, "foreign") == {"scores": ("error", "error")}
