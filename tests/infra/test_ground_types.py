"""The classes of AWS that the ground uses, and that each input is one that the pinned SDK knows.

The local cloud stands in for exactly these: one that is added here has to be added there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pulumi._types import input_type_types

from infra.layers.ground.provider import SERVICES
from tests.infra.program import Program, Registered
from tests.infra.test_program import unknown_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = {
    "appautoscaling": ("Policy", "Target"),
    "budgets": ("Budget",),
    "cloudwatch": ("LogGroup", "MetricAlarm"),
    "ec2": (
        "Eip",
        "InternetGateway",
        "NatGateway",
        "Route",
        "RouteTable",
        "RouteTableAssociation",
        "SecurityGroup",
        "Subnet",
        "Vpc",
        "VpcEndpoint",
        "VpcEndpointService",
    ),
    "iam": ("OpenIdConnectProvider", "Role", "RolePolicy"),
    "kms": ("Alias", "Key"),
    "lb": ("Listener", "LoadBalancer", "TargetGroup", "TargetGroupAttachment"),
    "msk": ("Cluster", "Configuration", "Topic"),
    "s3": (
        "Bucket",
        "BucketLifecycleConfiguration",
        "BucketLogging",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketServerSideEncryptionConfiguration",
        "BucketVersioning",
    ),
    "sns": ("Topic", "TopicPolicy", "TopicSubscription"),
    "vpc": ("SecurityGroupEgressRule", "SecurityGroupIngressRule"),
}
LOOKUPS = {"getBootstrapBrokers", "getBrokerNodes"}
# Services of AWS that modules of the SDK call, where they are named otherwise.
CALLS = {"cloudwatch": {"cloudwatch", "logs"}, "lb": {"elbv2"}, "msk": {"kafka"}, "vpc": {"ec2"}}


def aws_class(resource: Registered) -> tuple[str, str]:
    """Module and class of a resource, such as `ec2` and `Vpc`."""
    _, module, name = resource.type.split(":")
    return module.split("/")[0], name


def unknown_inputs(resource: Registered) -> list[str]:
    """Paths of inputs that the SDK's class does not have, nested ones too."""
    module_name, name = aws_class(resource)
    module: Any = importlib.import_module(f"pulumi_aws.{module_name}")
    # The SDK says InitArgs where a nested type has the name already.
    known = input_type_types(getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args"))
    return [
        unknown
        for key, value in resource.inputs.items()
        for unknown in (unknown_keys(value, known[key], key) if key in known else [key])
    ]


def test_the_types_are_these(grounds: Mapping[str, Program]) -> None:
    used = {aws_class(r) for program in grounds.values() for r in program.resources if r.type.startswith("aws:")}
    assert used == {(module, name) for module, names in TYPES.items() for name in names}


def test_the_lookups_are_these(grounds: Mapping[str, Program]) -> None:
    used = {call.token.rsplit(":", 1)[-1] for program in grounds.values() for call in program.calls}
    assert used == LOOKUPS


def test_an_endpoint_can_be_given_for_each_service() -> None:
    assert {service for module in TYPES for service in CALLS.get(module, {module})} | {"sts"} == set(SERVICES)


def test_every_input_is_known_to_the_pinned_sdk(grounds: Mapping[str, Program]) -> None:
    resources = [r for program in grounds.values() for r in program.resources if r.type.startswith("aws:")]
    assert [f"{r.name}: {fault}" for r in resources for fault in unknown_inputs(r)] == []


def test_a_misspelt_input_would_be_found() -> None:
    inputs = {"bucket": "b", "rules": [{"bucketKeyEnabled": True, "applyByDefault": {}}], "acl": "private"}
    type_ = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    encryption = Registered(type_, "e", "", "", inputs, True, False, False, "", ())
    assert unknown_inputs(encryption) == ["rules[0].applyByDefault", "acl"]
