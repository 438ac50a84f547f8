"""The houses keep their distance, and no test falls out of the collection by its name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Collection

HOUSES = ("bench", "cli", "infra", "local", "policies", "tests", "churn")
FORBIDDEN = {
    "infra": {"local", "cli", "policies", "churn", "bench", "tests"},
    "local": {"infra", "cli", "policies", "churn", "bench", "tests"},
    "policies": {"local", "cli", "infra", "churn", "bench", "tests"},
    "workloads": {"local", "cli", "infra", "policies", "bench", "tests"},
}
# Modules that may be imported from a forbidden package: of the wheel those that need neither Spark nor pandas.
ALLOWED = {
    "infra": {
        "churn.core.contract",
        "churn.core.faults",
        "churn.core.files",
        "churn.core.field_faults",
        "churn.core.label_window",
        "churn.core.tables",
        "churn.core.task",
        "churn.tasks",
    }
}


def imported_houses(path: Path, allowed: Collection[str] = ()) -> set[str]:
    """Top-level packages of ours that a source imports, by other modules than those that are allowed."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules.update(whole if whole <= set(allowed) else {node.module})
    return {module.split(".")[0] for module in modules - set(allowed)} & set(HOUSES)


@pytest.mark.parametrize("house", FORBIDDEN)
def test_a_house_imports_only_what_it_may(house: str) -> None:
    wrong = {
        str(path.relative_to(REPOSITORY)): sorted(imported_houses(path, ALLOWED.get(house, ())) & FORBIDDEN[house])
        for path in (REPOSITORY / house).rglob("*.py")
    }
    assert {path: houses for path, houses in wrong.items() if houses} == {}


def test_a_forbidden_import_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text("def late():\n    from local.settings import LocalSettings\n\nimport infra.written.stacks\n")
    assert imported_houses(source) == {"local", "infra"}


@pytest.mark.parametrize(
    ("imports", "seen"),
    [
        ("from churn.core.faults import Fault", set()),
        ("from churn import tasks", set()),
        ("import churn.tasks", set()),
        ("from churn.core.entry import spark_session", {"churn"}),
        ("from churn.core import faults, entry", {"churn"}),
        ("import churn", {"churn"}),
        ("def late():\n    from churn.core import errors", {"churn"}),
    ],
)
def test_the_program_sees_no_other_module_of_the_wheel(tmp_path: Path, imports: str, seen: set[str]) -> None:
    source = tmp_path / "program.py"
    source.write_text(imports)
    assert imported_houses(source, ALLOWED["infra"]) == seen


@pytest.mark.parametrize("module", sorted(ALLOWED["infra"]))
def test_modules_of_the_wheel_that_the_program_sees_need_no_spark(module: str) -> None:
    heavy = ("pyspark", "pandas", "numpy", "mlflow", "sklearn", "pulumi")
    code = f"import sys, {module}; print([name for name in sys.modules if name.split('.')[0] in {heavy}])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY / "workloads" / "src", check=True
    )
    assert run.stdout.strip() == "[]"


def test_every_test_is_collected() -> None:
    named = re.compile(r"^def test_", re.MULTILINE)
    lost = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "tests").rglob("*.py")
        if named.search(path.read_text()) and not path.name.startswith("test_")
    ]
    assert lost == []


def test_every_decision_is_listed() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    assert [path.name for path in sorted(folder.glob("0*.md")) if path.name not in index] == []


def test_links_in_the_documents_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(REPOSITORY)}: {target}"
        for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"))
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert dead == []
