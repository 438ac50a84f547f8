"""Checks of request bodies against databricks-sdk: its dataclasses and the signatures of its methods."""

import dataclasses
import enum
import functools
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Depends, Request

from local.workspace.core.errors import ApiError, bad_request
from local.workspace.core.store import Document

# The SDK's generated code has the JSON name of each field: `display_name=d.get("displayName", None)` in `from_dict`
# and `body["display_name"] = display_name` in a method.
_OF_FIELD = re.compile(r'(\w+)=(?:d\.get|_\w+)\(\s*(?:d,\s*)?"([^"]+)"')
_OF_PARAMETER = re.compile(r'if (\w+) is not None:\s+body\["([^"]+)"\] =')

# Fields that a dataclass requires only because one of its uses has them in the path.
_OF_THE_PATH = {("EndpointCoreConfigInput", "name")}

_SCALARS: dict[type, tuple[str, tuple[type, ...]]] = {
    str: ("a string", (str,)),
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
}


@dataclasses.dataclass(frozen=True)
class _Field:
    type: Any
    required: bool


def body(sdk: type | Callable[..., Any], also: Mapping[str, Any] | None = None) -> Any:
    """Makes a FastAPI dependency that reads a JSON body and checks it.

    A route uses it as `request: Annotated[Document, body(JobsAPI.create)]`.

    Args:
        sdk: A dataclass, of databricks-sdk or with the same field names as the JSON, or the method of the SDK's client
            that sends this body.
        also: Further fields, with their types, that another official client (the Terraform provider) sends.

    Returns:
        A dependency whose value is the body without nulls.

    Raises:
        TypeError: `sdk` describes no body.
    """
    _fields(sdk)

    async def read(request: Request) -> Document:
        return checked(await request.body(), sdk, also)

    return Depends(read)


async def raw_body(request: Request) -> bytes:
    """Returns the unread body, as a dependency of a route that chooses the check by its path."""
    return await request.body()


def checked(raw: bytes, sdk: type | Callable[..., Any], also: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reads a JSON body and checks it, as `body` does.

    Args:
        raw: The body.
        sdk: See `body`.
        also: See `body`.

    Returns:
        The body without nulls.

    Raises:
        ApiError: The body is not JSON, has an unknown field, lacks a required one, or one is of a wrong type.
    """
    try:
        value = json.loads(raw) if raw else {}
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}", "MALFORMED_REQUEST") from error
    fields = dict(_fields(sdk)) | {name: _Field(kind, required=False) for name, kind in (also or {}).items()}
    return _object(value, fields, "")


@functools.cache
def _fields(sdk: type | Callable[..., Any]) -> Mapping[str, _Field]:
    """The fields of a dataclass or a method by their JSON names; raises TypeError if its source has another form."""
    fields: dict[str, _Field]
    if inspect.isclass(sdk) and dataclasses.is_dataclass(sdk):
        hints = typing.get_type_hints(sdk)
        # A dataclass without it describes a body that the SDK lacks; its fields are named as in the JSON.
        reader = getattr(sdk, "from_dict", None)
        same = {field.name: field.name for field in dataclasses.fields(sdk)}
        names = dict(_OF_FIELD.findall(inspect.getsource(reader))) if reader else same
        fields = {
            names[field.name]: _Field(
                hints[field.name],
                required=field.default is field.default_factory is dataclasses.MISSING
                and (sdk.__name__, field.name) not in _OF_THE_PATH,
            )
            for field in dataclasses.fields(sdk)
        }
    else:
        hints = typing.get_type_hints(sdk)
        parameters = inspect.signature(sdk).parameters
        names = dict(_OF_PARAMETER.findall(inspect.getsource(sdk)))
        fields = {
            json_name: _Field(hints[name], parameters[name].default is inspect.Parameter.empty)
            for name, json_name in names.items()
        }
        if not fields:
            raise TypeError(f"{sdk} sends no body of single fields; give the dataclass that it sends")
    return fields


def _object(value: Any, fields: Mapping[str, _Field], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path or "the body", "an object", value)
    checked = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if name not in fields:
            allowed = ", ".join(sorted(fields))
            raise bad_request(f"unknown field {where}; allowed: {allowed}")
        if item is not None:
            checked[name] = _value(item, fields[name].type, where)
    for name, field in fields.items():
        if field.required and name not in checked:
            raise bad_request(f"missing field {f'{path}.{name}' if path else name}")
    return checked


def _value(value: Any, kind: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _value(value, next(argument for argument in arguments if argument is not type(None)), path)
    if origin is list:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        return [_value(item, arguments[0], f"{path}[{index}]") for index, item in enumerate(value)]
    if origin is dict or kind is dict:
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        return {key: _value(item, arguments[1], f"{path}.{key}") if arguments else item for key, item in value.items()}
    return _single(value, kind, path) if inspect.isclass(kind) else value


def _single(value: Any, kind: type, path: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _object(value, _fields(kind), path)
    if issubclass(kind, enum.Enum):
        allowed = sorted(str(member.value) for member in kind)
        if value not in allowed:
            raise bad_request(f"{path} is {value!r}; allowed: {', '.join(allowed)}")
        return value
    if kind.__name__ in ("Timestamp", "Duration", "FieldMask"):
        return _scalar(value, str, path)
    return _scalar(value, kind, path) if kind in _SCALARS else value


def _scalar(value: Any, kind: type, path: str) -> Any:
    expected, accepted = _SCALARS[kind]
    if kind is int and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)  # 64-bit numbers may be sent as strings
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(path, expected, value)
    return value


def _wrong(path: str, expected: str, value: Any) -> ApiError:
    return bad_request(f"{path} must be {expected}, not {json.dumps(value)[:100]}")
