"""The houses keep their distance, and no test falls out of the collection by its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from local.settings import REPOSITORY

HOUSES = ("bench", "cli", "infra", "local", "policies", "tests", "churn")
FORBIDDEN = {
    "infra": {"local", "cli", "policies", "churn", "bench", "tests"},
    "local": {"infra", "cli", "policies", "churn", "bench", "tests"},
    "policies": {"local", "cli", "infra", "churn", "bench", "tests"},
    "workloads": {"local", "cli", "infra", "policies", "bench", "tests"},
}


def imported_houses(path: Path) -> set[str]:
    """Top-level packages of ours that a source imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found & set(HOUSES)


@pytest.mark.parametrize("house", FORBIDDEN)
def test_a_house_imports_only_what_it_may(house: str) -> None:
    wrong = {
        str(path.relative_to(REPOSITORY)): sorted(imported_houses(path) & FORBIDDEN[house])
        for path in (REPOSITORY / house).rglob("*.py")
    }
    assert {path: houses for path, houses in wrong.items() if houses} == {}


def test_a_forbidden_import_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text("def late():\n    from local.settings import LocalSettings\n\nimport infra.written.stacks\n")
    assert imported_houses(source) == {"local", "infra"}


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
