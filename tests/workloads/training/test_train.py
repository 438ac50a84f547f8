"""Training: what it tracks and registers, when it is skipped, and that it can be repeated."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from churn.core.label_window import LabelWindow
from churn.feature_engineering.groups import COLUMNS
from churn.serving import registry
from churn.serving.model_version import Version
from churn.training import train
from churn.training.dataset import DatasetError, split
from churn.training.models import KINDS
from churn.training.train import fit, reason_to_skip, reason_to_wait
from tests.workloads.ml_world import CATALOG, EXPERIMENT, HORIZON, LEAD, OBSERVED, TODAY, labelled_telco, run

if TYPE_CHECKING:
    from tests.workloads.ml_world import World

WINDOW: dict[str, Any] = {"lead_days": LEAD, "horizon_days": HORIZON, "settle_days": 0, "history_days": HORIZON}
TRAINED = Version("m", 3, {"date": "2026-01-24", "data_fingerprint": "old"})
BASE_RATE = Version("m", 1, {"date": "2026-01-31", "bootstrap": "true"})


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        (None, None),
        (BASE_RATE, None),
        (TRAINED, None),
        (Version("m", 3, {"date": "2026-01-25"}), "6 days old, younger than retrain_days=7"),
        (Version("m", 3, {"date": "2026-02-05"}), "younger"),
    ],
)
def test_when_a_champion_is_due_for_a_successor(champion: Version | None, reason: str | None) -> None:
    answer = reason_to_wait(date(2026, 1, 31), 7, champion)
    assert answer is None if reason is None else answer is not None and reason in answer


def test_the_same_data_teach_nothing_new() -> None:
    assert reason_to_skip("new", None) is None
    assert reason_to_skip("new", TRAINED) is None
    assert "same data" in (reason_to_skip("old", TRAINED) or "")


def test_two_trainings_measure_the_same() -> None:
    parts = split(labelled_telco(), LabelWindow(LEAD, HORIZON, 0))
    first, second = (fit("xgboost", parts, COLUMNS).metrics for _ in range(2))
    assert first == second
    assert 0.83 < first["cross_validated_auc"] < 0.86


def test_both_kinds_are_tracked_and_the_better_one_is_challenger(champion: str) -> None:
    client = mlflow.MlflowClient()
    runs = {run.data.params["kind"]: run for run in client.search_runs([EXPERIMENT]) if "kind" in run.data.params}
    assert set(runs) == set(KINDS)
    for tracked in runs.values():
        assert {"auc", "average_precision", "brier", "calibration_error", "cross_validated_auc"} <= set(
            tracked.data.metrics
        )
        files = {file.path for file in client.list_artifacts(tracked.info.run_id)}
        assert {"roc.png", "precision_recall.png", "calibration.png", "weights.png"} <= files

    challenger = registry.aliased(champion, registry.CHALLENGER)
    assert challenger is not None
    assert challenger.number == 2
    best = max(runs, key=lambda kind: runs[kind].data.metrics["cross_validated_auc"])
    assert challenger.tags["kind"] == best
    assert challenger.tags["date"] == TODAY.isoformat()
    window = [challenger.tags[name] for name in ("lead_days", "horizon_days", "settle_days")]
    assert window == [str(LEAD), str(HORIZON), "0"]
    assert (challenger.tags["split"], challenger.tags["holdout_date"]) == ("customer", OBSERVED.isoformat())

    model = mlflow.pyfunc.load_model(challenger.uri)
    assert model.metadata.get_input_schema().input_names() == COLUMNS.all
    assert model.input_example is not None


def test_a_young_champion_is_left_alone_before_the_labels_are_read(
    champion: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(train.main, champion, **WINDOW, retrain_days=0)
    assert "learned from the same data" in capsys.readouterr().out
    monkeypatch.setattr(train, "spark_session", lambda: pytest.fail("reads the labels"))
    run(train.main, champion, **WINDOW, retrain_days=7)
    assert "champion version 2 is 0 days old" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        ({"horizon_days": HORIZON + 1}, "one is 31 days after its observation date"),
        ({"settle_days": 1}, "one is 31 days after its observation date"),
        ({"history_days": HORIZON - 1}, "of the last history_days=29 is complete"),
    ],
)
def test_without_a_complete_label_of_the_history_there_is_nothing_to_train(
    world: World, late: dict[str, int], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"{CATALOG}.mlops.new_source"
    run(train.main, model, **{**WINDOW, **late}, retrain_days=7)
    assert reason in capsys.readouterr().out
    assert registry.aliased(model, registry.CHALLENGER) is None


def test_labels_of_one_outcome_are_an_error(world: World) -> None:
    observed = OBSERVED - timedelta(days=1)
    stayed = world.frame[world.frame["churned"] == 0].head(100).assign(observation_date=observed)
    tables = {
        "churn_features": stayed.drop(columns="churned"),
        "churn_labels": stayed[["customer_id", "observation_date", "churned"]].assign(lead_days=LEAD, horizon_days=31),
    }
    for name, rows in tables.items():
        world.spark.createDataFrame(rows).write.mode("append").saveAsTable(f"{CATALOG}.gold.{name}")
    try:
        options = {**WINDOW, "horizon_days": 31, "history_days": 31}
        with pytest.raises(DatasetError, match="lacks an outcome"):
            run(train.main, f"{CATALOG}.mlops.other", **options, retrain_days=7)
    finally:
        for name in tables:
            world.spark.sql(f"DELETE FROM {CATALOG}.gold.{name} WHERE observation_date = '{observed}'").collect()
