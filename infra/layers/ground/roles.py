"""IAM roles: who outside this account's people acts in it, each with the least rights that its work needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.documents.continuous_integration import continuous_integration
from infra.layers.ground.documents.control_plane import control_plane
from infra.layers.ground.documents.credentials import kafka_client, storage
from infra.layers.ground.documents.document import document
from infra.layers.ground.documents.trust import (
    GITHUB_ISSUER,
    trust_control_plane,
    trust_github,
    trust_unity_catalog,
)
from infra.once.settled_role import SettledRole, SettledRoleArgs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.ground.documents.document import Statement
    from infra.layers.ground.environment import Environment

# What each role is for; docs/security.md lists its actions.
ROLES = {
    "cross_account": "Databricks' control plane starts and stops nodes",
    "storage": "Unity Catalog reads and writes the buckets of the catalog, of deliveries and of checkpoints",
    "kafka_client": "Unity Catalog lets pipelines read topics, and write those of dead letters",
    "ci": "GitHub Actions deploys this layer",
}


@dataclass(frozen=True)
class Github:
    """How GitHub Actions gets in.

    Attributes:
        subject: The one subject of GitHub's tokens that may deploy.
        provider_arn: ARN of the account's OpenID Connect provider of GitHub; None makes it.
    """

    subject: str
    provider_arn: str | None


@dataclass(frozen=True)
class RolesArgs:
    """Arguments of `Roles`.

    Attributes:
        environment: Where the roles act.
        databricks_account_id: The external id of Databricks.
        vpc_id: The network that nodes start in.
        nodes_group_id: Security group of nodes.
        buckets: Names of the buckets that the storage credential reads and writes.
        storage_key_arn: ARN of the key of buckets and disks.
        kafka_arn: ARN of the cluster of Kafka; None makes no role for it.
        topics: Names of the topics.
        github: How GitHub Actions gets in; None makes no role for it.
        seconds: Seconds to wait until all services know of a new role.
    """

    environment: Environment
    databricks_account_id: str
    vpc_id: pulumi.Input[str]
    nodes_group_id: pulumi.Input[str]
    buckets: Sequence[pulumi.Input[str]]
    storage_key_arn: pulumi.Input[str]
    kafka_arn: pulumi.Input[str] | None
    topics: Sequence[str]
    github: Github | None
    seconds: float


class Roles(pulumi.ComponentResource):
    """Owns the roles with their policies, and the account's provider of GitHub's identities where it is not adopted.

    Attributes:
        arns: ARN of each role, known when the role has its rights and can be assumed.
    """

    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Roles", name, None, opts)
        environment, external_id = args.environment, args.databricks_account_id
        self._environment, self._seconds = environment, args.seconds
        self.arns = {}
        self._role(
            "cross_account",
            trust_control_plane(external_id),
            pulumi.Output.all(args.vpc_id, args.nodes_group_id, args.storage_key_arn).apply(
                lambda known: control_plane(environment, *known)
            ),
        )
        role = environment.name("storage")
        self._role(
            "storage",
            trust_unity_catalog(environment, role, external_id),
            pulumi.Output.all(args.storage_key_arn, *args.buckets).apply(
                lambda known: storage(environment, environment.name("storage"), known[1:], known[:1])
            ),
        )
        if args.kafka_arn is not None:
            role = environment.name("kafka_client")
            self._role(
                "kafka_client",
                trust_unity_catalog(environment, role, external_id),
                pulumi.Output.from_input(args.kafka_arn).apply(
                    lambda arn: kafka_client(environment, environment.name("kafka_client"), arn, args.topics)
                ),
            )
        if args.github is not None:
            subject = args.github.subject
            self._role(
                "ci",
                self._github(args.github).apply(lambda arn: trust_github(arn, subject)),
                continuous_integration(environment, environment.name("ci")),
            )
        self.register_outputs({"arns": self.arns})

    def _role(self, purpose: str, trust: pulumi.Input[list[Statement]], rights: pulumi.Input[list[Statement]]) -> None:
        """One role, whom it trusts and what it may do."""
        full_name = self._environment.name(purpose)
        role = aws.iam.Role(
            purpose,
            name=full_name,
            description=ROLES[purpose],
            assume_role_policy=pulumi.Output.from_input(trust).apply(document),
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.iam.RolePolicy(
            f"{purpose}-rights",
            name=full_name,
            role=role.name,
            policy=pulumi.Output.from_input(rights).apply(document),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Whoever gets the ARN may use the role at once.
        waiting = pulumi.ResourceOptions(parent=self, depends_on=[policy])
        settled = SettledRoleArgs(arn=role.arn, unique_id=role.unique_id, seconds=self._seconds)
        self.arns[purpose] = SettledRole(f"{purpose}-settled", settled, waiting).arn

    def _github(self, github: Github) -> pulumi.Output[str]:
        """ARN of the provider of GitHub's identities; an account has one for each issuer."""
        if github.provider_arn is not None:
            return pulumi.Output.from_input(github.provider_arn)
        return aws.iam.OpenIdConnectProvider(
            "github",
            url=f"https://{GITHUB_ISSUER}",
            client_id_lists=["sts.amazonaws.com"],
            opts=pulumi.ResourceOptions(parent=self),
        ).arn
