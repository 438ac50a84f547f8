"""The types beside those of the SDK: what passes here passes there, and what is not taken is refused by name."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
import typing
from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import boto3
import pulumi_aws
import pytest
from pulumi._types import input_type_types, is_input_type

from local.aws.provider import install
from local.aws.provider.clients import ENDPOINT_NAMES, TAKEN
from local.aws.provider.fields import Field
from local.aws.provider.functions import FUNCTIONS
from local.aws.provider.types import TYPES
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws.provider.resource import Resource


def inputs_of(kind: str) -> dict[str, Any]:
    """The SDK's inputs of a type, with their types."""
    module, name = kind.split(":")[1].split("/")[0], kind.rsplit(":", 1)[-1]
    sdk: Any = importlib.import_module(f"pulumi_aws.{module}")
    # The SDK says InitArgs where a nested type has the name already.
    types: dict[str, Any] = input_type_types(getattr(sdk, f"{name}InitArgs", None) or getattr(sdk, f"{name}Args"))
    return types


def properties_of(kind: str) -> set[str]:
    """The SDK's inputs and outputs of a type."""
    module, name = kind.split(":")[1].split("/")[0], kind.rsplit(":", 1)[-1]
    cls = getattr(importlib.import_module(f"pulumi_aws.{module}"), name)
    return set(input_type_types(getattr(sys.modules[cls.__module__], f"_{name}State")))


def block_of(hint: Any) -> Any:
    """The SDK's class of a block, in lists and options as well; None for plain values."""
    if isinstance(hint, type) and is_input_type(hint) and not hint.__name__.endswith("Dict"):
        return hint
    return next((found for part in typing.get_args(hint) if (found := block_of(part))), None)


def strange_parts(field: Field, hint: Any) -> Iterator[str]:
    """The first part of a field's path, below the input, that the SDK does not know."""
    for part in field.path.replace("[]", "").split(".")[1:]:
        block = block_of(hint)
        types = {} if block is None else input_type_types(block)
        if part not in types:
            yield f"{field.path}: {part} is not in the SDK"
            return
        hint = types[part]


def differences(resource: Resource) -> list[str]:
    """What a type takes or refuses that the SDK does not know, and what of the SDK it neither takes nor refuses."""
    inputs, every = inputs_of(resource.kind), properties_of(resource.kind)
    refused = resource.refused.split()
    found = [f"{name}: only here" for name in sorted(resource.inputs - inputs.keys())]
    found += [f"{field.top}: no output" for field in resource.show if field.top not in every]
    for name in sorted(inputs.keys() - resource.inputs):
        if not any(fnmatchcase(name, pattern) for pattern in refused):
            found.append(f"{name}: neither taken nor refused")
    for pattern in refused:
        if not any(fnmatchcase(name, pattern) for name in inputs.keys() - resource.inputs):
            found.append(f"{pattern}: refused, but not in the SDK or taken")
    for field in resource.takes:
        if field.top in inputs:
            found += strange_parts(field, inputs[field.top])
    return found


def test_the_plugin_has_the_version_of_the_sdk() -> None:
    assert version("pulumi-aws") == install.VERSION


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_inputs_and_outputs_are_the_sdks(kind: str) -> None:
    assert differences(TYPES[kind]) == []


def test_a_difference_is_found() -> None:
    vpc = TYPES["aws:ec2/vpc:Vpc"]
    doctored = dataclasses.replace(
        vpc,
        make=(*vpc.make, Field("invented", "Invented")),
        show=(*vpc.show, Field("imagined", "Imagined")),
        refused=vpc.refused.replace("ipv6CidrBlock ", "") + " unheardOf tags",
    )
    assert differences(doctored) == [
        "invented: only here",
        "imagined: no output",
        "ipv6CidrBlock: neither taken nor refused",
        "unheardOf: refused, but not in the SDK or taken",
        "tags: refused, but not in the SDK or taken",
    ]
    rules = TYPES["aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"]
    doctored = dataclasses.replace(rules, make=(*rules.make, Field("rules[].filter.prefx", "Rules[].Filter.Prefx")))
    assert differences(doctored) == ["rules[].filter.prefx: prefx is not in the SDK"]


def test_endpoints_are_those_that_can_be_set() -> None:
    names = input_type_types(pulumi_aws.ProviderEndpointArgs)
    assert {ENDPOINT_NAMES.get(resource.service, resource.service) for resource in TYPES.values()} <= set(names)
    assert {resource.service for resource in TYPES.values()} <= set(boto3.session.Session().get_available_services())


def test_settings_are_the_sdks() -> None:
    assert {*input_type_types(pulumi_aws.ProviderArgs), "version"} >= TAKEN


def used_by_infra() -> tuple[set[str], set[str]]:
    """Classes and functions of the SDK that the infrastructure program names, as `ec2.Vpc`."""
    text = "\n".join(path.read_text() for path in (REPOSITORY / "infra").rglob("*.py"))
    classes = {f"{module}.{name}" for module, name in re.findall(r"\baws\.(\w+)\.([A-Z]\w+)\(", text)}
    functions = {f"{module}.{name}" for module, name in re.findall(r"\baws\.(\w+)\.get_(\w+?)(?:_output)?\(", text)}
    return classes, functions


@pytest.mark.skipif(not used_by_infra()[0], reason="the infrastructure program uses nothing of AWS")
def test_the_types_are_those_that_infra_uses() -> None:
    """No more and no fewer."""
    classes, functions = used_by_infra()
    assert {f"{kind.split(':')[1].split('/')[0]}.{kind.rsplit(':', 1)[-1]}" for kind in TYPES} == classes
    known = {token.split(":")[1].split("/")[0] + "." + token.rsplit(":get", 1)[-1] for token in FUNCTIONS}
    assert known == {f"{name.split('.')[0]}.{_pascal(name.split('.')[1])}" for name in functions}


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
