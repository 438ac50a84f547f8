"""Checks a YAML document against a pydantic model: every fault at once, each with its line and its remedy."""

from __future__ import annotations

import datetime as dt
import json
import re
import types
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ValidationError

from churn.core.faults import FaultsError, choices, nearest, shown
from churn.core.files import Document, UnquotedDate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from churn.core.faults import Fault
    from churn.core.files import Place

M = TypeVar("M", bound=BaseModel)

MAXIMUM_SHOWN_NAMES = 15

# Beginnings of pydantic's messages, and the words for them after "allowed:".
WORDING = (
    ("Input should be ", ""),
    ("String should match pattern ", "text that matches "),
    ("String should have ", "text with "),
    ("Tuple should have ", "a list with "),
    ("List should have ", "a list with "),
)
# Remedies by the type of pydantic's error, with what the error knows of its limits.
# https://docs.pydantic.dev/latest/errors/validation_errors/
REMEDIES = {
    "greater_than_equal": "raise {name} to {ge} or more",
    "less_than_equal": "lower {name} to {le} or less",
    "string_too_short": "lengthen {name} to {min_length} or more characters",
    "string_too_long": "shorten {name} to {max_length} or fewer characters",
    "too_short": "add to {name} until it has {min_length} or more",
    "bool_type": "write true or false without quotes as {name}",
    "int_type": "write {name} in digits alone, without quotes",
    "date_from_datetime_parsing": 'write {name} as "YYYY-MM-DD"',
}
KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dt.date: "a date as quoted text",
    UUID: "a UUID as text",
}


class Described(NamedTuple):
    """A mapping of the document, and the model that describes it."""

    place: Place
    model: type[BaseModel]
    values: dict[str, Any]


class Examined(NamedTuple, Generic[M]):
    """A document as far as it could be read.

    Attributes:
        model: The validated model; None if there is none because of the faults.
        document: The document with misspelt names corrected, for the lines of further faults.
        faults: All that is wrong so far.
    """

    model: M | None
    document: Document
    faults: list[Fault]


def validate(model: type[M], document: Document) -> M:
    """Checks a document strictly about types, as JSON has them, and refuses names that the model does not have.

    Args:
        model: Describes the document. The descriptions of its fields become part of the remedies.
        document: What was read.

    Returns:
        The validated model.

    Raises:
        FaultsError: With every fault of the document.
    """
    examined = examine(model, document)
    if examined.faults or examined.model is None:
        raise FaultsError(examined.faults)
    return examined.model


def examine(model: type[M], document: Document) -> Examined[M]:
    """Checks a document like `validate`, and returns the faults, so that rules over several values can add theirs.

    Args:
        model: Describes the document. The descriptions of its fields become part of the remedies.
        document: What was read.
    """
    faults = [
        document.fault(place, received=text, allowed="text", remedy=f'quote it: "{text}"')
        for place, text in _unquoted_dates(document.values)
    ]
    renames: dict[Place, str | None] = {}
    for mapping in _mappings(model, document.values, ()):
        for name in mapping.values.keys() - _fields(mapping.model).keys():
            fault, renames[(*mapping.place, name)] = _unknown_name(document, mapping, name)
            faults.append(fault)
    corrected = _renamed(document, renames)
    misspelt = {(*place[:-1], name) for place, name in renames.items() if name}
    try:
        valid = model.model_validate_json(json.dumps(corrected.values, default=str), strict=True)
    except ValidationError as error:
        details = {_place_in(corrected, detail): detail for detail in reversed(error.errors())}  # the first of a place
        for place, detail in details.items():
            if not any(place[:end] in misspelt for end in range(1, len(place) + 1)):
                faults.append(_fault(model, corrected, detail, place))
        return Examined(None, corrected, faults)
    return Examined(valid, corrected, faults)


def _renamed(document: Document, renames: dict[Place, str | None]) -> Document:
    """The document with other names for some places; those with None are left out."""

    def rename(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            names = {name: renames.get((*place, name), name) for name in value}
            return {new: rename(value[name], (*place, name)) for name, new in names.items() if new is not None}
        if isinstance(value, list):
            return [rename(item, (*place, index)) for index, item in enumerate(value)]
        return value

    lines: dict[Place, int] = {}
    for place, line in document.lines.items():
        parts = [renames.get(place[: index + 1], part) for index, part in enumerate(place)]
        if None not in parts:
            lines[tuple(part for part in parts if part is not None)] = line
    return Document(document.file, rename(document.values, ()), lines)


def _unquoted_dates(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every date without quotes at any depth, with its place."""
    if isinstance(value, UnquotedDate):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unquoted_dates(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unquoted_dates(inner, (*place, index))


def _mappings(annotation: Any, value: Any, place: Place) -> Iterator[Described]:
    """All mappings of a value that a model describes, from the outermost inwards."""
    for alternative in _alternatives(annotation):
        if isinstance(value, dict) and isinstance(alternative, type) and issubclass(alternative, BaseModel):
            yield Described(place, alternative, value)
            fields = _fields(alternative)
            for name in value.keys() & fields.keys():
                yield from _mappings(fields[name].annotation, value[name], (*place, name))
        elif isinstance(value, list) and get_origin(alternative) in (list, tuple):
            for index, item in enumerate(value):
                yield from _mappings(get_args(alternative)[0], item, (*place, index))


def _alternatives(annotation: Any) -> list[Any]:
    """The types that an annotation allows, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [each for argument in get_args(annotation) for each in _alternatives(argument)]
    return [] if annotation is types.NoneType else [annotation]


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their names in the file."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _unknown_name(document: Document, mapping: Described, name: str) -> tuple[Fault, str | None]:
    """The fault of a name that the model does not have, and the name that was probably meant, if any."""
    fields = _fields(mapping.model)
    meant = nearest(name, fields.keys() - mapping.values.keys())
    twin = nearest(name, fields)
    if meant:
        remedy = f"write {meant} instead of {name}{_meaning(fields[meant])}"
    elif twin:
        remedy = f"remove {name}; {twin} is given too"
    elif holders := _holders(fields, name.rpartition(":")[2]):
        remedy = f"remove {name}, or move it below {' or '.join(holders)}"
    else:
        remedy = f"remove {name}"
    allowed = choices(fields)
    if len(fields) > MAXIMUM_SHOWN_NAMES:
        allowed = f"one of {len(fields)} names" + (f", such as {meant or twin}" if meant or twin else "")
    place, received = (*mapping.place, name), f"the unknown name {name!r}"
    return document.fault(place, received=received, allowed=allowed, remedy=remedy), meant


def _holders(fields: dict[str, FieldInfo], name: str) -> list[str]:
    """The fields whose mappings have a name."""
    return [
        field
        for field, info in fields.items()
        for alternative in _alternatives(info.annotation)
        if isinstance(alternative, type) and issubclass(alternative, BaseModel) and name in _fields(alternative)
    ]


def _meaning(info: FieldInfo | None) -> str:
    """The description of a field in parentheses, if it has one."""
    return f" ({info.description})" if info and info.description else ""


def _place_in(document: Document, detail: ErrorDetails) -> Place:
    """The place that an error is about, without the names of alternatives that pydantic puts into it."""
    value: Any = document.values
    place: list[str | int] = []
    for part in detail["loc"]:
        if part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int):
            place.append(part)
            value = value[part]
    if detail["type"] == "missing":
        place.append(detail["loc"][-1])
    return tuple(place)


def _fault(model: type[BaseModel], document: Document, detail: ErrorDetails, place: Place) -> Fault:
    """The fault behind one of pydantic's errors."""
    info = _field_at(model, document.values, place)
    name = next((str(part) for part in reversed(place) if isinstance(part, str)), "it")
    if detail["type"] == "missing":
        allowed = _kind(info) if info else "a value"
        return document.fault(place, received="nothing", allowed=allowed, remedy=f"add {name}{_meaning(info)}")
    allowed = detail["msg"]
    for beginning, words in WORDING:
        if allowed.startswith(beginning):
            allowed = words + allowed.removeprefix(beginning)
    remedy = f"{_remedy(name, detail)}{_meaning(info)}"
    return document.fault(place, received=shown(detail["input"]), allowed=allowed, remedy=remedy)


def _remedy(name: str, detail: ErrorDetails) -> str:
    """What to do about a wrong value of a name, as far as the error says it."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if "remedy" in context:  # of the model's own validators
        return str(context["remedy"])
    if kind in REMEDIES:
        return REMEDIES[kind].format(name=name, **context)
    if kind == "string_type" and isinstance(value, int | float):
        return f"put {name} in quotes"
    known = re.findall("'(.+?)'", context["expected"]) if kind in ("enum", "literal_error") else []
    if len(known) > 1:
        meant = nearest(str(value), known)
        return f"write {meant} as {name}" if meant else f"choose one of the {len(known)} for {name}"
    return f"correct {name}"


def _field_at(model: type[BaseModel], values: dict[str, Any], place: Place) -> FieldInfo | None:
    """The field that the last name of a place stands for."""
    names = [index for index, part in enumerate(place) if isinstance(part, str)]
    if not names:
        return None
    holder, name = place[: names[-1]], str(place[names[-1]])
    models = [mapping.model for mapping in _mappings(model, values, ()) if mapping.place == holder]
    return next((fields[name] for fields in map(_fields, models) if name in fields), None)


def _kind(info: FieldInfo) -> str:
    """The kind of value that a field takes, in words."""
    kinds: list[str] = []
    for alternative in _alternatives(info.annotation):
        if get_origin(alternative) is Literal:
            kinds += map(str, get_args(alternative))
        elif isinstance(alternative, type) and issubclass(alternative, Enum):
            kinds.append(choices(str(member.value) for member in alternative))
        elif isinstance(alternative, type) and issubclass(alternative, BaseModel):
            kinds.append(f"a mapping with {', '.join(_fields(alternative))}")
        else:
            sequence = "a list" if get_origin(alternative) in (list, tuple) else "a mapping"
            kinds.append(KINDS.get(alternative, sequence))
    low = next((limit.ge for limit in info.metadata if hasattr(limit, "ge")), None)
    high = next((limit.le for limit in info.metadata if hasattr(limit, "le")), None)
    bounds = "" if low is None or high is None else f" from {low} to {high}"
    return " or ".join(kinds) + bounds
