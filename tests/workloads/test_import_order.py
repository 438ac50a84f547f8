"""Folders of the wheel import in one direction only."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = REPOSITORY / "workloads" / "src" / "churn"
# Each imports itself and those before it; `tasks` is a module, the others are folders.
ORDER = (
    "core",
    "tasks",
    "data",
    "ingestion",
    "transforms",
    "streaming",
    "quality",
    "feature_engineering",
    "serving",
    "training",
    "validation",
    "inference",
    "online",
    "reporting",
    "erasure",
    "simulation",
)
# The simulated world stands for source systems: it knows contracts and Telco, and nothing else of the platform.
ONLY = {"simulation": {"core", "tasks", "data", "simulation"}}


def imported(path: Path) -> set[str]:
    """Parts of the wheel that a source imports, type checking included."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts.update(name.split(".")[1] for name in names if name.startswith("churn."))
    return parts


def breaches(part: str, path: Path) -> set[str]:
    """Parts that a source of a part imports and must not."""
    return imported(path) - ONLY.get(part, set(ORDER[: ORDER.index(part) + 1]))


def sources(part: str) -> list[Path]:
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_the_order_has_every_part() -> None:
    entries = [path for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"]
    parts = {path.stem for path in entries} - {"__init__", "__pycache__", "contracts"}
    assert parts == set(ORDER)


@pytest.mark.parametrize("part", ORDER)
def test_a_part_imports_only_itself_and_those_before_it(part: str) -> None:
    wrong = {str(path.relative_to(PACKAGE)): sorted(breaches(part, path)) for path in sources(part)}
    assert {path: parts for path, parts in wrong.items() if parts} == {}


@pytest.mark.parametrize(
    ("part", "source", "breach"),
    [
        ("serving", "from churn.training.dataset import split", {"training"}),
        ("core", "def late():\n    from churn import tasks", {"tasks"}),
        ("core", "if TYPE_CHECKING:\n    import churn.serving.registry", {"serving"}),
        ("ingestion", "from churn.simulation import world", {"simulation"}),
        ("simulation", "from churn.ingestion import ingest", {"ingestion"}),
        ("training", "from churn.serving import registry\nfrom churn.core.entry import Run", set()),
    ],
)
def test_a_breach_is_seen(part: str, source: str, breach: set[str], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert breaches(part, path) == breach
