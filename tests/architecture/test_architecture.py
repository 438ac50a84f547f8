"""Packages import only what they may, in no circle; no test is lost by its name, no decision or link by its place."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY
from tests.architecture.sources import circles, imported_modules, module_name, product_files, shown, tracked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PACKAGES = frozenset({"bench", "cli", "infra", "local", "policies", "tests", "churn"})
# What a folder must not import of ours, as CONTRIBUTING.md says. `bench` calls the program as the command line does.
FORBIDDEN = {
    "infra": PACKAGES - {"infra"},
    "local": PACKAGES - {"local"},
    "policies": PACKAGES - {"policies"},
    "workloads": PACKAGES - {"churn"},
    "cli": PACKAGES - {"cli", "local"},
    "bench": PACKAGES - {"bench", "cli", "local"},
}
# Modules that may be imported from a forbidden package: of the wheel those that need neither Spark nor pandas.
ALLOWED = {
    "infra": {
        "churn.core.blanks",
        "churn.core.contract",
        "churn.core.contract_checks",
        "churn.core.contract_rules",
        "churn.core.contract_source",
        "churn.core.contract_terms",
        "churn.core.erased",
        "churn.core.faults",
        "churn.core.files",
        "churn.core.field_faults",
        "churn.core.label_window",
        "churn.core.tables",
        "churn.core.task",
        "churn.tasks",
    },
    "cli": {"churn.core.blanks", "churn.core.logical_date"},
}


def imported_packages(path: Path, allowed: Collection[str] = ()) -> set[str]:
    """Top-level packages of ours that a source imports, by other modules than those that are allowed."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            modules.update(members if members <= set(allowed) else {node.module})
    return {module.split(".")[0] for module in modules - set(allowed)} & PACKAGES


def uncollected(folder: Path) -> list[str]:
    """Files with tests below a folder that pytest does not collect, because of their names."""
    named = re.compile(r"^def test_", re.MULTILINE)
    others = (path for path in sorted(folder.rglob("*.py")) if not path.name.startswith("test_"))
    return [path.relative_to(folder).as_posix() for path in others if named.search(path.read_text())]


def unlisted_decisions(folder: Path) -> list[str]:
    """Decisions of a folder that its README does not name."""
    index = (folder / "README.md").read_text()
    return [path.name for path in sorted(folder.glob("0*.md")) if path.name not in index]


def dead_links(pages: Iterable[Path]) -> list[tuple[str, str]]:
    """Links of Markdown pages to files that do not exist, as page and target."""
    link = re.compile(r"\]\((?!https?:|#)([^)#]+)")
    return [
        (page.name, target)
        for page in pages
        for target in link.findall(page.read_text())
        if not (page.parent / target).exists()
    ]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_only_what_they_may(package: str) -> None:
    wrong = {
        shown(path): sorted(imported_packages(path, ALLOWED.get(package, ())) & FORBIDDEN[package])
        for path in (REPOSITORY / package).rglob("*.py")
    }
    assert {path: packages for path, packages in wrong.items() if packages} == {}


def test_a_forbidden_import_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text("def late():\n    from local.settings import LocalSettings\n\nimport infra.written.stacks\n")
    assert imported_packages(source) == {"local", "infra"}


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
    assert imported_packages(source, ALLOWED["infra"]) == seen


@pytest.mark.parametrize("module", sorted(set().union(*ALLOWED.values())))
def test_modules_of_the_wheel_that_the_program_sees_need_no_spark(module: str) -> None:
    heavy = ("pyspark", "pandas", "numpy", "mlflow", "sklearn", "pulumi")
    code = f"import sys, {module}; print([name for name in sys.modules if name.split('.')[0] in {heavy}])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY / "workloads" / "src", check=True
    )
    assert run.stdout.strip() == "[]"


def test_no_modules_import_each_other() -> None:
    files = {module_name(path): path for path in product_files()}
    assert {"infra.check", "churn.tasks", "local.workspace", "policies.access"} <= files.keys()
    imports = {name: imported_modules(ast.parse(path.read_text()), files) for name, path in files.items()}
    assert circles(imports) == []


def test_a_circle_of_imports_is_seen() -> None:
    sources = {
        "a.one": "if TYPE_CHECKING:\n    from a import two",
        "a.two": "import a.three",
        "a.three": "from a.one import Name\nimport a.four",
        "a.four": "def late():\n    import a.three",
        "a.five": "from a.five import Name",
    }
    imports = {name: imported_modules(ast.parse(text), sources) for name, text in sources.items()}
    assert circles(imports) == [["a.five"], ["a.one", "a.three", "a.two"]]


def test_every_test_is_collected() -> None:
    assert uncollected(REPOSITORY / "tests") == []


def test_a_test_that_is_not_collected_is_seen(tmp_path: Path) -> None:
    (tmp_path / "test_right.py").write_text("def test_it() -> None: ...\n")
    (tmp_path / "helper.py").write_text("def help_test_it() -> None: ...\n")
    (tmp_path / "wrong_test.py").write_text("import os\n\ndef test_it() -> None: ...\n")
    assert uncollected(tmp_path) == ["wrong_test.py"]


def test_every_decision_is_listed() -> None:
    assert unlisted_decisions(REPOSITORY / "docs" / "decisions") == []


def test_an_unlisted_decision_is_seen(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("- [A](0001-a.md)\n")
    for name in ("0001-a.md", "0002-b.md"):
        (tmp_path / name).touch()
    assert unlisted_decisions(tmp_path) == ["0002-b.md"]


def test_links_in_the_documents_lead_somewhere() -> None:
    pages = [REPOSITORY / path for path in tracked() if path.endswith(".md")]
    assert {"README.md", "CONTRIBUTING.md", "local/README.md"} <= {shown(page) for page in pages}
    assert dead_links(pages) == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#part) [b](gone.md) [c](https://example.com) [d](#part) [e](gone/f.md#part)")
    assert dead_links([page]) == [("page.md", "gone.md"), ("page.md", "gone/f.md")]
