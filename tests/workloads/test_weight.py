"""The workloads are the same everywhere, and only what trains or scores pays for the machine-learning libraries."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from churn import tasks
from local.settings import REPOSITORY
from tests.locked import closure, pins, requirements

HEAVY = ("mlflow", "sklearn", "xgboost", "matplotlib")
DATA = ("pyspark", "pandas", "numpy")
SOURCES = sorted(path for path in (REPOSITORY / "workloads").rglob("*.py") if "dist" not in path.parts)
WITHOUT_MODEL = (
    tasks.SIMULATE,
    tasks.INGEST,
    tasks.RECONCILE,
    tasks.STREAMS,
    tasks.QUALITY,
    tasks.FEATURES,
    tasks.MARTS,
    tasks.TABLES,
)
PIPELINES = REPOSITORY / "workloads" / "pipelines"
# what would tell a laptop from a cluster
PLACE = re.compile(r"os\.environ|getenv|DATABRICKS_RUNTIME|127\.0\.0\.1|localhost|\bif .*\blocal\b")


def heavy_imports(module: str, libraries: tuple[str, ...] = HEAVY) -> list[str]:
    """Libraries that importing a module brings in; those of machine learning unless others are given."""
    program = f"import sys, {module}; print(*sorted(set({libraries!r}) & sys.modules.keys()))"
    environment = {"PYTHONPATH": str(REPOSITORY / "workloads" / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def imports_of_pipelines() -> str:
    """The import statements of the pipelines' sources, without those of Spark, which the runtime brings."""
    nodes = [node for source in sorted(PIPELINES.glob("*.py")) for node in ast.parse(source.read_text()).body]
    lines = [ast.unparse(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n".join(line for line in lines if not line.startswith("from pyspark"))


def run_as_a_pipeline(program: str) -> str:
    """Runs a program that can import only what a pipeline has: the runtime's Spark, its own requirements, the wheel.

    Returns:
        The last line of its errors; empty if there is none.
    """
    installed = set(pins(requirements((PIPELINES / "requirements.txt").read_text())))
    installed |= closure([Requirement("pyspark[connect]")])
    hidden = [
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & installed
    ]
    hide = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {hidden!r}: raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden)\n"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "workloads" / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", hide + program], env=environment, capture_output=True, text=True)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


def test_pipelines_import_only_what_they_install() -> None:
    program = f"{imports_of_pipelines()}\nassert file_contracts()"
    assert "from churn.transforms import conform" in program
    assert run_as_a_pipeline(program) == ""


@pytest.mark.parametrize("module", ["mlflow", "xgboost", "databricks.sdk", "joblib", "churn.ingestion.ingest"])
def test_an_import_that_pipelines_do_not_install_is_seen(module: str) -> None:
    assert run_as_a_pipeline(f"import {module}").startswith("ModuleNotFoundError")


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
