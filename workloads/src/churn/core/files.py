"""Reads hand-written YAML files, and keeps the line of each value for messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from churn.core.faults import Fault, FaultsError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

# Tags of a name in YAML: text, or `<<`, which merges another mapping.
NAME_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")

Place = tuple[str | int, ...]  # names and indices that lead to a value


@dataclass(frozen=True)
class Document:
    """A YAML file whose top level is a mapping.

    Attributes:
        file: The file as its author knows it.
        values: What the file holds.
        lines: Line of each value by its place; that of a value with a name is the line of the name.
    """

    file: str
    values: dict[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int | None:
        """Line of a value; of what would hold it if it is missing; None if no line is known."""
        return next((self.lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.lines), None)

    def fault(self, place: Place, *, received: str, allowed: str, remedy: str) -> Fault:
        """A fault of the value at a place."""
        line, field = self.line(place), field_name(place)
        return Fault(file=self.file, line=line, field=field, received=received, allowed=allowed, remedy=remedy)


class UnquotedDate(str):
    """A date without quotes, kept as text: the engine would hand the program another text for it."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: dates stay text, names are text, and a name given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag not in NAME_TAGS:
                raise yaml.constructor.ConstructorError(None, None, "names must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the name {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: UnquotedDate(node.value))


def field_name(place: Place) -> str:
    """A place as text, such as `schema[0].name`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(path: Path, file: str) -> Document:
    """Reads a YAML file whose top level is a mapping.

    Args:
        path: Where the file lies.
        file: The file as its author knows it, for messages.

    Raises:
        FaultsError: The file cannot be read, is not YAML, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        fault = Fault(file=file, received="no such file", allowed="an existing file", remedy=f"create {file}")
        raise FaultsError([fault]) from None
    except OSError as error:
        received = f"{error.strerror!r}" if error.strerror else type(error).__name__
        remedy = f"put a file at {file}"
        raise FaultsError([Fault(file=file, received=received, allowed="a readable file", remedy=remedy)]) from None
    except ValueError as error:
        raise FaultsError([_not_yaml(file, error)]) from None
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Document:
    """Reads the text of a YAML file whose top level is a mapping.

    Raises:
        FaultsError: The text is not YAML, or holds something else.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        values = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FaultsError([_not_yaml(file, error)]) from None
    try:
        received = shown(values)
    except (ValueError, RecursionError):  # it has no end
        fault = Fault(
            file=file,
            received="an alias to what holds it",
            allowed="aliases to what stands elsewhere",
            remedy="write the values instead of the alias",
        )
        raise FaultsError([fault]) from None
    if node is None or not isinstance(values, dict):
        allowed, remedy = "a mapping of names to values", "write `name: value` lines"
        raise FaultsError([Fault(file=file, line=1, received=received, allowed=allowed, remedy=remedy)])
    lines: dict[Place, int] = {}
    _note_lines(node, (), 1, lines)
    return Document(file, values, lines)


def _not_yaml(file: str, error: Exception) -> Fault:
    """The fault of a text that YAML's reader refuses."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) if mark else None
    column = f", column {mark.column + 1}" if mark else ""
    return Fault(
        file=file,
        line=mark.line + 1 if mark else None,
        received=f"{' '.join(str(problem or error).split())!r}{column}",
        allowed="YAML in UTF-8 with names that are text, each given once",
        remedy="correct this line; text with YAML's own characters, such as {, [, : or #, needs quotes",
    )


def _note_lines(node: yaml.Node, place: Place, line: int, lines: dict[Place, int]) -> None:
    """Notes the line of a node and of all nodes below it. Merged names are in the node by now."""
    lines[place] = line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _note_lines(value, (*place, key.value), key.start_mark.line + 1, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*place, index), value.start_mark.line + 1, lines)


def files_to_read(
    folder: Path, pattern: str, place: str, known: Collection[str] = ()
) -> tuple[list[Path], list[Fault]]:
    """The files of a folder that people write in, and a fault for each other file, which would silently be ignored.

    Args:
        folder: Where they lie; hidden files and folders in it do not count.
        pattern: Of the files to read.
        place: The same for people, such as `requests/<team>/<name>.yaml`.
        known: Names of files in the folder that are of another kind.
    """
    read, faults = set(folder.glob(pattern)), []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            read.discard(path)
        elif path not in read and not path.is_dir() and inside.as_posix() not in known:
            file = f"{folder.name}/{inside.as_posix()}"
            remedy = f"rename it to {place}, or remove it"
            faults.append(Fault(file=file, received="a file that nothing reads", allowed=place, remedy=remedy))
    return sorted(read), faults
