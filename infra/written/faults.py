"""What is wrong with a file that people write: every fault at once, each with its remedy."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

MAXIMUM_SHOWN_CHARACTERS = 80
# What a name may be in YAML: text, or `<<`, which merges another mapping.
NAME_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """A part of a file: a name that it does not have is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        file: The file as its author knows it.
        field: Path of the property, such as `churn:compute.workers`; empty for the whole file.
        received: What stands there, as text; never a secret.
        allowed: What may stand there.
        remedy: What to do.
    """

    file: str
    field: str
    received: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.field}" if self.field else self.file
        return f"{where}: received {self.received}; allowed: {self.allowed}; remedy: {self.remedy}"


class FaultsError(ValueError):
    """Raised with all faults of the files that were read; trying again does not help."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        files = sorted({fault.file for fault in self.faults})
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n  ".join([f"{count} in {', '.join(files)}", *map(str, self.faults)]))


def broken_rule(field: str, received: Any, allowed: str, remedy: str = "correct it") -> PydanticCustomError:
    """The error that a rule across fields raises in a validator.

    Args:
        field: Path of the field to change, from the model that has the rule.
        received: Its value.
        allowed: What it may be, and why.
        remedy: What to do.
    """
    context = {"field": field, "received": received, "allowed": allowed, "remedy": remedy}
    return PydanticCustomError("broken_rule", "{allowed}", context)


def wrong_value(allowed: str) -> PydanticCustomError:
    """The error that a rule of one field raises in its validator."""
    return PydanticCustomError("wrong_value", "{allowed}", {"allowed": allowed})


def shown(value: Any) -> str:
    """The value as the author wrote it, shortened; an encrypted one is not shown."""
    if isinstance(value, dict) and "secure" in value:
        return "a secret"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MAXIMUM_SHOWN_CHARACTERS else text[:MAXIMUM_SHOWN_CHARACTERS] + "…"


def choices(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


class _Unquoted(str):
    """A date without quotes, as its author wrote it: the engine hands the program another text for it."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: dates stay text, names are text, and a name given twice is a fault."""

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


_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: _Unquoted(node.value))


def read_mapping(path: Path, file: str) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises:
        FaultsError: The file cannot be read, is not YAML, or holds something else.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise FaultsError([Fault(file, "", "no such file", "an existing file", f"create {file}")]) from None
    except OSError as error:
        received = f"{error.strerror!r}" if error.strerror else type(error).__name__
        raise FaultsError([Fault(file, "", received, "a file that can be read", f"put a file at {file}")]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        received = f"{' '.join(str(error).split())!r}"
        allowed = "YAML in UTF-8 with names that are text, each given once"
        raise FaultsError([Fault(file, "", received, allowed, "correct the line that is named")]) from None
    try:
        received = shown(document)
    except (ValueError, RecursionError):  # it has no end
        allowed = "aliases to what stands elsewhere"
        fault = Fault(file, "", "an alias to what holds it", allowed, "write the values instead of the alias")
        raise FaultsError([fault]) from None
    if not isinstance(document, dict):
        raise FaultsError([Fault(file, "", received, "a mapping of names to values", "write `name: value` lines")])
    return document


def files_to_read(
    folder: Path, pattern: str, place: str, known: Collection[str] = ()
) -> tuple[list[Path], list[Fault]]:
    """The files of a folder that people write in, and a fault for each other one: passed over, it would be missed.

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
            faults.append(Fault(file, "", "a file that nothing reads", place, f"rename it to {place}, or remove it"))
    return sorted(read), faults


def validate(model: type[M], values: dict[str, Any], file: str, prefix: str = "") -> M:
    """The validated model, strict about types, as JSON has them.

    Args:
        model: What the file must be.
        values: What the file holds.
        file: The file's name for messages.
        prefix: Text before each property path, such as `churn:`.

    Raises:
        FaultsError: With every fault, not the first alone.
    """
    faults = [
        Fault(file, prefix + _path(where), text, "text", f'quote it: "{text}"') for where, text in _unquoted(values)
    ]
    try:
        valid = model.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        faults += [_fault(model, detail, file, prefix) for detail in error.errors()]
    if faults:
        raise FaultsError(faults)
    return valid


def _unquoted(value: Any, where: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Every date without quotes at any depth, with its path."""
    if isinstance(value, _Unquoted):
        yield where, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unquoted(inner, (*where, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unquoted(inner, (*where, index))


def _fault(model: type[BaseModel], detail: ErrorDetails, file: str, prefix: str) -> Fault:
    field = prefix + _path(detail["loc"])
    parent, name = _owner(model, detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = [info.alias or key for key, info in parent.model_fields.items() if info.description]
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"write {close[0]} instead of {name}" if close else f"remove {name}"
        return Fault(file, field, f"the unknown name {name!r}", choices(known), remedy)
    meaning = next((i.description for k, i in parent.model_fields.items() if name in (k, i.alias)), None)
    if detail["type"] == "missing":
        return Fault(file, field, "nothing", meaning or "a value", f"add {name}")
    if detail["type"] == "broken_rule":
        rule = detail["ctx"]
        field = prefix + _path((*detail["loc"], rule["field"]))
        return Fault(file, field, shown(rule["received"]), rule["allowed"], rule["remedy"])
    allowed, received = detail["msg"].removeprefix("Input should be "), shown(detail["input"])
    return Fault(file, field, received, allowed, f"set it to what is allowed ({meaning})" if meaning else "correct it")


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _owner(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The model that holds the last named property of a path, and that property's name."""
    names = [part for part in location if isinstance(part, str)]
    for name in names[:-1]:
        info = next((i for k, i in model.model_fields.items() if name in (k, i.alias)), None)
        inner = _models(info.annotation) if info else []
        if not inner:
            return model, name
        model = inner[0]
    return model, names[-1] if names else ""


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models(argument)]
