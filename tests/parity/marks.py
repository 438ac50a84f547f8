"""Tests that show a capability through a client: their marks `shows`, read from the sources without running them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from local.settings import REPOSITORY
from tests.parity.areas import AREAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Client:
    """A client that a mark can name.

    Attributes:
        evidence: Words in the code of a test, or in what the test calls, that show the use of this client.
        stands_in: Why a capability that only this client shows is orange; empty for clients of others, unmodified.
    """

    evidence: frozenset[str]
    stands_in: str = ""


CLIENTS = {
    "databricks-sdk": Client(frozenset({"WorkspaceClient", "AccountClient"})),
    # By a test's own program, or by the project's, which the command deploys.
    "Databricks provider": Client(frozenset({"pulumi_databricks", "platform_command"})),
    "MLflow": Client(frozenset({"mlflow", "MlflowClient"})),
    "Spark Connect": Client(frozenset({"remote"})),
    "boto3": Client(frozenset({"boto3"})),
    "confluent-kafka": Client(frozenset({"AdminClient", "Consumer", "Producer"})),
    "psycopg": Client(frozenset({"psycopg"})),
    # A program gets its environment in tests/local/engine_programs.py; programs on mocks have none.
    "Pulumi engine": Client(frozenset({"engine_environment", "platform_command"})),
    "pulumi-aws": Client(frozenset({"pulumi_aws"}), "shown through our own stand-in for the provider only"),
    "cloud_files_client": Client(
        frozenset({"cloud_files_client"}), "shown in a session that registers our own data source"
    ),
    "httpx": Client(frozenset({"httpx"}), "shown by our own calls only"),
}


@dataclass(frozen=True)
class Shown:
    """A capability that a test shows.

    Attributes:
        area: Key of the area.
        capability: The capability, in the words of the field.
        client: Name of the client.
        path: The test's file, by its path in the repository.
        test: Name of the test.
    """

    area: str
    capability: str
    client: str
    path: str
    test: str


def shown(root: Path = REPOSITORY) -> list[Shown]:
    """All capabilities that tests show.

    Args:
        root: Folder that has the folder `tests`.
    """
    return [mark for mark, _ in _marked(root)]


def faults(root: Path = REPOSITORY) -> list[str]:
    """Marks that must not count: of an unknown area or client, or of a test that may not run or uses no such client.

    Args:
        root: Folder that has the folder `tests`.
    """
    marked = list(_marked(root))
    found = [f"{mark.path}: {mark.test}: {fault}" for mark, test in marked for fault in _faults(root, mark, test)]
    return found + [f"{place}: the mark `shows` counts on a function of the module alone" for place in _misplaced(root)]


def _faults(root: Path, mark: Shown, test: ast.FunctionDef) -> Iterator[str]:
    keys = [area.key for area in AREAS]
    if mark.area not in keys:
        yield f"the area {mark.area!r} of {mark.capability!r} is none of: {', '.join(keys)}"
    if skipped := {".skip", ".skipif", ".xfail"} & {word for item in test.decorator_list for word in _words(item)}:
        yield f"a test with the mark {min(skipped)[1:]} shows nothing; take the mark `shows` away"
    if mark.client not in CLIENTS:
        yield f"the client {mark.client!r} is none of: {', '.join(CLIENTS)}"
    elif not CLIENTS[mark.client].evidence & _reached(root, root / mark.path, test):
        words = ", ".join(sorted(CLIENTS[mark.client].evidence))
        yield f"it does not use {mark.client}: neither the test nor what it calls has one of: {words}"


def _marked(root: Path) -> Iterator[tuple[Shown, ast.FunctionDef]]:
    for file in sorted((root / "tests").rglob("test_*.py")):
        path = file.relative_to(root).as_posix()
        for test in (node for node in _tree(file).body if isinstance(node, ast.FunctionDef)):
            for item in test.decorator_list:
                if isinstance(item, ast.Call) and ast.unparse(item.func) == "pytest.mark.shows":
                    client = next((str(ast.literal_eval(word.value)) for word in item.keywords), "")
                    for argument in item.args:
                        area, _, capability = str(ast.literal_eval(argument)).partition(": ")
                        yield Shown(area, capability, client, path, test.name), test


def _misplaced(root: Path) -> Iterator[str]:
    """Marks that `_marked` does not see, such as those of a class, of `pytestmark` or of a parameter."""
    for file in sorted((root / "tests").rglob("test_*.py")):
        functions = [node for node in _tree(file).body if isinstance(node, ast.FunctionDef)]
        seen = {id(node) for test in functions for item in test.decorator_list for node in ast.walk(item)}
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.shows" and id(node) not in seen:
                yield f"{file.relative_to(root).as_posix()}:{node.lineno}"


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _words(node: ast.AST) -> Iterator[str]:
    """Names, `.attributes`, fixtures and texts in a piece of code; annotations call nothing and do not count."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, ast.Name):
            yield found.id
        elif isinstance(found, ast.Attribute):
            yield f".{found.attr}"
        elif isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield from found.value.split() if "import " in found.value else [found.value]
        elif isinstance(found, ast.alias):
            yield found.name
        elif isinstance(found, ast.arg):
            yield found.arg
            continue
        elif isinstance(found, ast.AnnAssign):
            waiting += [] if found.value is None else [found.value]
            continue
        elif isinstance(found, ast.FunctionDef):
            waiting += [found.args, *found.decorator_list, *found.body]
            continue
        waiting += ast.iter_child_nodes(found)


def _reached(root: Path, file: Path, test: ast.FunctionDef) -> set[str]:
    """Words in a test, in its fixtures, and in what both call in files of tests, followed by names alone."""
    definitions = _definitions(root, file)
    words: set[str] = set()
    waiting: list[ast.AST] = [test]
    while waiting:
        new = set(_words(waiting.pop())) - words
        words |= new
        for word in new:
            program = file.parent / "programs" / word / "__main__.py"  # of a test that names its folder
            waiting += [_tree(program)] if re.fullmatch(r"\w+", word) and program.exists() else []
            waiting += [definitions[name] for name in (word, word.lstrip(".")) if name in definitions][:1]
    return {word.lstrip(".") for word in words}


def _definitions(root: Path, file: Path) -> dict[str, ast.AST]:
    """What a file of tests can call by name: its own first, then of files that it imports, then of its `conftest`s.

    Returns:
        Functions and constants by name, methods by their name after a dot.
    """
    folders = [folder for folder in file.parents if folder.is_relative_to(root / "tests")]
    waiting = [file, *(folder / "conftest.py" for folder in folders)]
    found: dict[str, ast.AST] = {}
    read: set[Path] = set()
    while waiting:
        module = waiting.pop(0)
        if module in read or not module.exists():
            continue
        read.add(module)
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name if node.col_offset == 0 else f".{node.name}", node)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.col_offset == 0:
                found.setdefault(node.targets[0].id, node.value)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
                waiting = [root / f"{name.replace('.', '/')}.py" for name in names] + waiting
    return found
