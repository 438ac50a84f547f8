"""Values of the engine's protocol as plain Python values, and when two of them mean the same."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]  # has no types

Properties = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is not known while planning (`pulumi.runtime.rpc.UNKNOWN`)."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # key of a special value, `pulumi.runtime.rpc._special_sig_key`
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the mark of a secret, not one)


def load(struct: struct_pb2.Struct) -> Properties:
    """Properties of a request: secrets without their mark, whole numbers as int.

    Raises:
        ValueError: A value is of a kind that no resource of the local AWS takes (an asset, an archive).
    """
    loaded: Properties = _plain(json_format.MessageToDict(struct))
    return loaded


def dump(properties: Properties) -> struct_pb2.Struct:
    """Properties as the protocol carries them; times become texts."""
    struct = struct_pb2.Struct()
    struct.update(json.loads(json.dumps(properties, default=str)))
    return struct


def known(value: object) -> bool:
    """Whether nothing in a value is unknown."""
    if isinstance(value, dict):
        return all(known(part) for part in value.values())
    if isinstance(value, list):
        return all(known(part) for part in value)
    return value != UNKNOWN


def same(one: object, other: object) -> bool:
    """Whether two values mean the same to AWS.

    JSON documents are compared by meaning, lists of texts without their order (AWS keeps them as sets), and an empty
    value is as good as none.
    """
    return bool(_meaning(one) == _meaning(other))


def trimmed(live: Any, given: Any) -> Any:
    """A live value with no more than what the program gave: what AWS adds inside a block is no difference."""
    if isinstance(live, dict) and isinstance(given, dict):
        return {key: trimmed(live[key], value) for key, value in given.items() if key in live}
    if isinstance(live, list) and isinstance(given, list) and len(live) == len(given):
        return [trimmed(one, other) for one, other in zip(live, given, strict=True)]
    return given if same(live, given) else live


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if _SIGNATURE in value:
            if value[_SIGNATURE] != _SECRET:
                raise ValueError("assets, archives and references are no inputs of the local AWS: give texts")
            return _plain(value["value"])
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _meaning(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, dict):
        meanings = {key: _meaning(part) for key, part in value.items()}
        return {key: part for key, part in meanings.items() if part is not None} or None
    if isinstance(value, list):
        parts = [_meaning(part) for part in value]
        return (sorted(parts) if all(isinstance(part, str) for part in parts) else parts) or None
    return None if value == "" else value
