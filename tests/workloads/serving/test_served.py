"""The registered model behind MLflow's own server, without the wheel: what it answers, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from churn.feature_engineering.groups import COLUMNS
from tests.ports import free_base_port
from tests.workloads.conftest import wait_until_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workloads.ml_world import World


@pytest.fixture(scope="module")
def invocations(champion: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of `mlflow models serve`, started where `churn` cannot be imported."""
    folder = tmp_path_factory.mktemp("serve")
    url = f"http://127.0.0.1:{(port := free_base_port())}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{champion}@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_healthy(f"{url}/health", server)
            yield f"{url}/invocations"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def record(world: World) -> dict[str, Any]:
    """A customer as JSON has one."""
    rows: list[dict[str, Any]] = json.loads(world.frame[COLUMNS.all].head(1).to_json(orient="records"))
    return rows[0]


def ask(url: str, *records: dict[str, Any]) -> httpx.Response:
    return httpx.post(url, json={"dataframe_records": records}, timeout=60)


def test_it_answers_with_score_and_band(invocations: str, record: dict[str, Any]) -> None:
    answer = ask(invocations, record, {**record, "tenure_months": 70, "total_charges": None})
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["predictions"]
    assert set(first) == {"score", "band"}
    assert first["score"] > second["score"] > 0


def test_a_missing_field_is_refused_by_name(invocations: str, record: dict[str, Any]) -> None:
    del record["contract"]
    answer = ask(invocations, record)
    assert answer.status_code == 400
    assert "contract" in answer.json()["message"]


def test_a_value_of_the_wrong_type_is_refused_by_name(invocations: str, record: dict[str, Any]) -> None:
    answer = ask(invocations, {**record, "tenure_months": "many"})
    assert answer.status_code == 400
    assert "tenure_months" in answer.json()["message"]
    assert "many" in answer.json()["message"]
