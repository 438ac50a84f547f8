"""Runs the ground in AWS alone, under mocks, for a stack's own settings or changed ones."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pulumi
import yaml

from infra.layers.ground.aws_ground import deploy_aws
from infra.written.paths import REPOSITORY
from infra.written.settings.aws import Aws
from infra.written.settings.ground import Ground
from infra.written.settings.stack import Settings
from tests.infra.program import Program, record

if TYPE_CHECKING:
    from collections.abc import Mapping

ADOPTED_CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/shared/00000000-0000-0000-0000-000000000008-1"
ADOPTED_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-00000000000a"
# Changes by which a stack adopts whatever it can.
ADOPT: dict[str, Any] = {
    "network": None,
    "adopted_network": {
        "vpc_id": "vpc-0a",
        "subnet_ids": ["subnet-0a", "subnet-0b", "subnet-0c"],
        "nodes_group_id": "sg-0a",
    },
    "keys": dict.fromkeys(("storage", "kafka", "managed_services", "watch"), ADOPTED_KEY),
    "buckets": {name: f"existing-{name}" for name in ("catalog", "raw", "checkpoints", "workspace", "logs")},
    "kafka": None,
    "adopted_kafka": {"cluster_arn": ADOPTED_CLUSTER, "topics": ["events"]},
    "github.provider_arn": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
}


def aws_settings(stack: str, changes: Mapping[str, Any] | None = None) -> Aws:
    """The section `ground.aws` of a stack's file.

    Args:
        stack: Name of the stack.
        changes: Values by path, such as `network.nat`; None removes one.
    """
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())
    values: dict[str, Any] = deepcopy(document["config"]["churn:ground"]["aws"])
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return Aws.model_validate({name: value for name, value in values.items() if value is not None})


def run_ground(stack: str, changes: Mapping[str, Any] | None = None, *, protect: bool = True) -> Program:
    """What the ground of a stack registers and exports.

    Args:
        stack: Name of the stack.
        changes: As of `aws_settings`.
        protect: Whether to protect data.
    """
    settings = aws_settings(stack, changes)
    tags = Settings.model_validate({"stack": stack, "churn:ground": Ground(aws=settings)}).tags

    def deploy() -> None:
        for name, value in vars(deploy_aws(stack, settings, tags, protect)).items():
            if value is not None:
                pulumi.export(name, value)

    return record(stack, {}, deploy)
