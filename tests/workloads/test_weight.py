"""The workloads are the same everywhere, and only what trains or scores pays for the machine-learning libraries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from churn import tasks
from local.settings import REPOSITORY

HEAVY = ("mlflow", "sklearn", "xgboost", "matplotlib")
DATA = ("pyspark", "pandas", "numpy")
SOURCES = sorted(path for path in (REPOSITORY / "workloads").rglob("*.py") if "dist" not in path.parts)
WITHOUT_MODEL = (tasks.SIMULATE, tasks.INGEST, tasks.RECONCILE, tasks.FEATURES, tasks.MARTS, tasks.TABLES)
# what would tell a laptop from a cluster
PLACE = re.compile(r"os\.environ|getenv|DATABRICKS_RUNTIME|127\.0\.0\.1|localhost|\bif .*\blocal\b")


def heavy_imports(module: str, libraries: tuple[str, ...] = HEAVY) -> list[str]:
    """Libraries that importing a module brings in; those of machine learning unless others are given."""
    program = f"import sys, {module}; print(*sorted(set({libraries!r}) & sys.modules.keys()))"
    environment = {"PYTHONPATH": str(REPOSITORY / "workloads" / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", [task.entry_point.partition(":")[0] for task in WITHOUT_MODEL])
def test_a_task_without_a_model_imports_no_machine_learning(module: str) -> None:
    assert heavy_imports(module) == []


def test_a_deployment_reads_the_tasks_without_any_library_of_data() -> None:
    assert heavy_imports("churn.tasks, churn.core.entry", (*HEAVY, *DATA)) == []


def test_a_heavy_import_is_seen() -> None:
    assert "sklearn" in heavy_imports("churn.training.models")
    assert "pandas" in heavy_imports("churn.data", DATA)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_source_asks_where_it_runs(source: Path) -> None:
    lines = [line for line in source.read_text().splitlines() if PLACE.search(line)]
    assert lines == []


def test_asking_where_it_runs_is_seen() -> None:
    assert PLACE.search("if local:")
    assert PLACE.search('host = os.environ["DATABRICKS_HOST"]')
