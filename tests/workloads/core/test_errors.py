"""Errors of the wheel: each says whether trying again helps, and its text is the last line of a task that fails."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from churn.core.errors import ChurnError, FinalError, RetryableError
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = REPOSITORY / "workloads" / "src"
# Readers of files that people write, which the deployment uses too: their faults have a form of their own.
READERS = ("contract.py", "contract_rules.py", "contract_source.py", "faults.py", "files.py", "field_faults.py")


def errors(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Classes of a source that are errors by their name."""
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.endswith("Error"))


def exits(tree: ast.Module) -> list[int]:
    """Lines on which a source ends the process."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if ast.unparse(call.func) in ("sys.exit", "exit", "SystemExit")]


def sources() -> list[Path]:
    every = sorted((SOURCES / "churn").rglob("*.py"))
    return [path for path in every if path.parent.name != "core" or path.name not in READERS]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_an_error_says_whether_trying_again_helps_and_nothing_exits(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
    for node in errors(tree):
        kind = getattr(importlib.import_module(module), node.name)
        if kind not in (ChurnError, FinalError, RetryableError):
            assert issubclass(kind, FinalError) != issubclass(kind, RetryableError), node.name
        assert ast.get_docstring(node), node.name
    assert exits(tree) == []


def test_an_exit_is_seen() -> None:
    assert exits(ast.parse("import sys\nsys.exit('no')\nraise SystemExit('no')")) == [2, 3]


def test_the_last_line_of_a_task_that_fails_is_the_error_s_text() -> None:
    command = [sys.executable, "-m", "churn.ingestion.ingest", "--catalog=c", "--run_id=1", "--date=soon"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    task = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert task.returncode == 1
    last = task.stderr.splitlines()[-1]
    assert last.startswith("churn.core.errors.OptionError: argument --date: 'soon' is no day: write YYYY-MM-DD")
