"""Private ways out of the network: endpoints of AWS' services, and of Databricks' control plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.ground.environment import Environment

# Services that Databricks asks an interface endpoint for: credentials, and the logs of nodes.
INTERFACES = {"sts": "sts", "kinesis": "kinesis-streams"}


@dataclass(frozen=True)
class EndpointsArgs:
    """Arguments of `Endpoints`.

    Attributes:
        environment: Where the network is.
        vpc_id: The network.
        subnet_ids: Its private subnets.
        route_table_ids: Route tables that learn the way to S3.
        security_group_id: Group of the interfaces.
        control_plane: Names of Databricks' endpoint services in the region, by what they serve (`workspace`, `relay`);
            empty where nodes reach the control plane through the internet.
    """

    environment: Environment
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    control_plane: Mapping[str, str]


class Endpoints(pulumi.ComponentResource):
    """Owns the gateway to S3 and an interface for each service; names of services resolve to them in the network.

    That Databricks' account registers the interfaces of its control plane is left to whoever makes the workspace.
    """

    control_plane_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Endpoints", name, None, opts)
        self._args = args
        aws.ec2.VpcEndpoint(
            "s3-endpoint",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.environment.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(args.route_table_ids),
            tags={"Name": args.environment.name("s3")},
            opts=pulumi.ResourceOptions(parent=self),
        )
        for purpose, service in INTERFACES.items():
            self._interface(purpose, f"com.amazonaws.{args.environment.region}.{service}")
        self.control_plane_ids = {
            purpose: self._interface(purpose, service) for purpose, service in args.control_plane.items()
        }
        self.register_outputs({"control_plane_ids": self.control_plane_ids})

    def _interface(self, purpose: str, service: str) -> pulumi.Output[str]:
        return aws.ec2.VpcEndpoint(
            f"{purpose}-endpoint",
            vpc_id=self._args.vpc_id,
            service_name=service,
            vpc_endpoint_type="Interface",
            subnet_ids=list(self._args.subnet_ids),
            security_group_ids=[self._args.security_group_id],
            private_dns_enabled=True,
            tags={"Name": self._args.environment.name(purpose)},
            opts=pulumi.ResourceOptions(parent=self),
        ).id
