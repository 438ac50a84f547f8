"""Who may speak to whom inside the network: security groups, each rule a resource of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.network import EVERYWHERE

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment

Ports = tuple[int, int]  # the first and the last
EVERY_PORT: Ports = (0, 65535)
KAFKA_IAM_PORT: Ports = (9098, 9098)  # TLS with IAM, from AWS, "Port information" of MSK
# Ports on which nodes reach out, from Databricks, "Configure a customer-managed VPC". The old Hive metastore's 3306 is
# left out: this platform has Unity Catalog alone.
NODES_REACH: dict[str, Ports] = {
    "https": (443, 443),
    "dns": (53, 53),
    "relay-fips": (2443, 2443),
    "relay": (6666, 6666),
    "control-plane": (8443, 8451),
    "postgres": (5432, 5432),  # Lakebase, which jobs on clusters write to
}
# Which of them the endpoints in the network answer.
ENDPOINTS_SERVE = ("https", "relay-fips", "relay", "control-plane")


@dataclass(frozen=True)
class SecurityGroupsArgs:
    """Arguments of `SecurityGroups`.

    Attributes:
        environment: Where the network is.
        vpc_id: The network.
        cidr: Its addresses.
    """

    environment: Environment
    vpc_id: pulumi.Input[str]
    cidr: str


class SecurityGroups(pulumi.ComponentResource):
    """Owns the groups of Databricks' nodes and of endpoints. Neither lets anything in from outside the network."""

    nodes_id: pulumi.Output[str]
    endpoints_id: pulumi.Output[str]

    def __init__(self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:SecurityGroups", name, None, opts)
        rules = Rules(self, args.environment, args.vpc_id)
        self.nodes_id = rules.group("nodes", "Nodes of Databricks")
        for protocol in ("tcp", "udp"):
            rules.let_in(f"nodes-{protocol}", self.nodes_id, self.nodes_id, EVERY_PORT, protocol)
            rules.let_out(f"nodes-{protocol}-out", self.nodes_id, EVERY_PORT, protocol, to_group=self.nodes_id)
        for service, ports in NODES_REACH.items():
            rules.let_out(f"nodes-{service}-out", self.nodes_id, ports, to_addresses=EVERYWHERE)
        rules.let_out("nodes-kafka-out", self.nodes_id, KAFKA_IAM_PORT, to_addresses=args.cidr)
        self.endpoints_id = rules.group("endpoints", "Endpoints of AWS and Databricks")
        for service in ENDPOINTS_SERVE:
            rules.let_in(f"endpoints-{service}", self.endpoints_id, self.nodes_id, NODES_REACH[service])
        self.register_outputs({"nodes_id": self.nodes_id, "endpoints_id": self.endpoints_id})


@dataclass(frozen=True)
class Rules:
    """Makes groups and their rules for a component.

    Attributes:
        parent: The component that owns them.
        environment: Where the network is.
        vpc_id: The network.
    """

    parent: pulumi.ComponentResource
    environment: Environment
    vpc_id: pulumi.Input[str]

    def group(self, name: str, description: str) -> pulumi.Output[str]:
        """The id of a new group, which lets nothing in or out yet."""
        full_name = self.environment.name(name)
        return aws.ec2.SecurityGroup(
            name,
            name=full_name,
            description=description,
            vpc_id=self.vpc_id,
            tags={"Name": full_name},
            opts=pulumi.ResourceOptions(parent=self.parent),
        ).id

    def let_in(
        self,
        name: str,
        group: pulumi.Input[str],
        from_group: pulumi.Input[str],
        ports: Ports,
        protocol: str = "tcp",
    ) -> None:
        """Lets members of one group call those of another: a group lets in groups, never addresses."""
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group,
            referenced_security_group_id=from_group,
            ip_protocol=protocol,
            from_port=ports[0],
            to_port=ports[1],
            tags={"Name": self.environment.name(name)},
            opts=pulumi.ResourceOptions(parent=self.parent),
        )

    def let_out(
        self,
        name: str,
        group: pulumi.Input[str],
        ports: Ports,
        protocol: str = "tcp",
        *,
        to_group: pulumi.Input[str] | None = None,
        to_addresses: str | None = None,
    ) -> None:
        """Lets members of a group call those of another, or a range of addresses."""
        aws.vpc.SecurityGroupEgressRule(
            name,
            security_group_id=group,
            referenced_security_group_id=to_group,
            cidr_ipv4=to_addresses,
            ip_protocol=protocol,
            from_port=ports[0],
            to_port=ports[1],
            tags={"Name": self.environment.name(name)},
            opts=pulumi.ResourceOptions(parent=self.parent),
        )
