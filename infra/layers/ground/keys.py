"""KMS keys, one for each use, so that each has its own policy and trail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.documents.document import document
from infra.layers.ground.documents.resources import key_of_account, managed_services_key, storage_key, watch_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.ground.documents.document import Statement
    from infra.layers.ground.environment import Environment

# What each key encrypts.
KEYS = {
    "storage": "Buckets, and the disks of nodes",
    "kafka": "Topics on the brokers' disks",
    "managed_services": "Notebooks, secrets and queries in Databricks' control plane",
    "watch": "Log groups, and messages about alarms",
}


@dataclass(frozen=True)
class KeysArgs:
    """Arguments of `Keys`.

    Attributes:
        environment: Where the keys are.
        databricks_account_id: The Databricks account that may use them.
        protect: Whether to refuse to destroy keys: what they have encrypted would be lost.
        adopted: ARNs of keys that exist, by use; these are not made, and their policies are left alone.
    """

    environment: Environment
    databricks_account_id: str
    protect: bool
    adopted: Mapping[str, str] = field(default_factory=dict)


class Keys(pulumi.ComponentResource):
    """Owns a key with its alias for each use that has no adopted one.

    Keys turn over every year, which changes no ARN. Destroying one takes the longest waiting time that AWS knows where
    data is protected, else the shortest.
    """

    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Keys", name, None, opts)
        policies = key_policies(args.environment, args.databricks_account_id)
        self.arns = {use: pulumi.Output.from_input(arn) for use, arn in args.adopted.items()}
        for use in [use for use in KEYS if use not in args.adopted]:
            key = aws.kms.Key(
                f"{use}-key",
                description=f"{KEYS[use]} ({args.environment.prefix})",
                enable_key_rotation=True,
                deletion_window_in_days=30 if args.protect else 7,
                policy=document(policies[use]),
                tags={"Name": args.environment.name(use)},
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            )
            aws.kms.Alias(
                f"{use}-alias",
                name=f"alias/{args.environment.name(use)}",
                target_key_id=key.key_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.arns[use] = key.arn
        self.register_outputs({"arns": self.arns})


def key_policies(environment: Environment, databricks_account_id: str) -> dict[str, list[Statement]]:
    """The policy of each key, by use."""
    return {
        "storage": storage_key(environment, databricks_account_id),
        "kafka": key_of_account(environment),  # MSK acts by a grant that whoever makes the cluster gives it
        "managed_services": managed_services_key(environment, databricks_account_id),
        "watch": watch_key(environment),
    }
