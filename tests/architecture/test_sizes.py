"""Limits of CONTRIBUTING.md on the size of files and functions."""

from __future__ import annotations

import ast

from tests.architecture.sources import product_files, shown

FILE_LINES = 350
FUNCTION_LINES = 60


def long_files(sources: dict[str, str]) -> dict[str, int]:
    """Lines of the files that are too long, by path."""
    lines = {path: len(text.splitlines()) for path, text in sources.items()}
    return {path: number for path, number in lines.items() if number > FILE_LINES}


def long_functions(sources: dict[str, str]) -> dict[str, int]:
    """Lines of the functions that are too long, by path and name; decorators do not count."""
    lines = {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    return {name: number for name, number in lines.items() if number > FUNCTION_LINES}


def test_files_and_functions_are_short() -> None:
    sources = {shown(path): path.read_text() for path in product_files()}
    assert len(sources) > 200
    assert long_files(sources) == {}
    assert long_functions(sources) == {}


def test_a_long_file_is_seen() -> None:
    assert long_files({"a.py": "pass\n" * 350, "b.py": "pass\n" * 351}) == {"b.py": 351}


def test_a_long_function_is_seen() -> None:
    limit, over = ("async def f():\n" + "    pass\n" * lines for lines in (59, 60))
    method = "class A:\n    def g(self):\n" + "        pass\n" * 60
    assert long_functions({"a.py": limit, "b.py": over, "c.py": method}) == {"b.py: f": 61, "c.py: g": 61}
