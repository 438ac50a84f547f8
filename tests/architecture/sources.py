"""Files of the repository, and which module of the product imports which."""

from __future__ import annotations

import ast
import subprocess
from typing import TYPE_CHECKING

from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

WHEEL = REPOSITORY / "workloads" / "src"
ROOTS = (*(REPOSITORY / name for name in ("bench", "cli", "infra", "local", "policies")), REPOSITORY / "workloads")


def tracked() -> list[str]:
    """Paths of all files that git knows, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.splitlines() if (REPOSITORY / path).exists()]


def product_files() -> list[Path]:
    """Python files of the product, which are all but tests."""
    return sorted(path for root in ROOTS for path in root.rglob("*.py"))


def shown(path: Path) -> str:
    """Path of a file as a failing test shows it."""
    return path.relative_to(REPOSITORY).as_posix()


def module_name(path: Path) -> str:
    """Dotted name by which a source is imported; a package's is that of its folder."""
    parts = path.relative_to(WHEEL if path.is_relative_to(WHEEL) else REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_level(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that stand in no function; those below `if TYPE_CHECKING` count."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def imported_modules(tree: ast.Module, modules: Collection[str]) -> set[str]:
    """Those of the modules that a source imports at module level, by absolute names."""
    named: set[str] = set()
    for node in module_level(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif node.module and node.level == 0:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= {name if name in modules else node.module for name in whole}
    return named & set(modules)


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (strongly connected components)."""
    reached = {module: _reached(module, imports) for module in imports}
    groups = {frozenset(other for other in reached[module] if module in reached[other]) for module in imports}
    return sorted(sorted(group) for group in groups if group)


def _reached(module: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imports[name]
    return found
