"""Fields of a resource: the name of an input or output in Pulumi, and where boto3 keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.aws.provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.aws.provider.values import Properties


@dataclass(frozen=True)
class Field:
    """One input or output.

    Attributes:
        path: Path in Pulumi, `rules[].filter.prefix`; `[]` stands after a list of blocks.
        boto: Path in boto3's parameters and answers, with as many `[]`.
        kind: `json` for a document that boto3 may give back parsed; `block` for a block that may be empty; `names` for
            a map that is a list of Name and Value in boto3; `keep` for an input that AWS, or moto, takes and does not
            give back, so that its value stays in the state.
    """

    path: str
    boto: str
    kind: str = ""

    @property
    def top(self) -> str:
        """Name of the input that the field belongs to."""
        return self.path.partition(".")[0].partition("[")[0]


def fields(text: str) -> tuple[Field, ...]:
    """Reads fields, one a word: `path[:kind][=boto]`.

    Without `=` the boto3 path is the same in PascalCase: `vpcId` is `VpcId`.
    """
    found = []
    for word in text.split():
        name, _, boto = word.partition("=")
        path, _, kind = name.partition(":")
        found.append(Field(path, boto or ".".join(part[0].upper() + part[1:] for part in path.split(".")), kind))
    return tuple(found)


def to_boto(spec: Iterable[Field], properties: Properties) -> Properties:
    """Parameters of a boto3 call from inputs."""
    parameters: Properties = {}
    for field in spec:
        _copy(properties, field.path, parameters, field.boto, _TO_BOTO.get(field.kind, _same))
    return parameters


def from_boto(spec: Iterable[Field], answer: Properties) -> Properties:
    """Inputs and outputs from an answer of boto3; what the answer lacks is left out."""
    properties: Properties = {}
    for field in spec:
        if field.kind != "keep":
            _copy(answer, field.boto, properties, field.path, _FROM_BOTO.get(field.kind, _same))
    return properties


def kept(spec: Iterable[Field], given: Properties, properties: Properties) -> None:
    """Puts the inputs that AWS does not give back into properties that were read."""
    for field in spec:
        if field.kind == "keep":
            _copy(given, field.path, properties, field.path, _same)


def strangers(spec: Iterable[Field], properties: Properties) -> Iterator[str]:
    """Paths of inputs that are none of the fields; what is unknown while planning is taken."""
    leaves = {field.path for field in spec if field.kind != "block"}
    parents = {leaf[:at] for leaf in leaves for at, letter in enumerate(leaf) if letter in ".["}
    return _strangers(leaves, parents, properties, "")


def dig(tree: Any, path: str) -> Any:
    """The value at a path of names with dots between; None where it leads nowhere."""
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _strangers(leaves: set[str], parents: set[str], value: Any, path: str) -> Iterator[str]:
    if path in leaves or value == UNKNOWN or value is None:
        return
    if isinstance(value, list) and f"{path}[]" in parents:
        for part in value:
            yield from _strangers(leaves, parents, part, f"{path}[]")
    elif isinstance(value, dict) and (not path or path in parents):
        for key, part in value.items():
            yield from _strangers(leaves, parents, part, f"{path}.{key}" if path else key)
    else:
        yield path


def _copy(source: Any, path: str, target: Properties, into: str, turn: Callable[[Any], Any]) -> None:
    """Copies one field; blocks of a list are matched by their position."""
    head, many, rest = path.partition("[].")
    value = dig(source, head)
    if value is None:
        return
    into_head, _, into_rest = into.partition("[].")
    if not many:
        _put(target, into, turn(value))
        return
    blocks = dig(target, into_head)
    if blocks is None:
        blocks = [{} for _ in value]
        _put(target, into_head, blocks)
    if len(blocks) == len(value):
        for block, made in zip(value, blocks, strict=True):
            _copy(block, rest, made, into_rest, turn)


def _put(tree: Properties, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
    if value != {} or last not in tree:
        tree[last] = value


def _same(value: Any) -> Any:
    return value


def _block(_: Any) -> Any:
    return {}


def _document(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


def _named(value: Any) -> Any:
    return [{"Name": name, "Value": text} for name, text in value.items()]


def _map(value: Any) -> Any:
    return {each["Name"]: each["Value"] for each in value}


_TO_BOTO = {"block": _block, "names": _named}
_FROM_BOTO = {"block": _block, "names": _map, "json": _document}
