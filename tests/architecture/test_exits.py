"""A process is ended by its `main` alone; everything below raises an error, which a caller can handle."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.sources import product_files, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

EXITS = ("sys.exit", "exit", "quit", "os._exit", "SystemExit")
# The first handles a signal: only an exception ends the task's own code through its `finally`. The second is a thread,
# which no `main` can hear: a server that can keep no brokers ends.
HANDLERS = {"local/workspace/programs/launch_task.py: _end", "local/aws/kafka/keeper.py: _watch"}


def exits(node: ast.AST, function: str = "main") -> Iterator[str]:
    """Functions that end the process, other than `main`; statements of a module are as good as `main`."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        raised = child.exc if isinstance(child, ast.Raise) else None
        ends = child.func if isinstance(child, ast.Call) else raised
        if ends is not None and ast.unparse(ends) in EXITS and inner != "main":
            yield inner
        yield from exits(child, inner)


def test_only_main_ends_a_process() -> None:
    found = {f"{shown(path)}: {name}" for path in product_files() for name in exits(ast.parse(path.read_text()))}
    assert found == HANDLERS


def test_an_exit_below_main_is_seen() -> None:
    source = """
import sys
def main():
    sys.exit(1)
def called():
    if bad:
        raise SystemExit
def read():
    sys.exit("no")
class Reader:
    def close(self):
        raise SystemExit("no")
if __name__ == "__main__":
    sys.exit(main())
"""
    assert list(exits(ast.parse(source))) == ["called", "read", "close"]
