"""What the local cloud refuses by name: read from the sources that refuse it, and from the calls of databricks-sdk."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from databricks.sdk import service

from local.aws.provider.types import MODULES
from local.settings import REPOSITORY
from tests.parity.areas import area_of, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.routing import APIRoute

LACKING = ("local workspace", "local Auto Loader", "open engine")
"""Words by which an error says that the real product has more; `not_built` adds the first of them itself."""
PLACES = {"path", "where"}
"""Variables with which a text begins that names the place of a field in a request; the page leaves them out."""
SHARED = ("/api/2.0/permissions/", "/api/2.0/mlflow/")
"""Paths with one route for calls of many APIs: it refuses by name the objects, or passes on to MLflow."""


@dataclass(frozen=True)
class Refused:
    """Something that the local cloud refuses.

    Attributes:
        area: Key of the area.
        what: Its name.
        path: The source that refuses it, by its path in the repository; empty where no source has it.
    """

    area: str
    what: str
    path: str = ""


def refused(sources: Iterable[Path] | None = None) -> list[Refused]:
    """Everything that a source refuses by name.

    Args:
        sources: Files to read; those of the local cloud if not given.
    """
    files = sorted((REPOSITORY / "local").rglob("*.py")) if sources is None else sources
    texts = {file.relative_to(REPOSITORY).as_posix(): file.read_text(encoding="utf-8") for file in files}
    return [Refused(area_of(path).key, what, path) for path, text in texts.items() for what in _named(text, path)]


def refused_inputs() -> list[Refused]:
    """Inputs that the stand-in for the AWS provider does not take, by type."""
    found = []
    for module in MODULES:
        path = f"{module.__name__.replace('.', '/')}.py"
        for resource in module.TYPES:
            if resource.refused:
                _, service_name, _, name = re.split("[:/]", resource.kind)
                what = f"`{service_name}.{name}`: {', '.join(resource.refused.split())}"
                found.append(Refused(area_of(path).key, what, path))
    return found


def _named(source: str, path: str) -> Iterator[str]:
    tree = ast.parse(source)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
    for node in ast.walk(tree):
        error = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(error, ast.Call) and isinstance(error.func, ast.Name) and _lacks(error):
            around = [loop for loop in loops if any(inner is node for inner in ast.walk(loop))]
            known = dict(pair for loop in around for pair in _loop(loop, path))
            text = " ".join(_text(error.args[0], known, path).strip(" ,").split())
            if text == "…":
                raise ValueError(f"{path}:{error.lineno}: write what is refused, as `… of a job` does")
            yield re.sub("^… ", "any other field ", text.removeprefix("…: "))


def _lacks(error: ast.Call) -> bool:
    """Whether an error says that the real product has more."""
    text = ast.unparse(error.args[0]) if error.args else ""
    return ast.unparse(error.func) == "not_built" or any(words in text for words in LACKING)


def _loop(loop: ast.For, path: str) -> Iterator[tuple[str, str]]:
    """The variable of a loop with its values, where these are a constant."""
    variable = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
    values = _values(loop.iter, path)
    if isinstance(variable, ast.Name) and values:
        yield variable.id, values


def _values(node: ast.expr, path: str) -> str:
    """The values of a constant, joined; empty where the expression is none."""
    if isinstance(node, ast.Call):  # of a dictionary's `items`, of `sorted` or of `join`
        inner = [*node.args, node.func.value] if isinstance(node.func, ast.Attribute) else node.args
        return next((values for part in inner if (values := _values(part, path))), "")
    if isinstance(node, (ast.Tuple, ast.List)):
        return ", ".join(str(part.value) for part in node.elts if isinstance(part, ast.Constant))
    if not (isinstance(node, ast.Name) and node.id.isupper()):
        return ""
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    value = getattr(module, node.id, ())
    return ", ".join(sorted(value)) if isinstance(value, Iterable) and not isinstance(value, str) else ""


def _text(node: ast.expr, known: Mapping[str, str], path: str) -> str:
    """A message as the page shows it: constants in place of their variables, and `…` for other variables."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        placed = isinstance(first, ast.FormattedValue) and ast.unparse(first.value) in PLACES
        return "".join(_text(part, known, path) for part in node.values[placed:]).lstrip(".: ")
    if isinstance(node, ast.FormattedValue):
        return known.get(ast.unparse(node.value)) or _values(node.value, path) or "…"
    return known.get(ast.unparse(node)) or "…"


@dataclass(frozen=True)
class Api:
    """A class of calls of databricks-sdk.

    Attributes:
        name: Name of the class.
        answered: Calls that a route answers, each with the key of the route's area.
        missing: Calls that no route answers.
    """

    name: str
    answered: dict[str, str]
    missing: list[str]


def apis(routes: list[APIRoute]) -> list[Api]:
    """Every class of databricks-sdk with calls, compared with the routes.

    Args:
        routes: Routes of the local workspace.
    """
    found: dict[str, Api] = {}
    words = re.compile(r'^class (\w+)|^    def (\w+)|_api\.do\(\s*"(\w+)",\s*f?(["\'])(.+?)\4', re.MULTILINE)
    name = call = ""
    for file in sorted(Path(service.__path__[0]).glob("*.py")):
        for word in words.finditer(file.read_text(encoding="utf-8")):
            if word[1] or word[2]:
                name, call = word[1] or name, word[2] or call
            elif not word[5].startswith(SHARED):
                api = found.setdefault(name, Api(name, {}, []))
                path = word[5].replace("{_escape", "/{_escape").replace("{securable_type}", "catalog")
                path = re.sub(r"\{[^}]*\}", "1", path)  # of a call for an object; a catalog has every such call
                area = next((area_of(source_of(each)).key for each in routes if _answers(each, word[3], path)), None)
                if area:
                    api.answered[call] = area
                else:
                    api.missing.append(call)
    return [found[name] for name in sorted(found)]


def _answers(route: APIRoute, method: str, path: str) -> bool:
    return method in (route.methods or ()) and route.path_regex.match(path) is not None
