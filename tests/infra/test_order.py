"""Hand-written files are read by modules that import downwards only, and none of them imports a provider SDK."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

# From the bottom to the top: a module imports only modules of lines above its own. A name stands for its package too.
ORDER = (
    "churn.core.faults",
    "churn.core.files",
    "churn.core.field_faults",
    "churn.core.contract_terms",
    "churn.core.contract_checks",
    "churn.core.contract_source",
    "churn.core.contract_rules",
    "churn.core.contract",
    "churn.core.task",
    "churn.core.label_window",
    "churn.core.table",
    "churn.core.tables",
    "churn.tasks",
    "infra.names",
    "infra.written.paths",
    *(
        f"infra.written.contracts.{name}"
        for name in (
            *("texts", "secrets", "standard", "conditions", "references", "check"),
            *("strictness", "terms", "changes", "diff", "migrate", "dictionary", "template", "__main__"),
        )
    ),
    "infra.written.sections",
    "infra.written.settings.values",
    "infra.written.settings.quartz",
    "infra.written.settings.account",
    "infra.written.settings.kafka",
    "infra.written.settings.aws",
    "infra.written.settings.databricks_workspace",
    "infra.written.settings.ground",
    "infra.written.settings.workspace",
    "infra.written.settings.groups",
    "infra.written.settings.compute",
    "infra.written.settings.daily",
    "infra.written.settings.simulation",
    "infra.written.settings.training",
    "infra.written.settings.serving",
    "infra.written.settings.stream",
    "infra.written.settings.platform",
    "infra.written.settings.stack",
    "infra.written.settings.aws_rules",
    "infra.written.settings.databricks_rules",
    "infra.written.settings.stream_rules",
    "infra.written.settings.rules",
    "infra.written.stacks",
    "infra.written.requests",
    "infra.written.wheel",
    "infra.access.securables",
    "infra.access.sources",
    "infra.access.classified",
    "infra.access.roles",
    "infra.access.masks",
    "infra.access.entitlements",
    "infra.access.permissions",
    "infra.access.plan",
    "infra.access.guards",
    "infra.access.stack_plan",
    "infra.check",
)
SDKS = ("pulumi", "pulumi_aws", "pulumi_databricks", "databricks", "grpc", "pyspark", "pandas")


def place_of(module: str) -> int | None:
    """The line of a module in the order; None if it is not in the list."""
    return next((n for n, name in enumerate(ORDER) if module == name or module.startswith(f"{name}.")), None)


def imported(path: Path) -> set[str]:
    """All modules that a source imports, for type checking and inside of functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update({name for name in inside if place_of(name) is not None} or {node.module})
    return found


def upward_imports(path: Path, module: str) -> list[str]:
    """What a module imports of this project that does not stand above it, and provider SDKs."""
    mine = place_of(module)
    assert mine is not None, f"{module}: add it to ORDER"
    wrong = []
    for name in sorted(imported(path)):
        other = place_of(name)
        ours = name.split(".")[0] in ("infra", "churn")
        if (ours and (other is None or other >= mine)) or name.split(".")[0] in SDKS:
            wrong.append(name)
    return wrong


def sources() -> dict[str, Path]:
    paths = [
        *(REPOSITORY / "infra" / "written").rglob("*.py"),
        *(REPOSITORY / "infra" / "access").rglob("*.py"),
        REPOSITORY / "infra" / "check.py",
    ]
    inside = {path: path.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".") for path in paths}
    return {module: path for path, module in inside.items() if path.name != "__init__.py"}


@pytest.mark.parametrize("module", sources())
def test_imports_go_downwards(module: str) -> None:
    assert upward_imports(sources()[module], module) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("infra.written.stacks", "from infra.access.plan import Plan"),
        ("infra.written.stacks", "def late():\n    from infra.written.requests import read_requests"),
        ("infra.written.settings.rules", "import infra.written.stacks"),
        ("infra.written.requests", "from infra.written import stacks, wheel"),
        ("infra.access.stack_plan", "from infra import check"),
        ("infra.access.plan", "from infra.access.guards import check_confidential_readers"),
        ("infra.access.plan", "if TYPE_CHECKING:\n    from infra.access.stack_plan import plan_access"),
        ("infra.written.requests", "from infra.layers.platform import jobs"),
        ("infra.written.requests", "import churn.core.entry"),
        ("infra.check", "import pulumi"),
        ("infra.access.roles", "from pulumi_databricks import Grants"),
    ],
)
def test_an_upward_import_is_seen(tmp_path: Path, module: str, source: str) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(source)
    assert len(upward_imports(file, module)) == 1


def test_a_module_that_is_not_in_the_order_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "new.py"
    file.touch()
    with pytest.raises(AssertionError, match=r"infra\.written\.new: add it to ORDER"):
        upward_imports(file, "infra.written.new")


def test_the_check_loads_no_provider_sdk() -> None:
    code = f"import sys, infra.check; print([name for name in sys.modules if name.split('.')[0] in {SDKS}])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert run.stdout.strip() == "[]"
