"""Training: what it tracks and registers, when it is skipped, and that it can be repeated."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from churn import registry, training
from churn.dataset import COLUMNS, DatasetError, split
from churn.models import KINDS
from churn.registry import Version
from churn.training import fit, skip_reason
from tests.workloads.ml_world import CATALOG, HORIZON, LEAD, TODAY, labelled_telco, run

if TYPE_CHECKING:
    from tests.workloads.ml_world import World

WINDOW: dict[str, Any] = {"lead_days": LEAD, "horizon_days": HORIZON}
TRAINED = Version("m", 3, {"date": "2026-01-24", "data_fingerprint": "old"})
BASE_RATE = Version("m", 1, {"date": "2026-01-31", "bootstrap": "true"})


@pytest.mark.parametrize(
    ("champion", "challenger", "reason"),
    [
        (None, None, None),
        (BASE_RATE, None, None),
        (TRAINED, TRAINED, None),
        (Version("m", 3, {"date": "2026-01-25"}), None, "6 days old, younger than retrain_days=7"),
        (Version("m", 3, {"date": "2026-02-05"}), None, "younger"),
        (BASE_RATE, Version("m", 2, {"data_fingerprint": "new"}), "same data"),
    ],
)
def test_when_a_training_is_due(champion: Version | None, challenger: Version | None, reason: str | None) -> None:
    found = skip_reason(date(2026, 1, 31), "new", 7, champion, challenger)
    assert found is None if reason is None else found is not None and reason in found


def test_two_trainings_measure_the_same() -> None:
    parts = split(labelled_telco(), LEAD, HORIZON)
    first, second = (fit("xgboost", parts, COLUMNS).metrics for _ in range(2))
    assert first == second
    assert 0.83 < first["cross_validated_auc"] < 0.86


def test_both_kinds_are_tracked_and_the_better_one_is_challenger(champion: str) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(f"/Shared/{champion}")
    assert experiment is not None
    runs = {
        run.data.params["kind"]: run
        for run in client.search_runs([experiment.experiment_id])
        if "kind" in run.data.params
    }
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
    assert json.loads(challenger.tags["features"]) == COLUMNS.all
    assert (challenger.tags["lead_days"], challenger.tags["horizon_days"]) == (str(LEAD), str(HORIZON))

    model = mlflow.pyfunc.load_model(challenger.uri)
    assert model.metadata.get_input_schema().input_names() == COLUMNS.all
    assert model.input_example is not None


def test_a_young_champion_is_left_alone(champion: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(training.main, champion, **WINDOW, retrain_days=7)
    assert "champion version 2 is 0 days old" in capsys.readouterr().out
    run(training.main, champion, **WINDOW, retrain_days=0)
    assert "learned from the same data" in capsys.readouterr().out


def test_no_complete_label_is_an_error(world: World) -> None:
    with pytest.raises(DatasetError, match="horizon_days=31"):
        run(training.main, f"{CATALOG}.mlops.other", lead_days=LEAD, horizon_days=31, retrain_days=7)
