"""Compares a provider's schema with the Python SDK that programs are written against, resource by resource."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SDK_ONLY = {"id", "urn", "pulumi_resource_type", "pulumi_resource_name"}
SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def differences(schema: Mapping[str, Any], resource: str) -> Iterator[str]:
    """What one resource type has in the provider or in the SDK alone, or with another type, nested types included.

    Args:
        schema: The provider's Pulumi schema.
        resource: Name of the class, as `Job`.
    """
    found = [body for token, body in schema["resources"].items() if token.endswith(f":{resource}")]
    if not found:
        yield f"{resource}: not in the provider"
        return
    cls = getattr(pulumi_databricks, resource)
    yield from _compare(resource, found[0].get("properties", {}), cls, schema["types"], set())
    inputs = set(inspect.signature(cls._internal_init).parameters) - {"__self__", "resource_name", "opts", "__props__"}
    names = {name: getattr(member.fget, "_pulumi_name", name) for name, member in _properties(cls).items()}
    given = {names.get(name, name) for name in inputs}
    for name in sorted(given ^ found[0].get("inputProperties", {}).keys()):
        yield f"{resource}.{name}: an input only in the {'SDK' if name in given else 'provider'}"


def _properties(cls: type) -> dict[str, Any]:
    return dict(inspect.getmembers(cls, lambda value: isinstance(value, property)))


def _compare(
    path: str, properties: Mapping[str, Any], cls: type, types: Mapping[str, Any], seen: set[tuple[str, type]]
) -> Iterator[str]:
    have = {}
    for name, member in _properties(cls).items():
        hint = typing.get_type_hints(member.fget).get("return")
        have[getattr(member.fget, "_pulumi_name", None) or name] = hint
    yield from (f"{path}.{name}: only in the SDK" for name in sorted(have.keys() - properties.keys() - SDK_ONLY))
    for name, described in properties.items():
        if name not in have:
            yield f"{path}.{name}: only in the provider"
            continue
        prop, hint = described, have[name]
        while True:
            if _schema_kind(prop) != _sdk_kind(hint):
                yield f"{path}.{name}: {_schema_kind(prop)} in the provider, {_sdk_kind(hint)} in the SDK"
                break
            inner = prop.get("items") or prop.get("additionalProperties")
            if inner:
                prop, hint = inner, (typing.get_args(_bare(hint)) or (Any,))[-1]
                continue
            token, nested = prop.get("$ref", "").removeprefix("#/types/"), _bare(hint)
            if "properties" in types.get(token, {}) and (token, nested) not in seen:
                seen.add((token, nested))
                yield from _compare(f"{path}.{name}", types[token]["properties"], nested, types, seen)
            break


def _bare(hint: Any) -> Any:
    """Strips Optional, Input and Output."""
    while True:
        origin = typing.get_origin(hint)
        arguments = [argument for argument in typing.get_args(hint) if argument is not type(None)]
        if origin is typing.Union:
            plain = [a for a in arguments if not str(a).startswith(("typing.Awaitable", "pulumi.output.Output"))]
            hint = (plain or arguments)[0]
        elif origin is pulumi.Output:
            hint = arguments[0]
        else:
            return hint


def _sdk_kind(hint: Any) -> str:
    bare = _bare(hint)
    origin = str(typing.get_origin(bare))
    if "list" in origin or "Sequence" in origin:
        return "array"
    if "dict" in origin or "Mapping" in origin:
        return "map"
    return SCALARS.get(bare, "object")


def _schema_kind(prop: Mapping[str, Any]) -> str:
    if "$ref" in prop:
        return "object"
    return "map" if "additionalProperties" in prop else str(prop["type"])
