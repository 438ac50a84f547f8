"""The network that Databricks' nodes and the brokers of Kafka stand in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.ground.environment import Environment

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class NetworkArgs:
    """Arguments of `Network`.

    Attributes:
        environment: Where the network is.
        cidr: Addresses of the VPC, `/16` to `/24`, such as `10.20.0.0/16`.
        zones: Names of three availability zones of the region.
        nat: Whether nodes reach the internet, through a NAT gateway in each zone; if not, they reach only what has an
            endpoint in the VPC.
        protect: Whether to refuse to destroy the VPC and its subnets, in which workspace and brokers stand.
    """

    environment: Environment
    cidr: str
    zones: Sequence[str]
    nat: bool
    protect: bool


class Network(pulumi.ComponentResource):
    """Owns the VPC, a private subnet with its own route table in each zone and, by setting, the way to the internet.

    A zone that fails takes no other along: each has its own NAT gateway. Nothing in the private subnets has a public
    address. Endpoints and security groups are `Endpoints`' and `SecurityGroups`'.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    route_table_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Network", name, None, opts)
        self._environment = args.environment
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        # Names in DNS are what private endpoints and brokers are reached by.
        vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": args.environment.prefix},
            opts=kept,
        )
        self.vpc_id = vpc.id
        private, public = subnet_blocks(args.cidr, len(args.zones))
        gateways = self._gateways(args.zones, public) if args.nat else None
        self.subnet_ids, self.route_table_ids = [], []
        for zone, block in zip(args.zones, private, strict=True):
            subnet = self._subnet(f"private-{zone}", zone, block, kept)
            table = self._route_table(f"private-{zone}", subnet)
            if gateways is not None:
                aws.ec2.Route(
                    f"private-{zone}-out",
                    route_table_id=table.id,
                    destination_cidr_block=EVERYWHERE,
                    nat_gateway_id=gateways[zone].id,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            self.subnet_ids.append(subnet.id)
            self.route_table_ids.append(table.id)
        self.register_outputs({"vpc_id": self.vpc_id, "subnet_ids": self.subnet_ids})

    def _gateways(self, zones: Sequence[str], blocks: Sequence[str]) -> dict[str, aws.ec2.NatGateway]:
        """The NAT gateway of each zone, in a public subnet that holds nothing else."""
        child = pulumi.ResourceOptions(parent=self)
        internet = aws.ec2.InternetGateway(
            "internet", vpc_id=self.vpc_id, tags={"Name": self._environment.name("internet")}, opts=child
        )
        gateways = {}
        for zone, block in zip(zones, blocks, strict=True):
            subnet = self._subnet(f"public-{zone}", zone, block, child)
            table = self._route_table(f"public-{zone}", subnet)
            route = aws.ec2.Route(
                f"public-{zone}-out",
                route_table_id=table.id,
                destination_cidr_block=EVERYWHERE,
                gateway_id=internet.id,
                opts=child,
            )
            tags = {"Name": self._environment.name(f"nat-{zone}")}
            address = aws.ec2.Eip(f"nat-{zone}-address", domain="vpc", tags=tags, opts=child)
            gateways[zone] = aws.ec2.NatGateway(
                f"nat-{zone}",
                allocation_id=address.allocation_id,
                subnet_id=subnet.id,
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[route]),
            )
        return gateways

    def _subnet(self, name: str, zone: str, block: str, opts: pulumi.ResourceOptions) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            name,
            vpc_id=self.vpc_id,
            cidr_block=block,
            availability_zone=zone,
            map_public_ip_on_launch=False,
            tags={"Name": self._environment.name(name)},
            opts=opts,
        )

    def _route_table(self, name: str, subnet: aws.ec2.Subnet) -> aws.ec2.RouteTable:
        """A route table with its one subnet; within the VPC it routes by itself."""
        child = pulumi.ResourceOptions(parent=self)
        table = aws.ec2.RouteTable(
            f"{name}-routes", vpc_id=self.vpc_id, tags={"Name": self._environment.name(name)}, opts=child
        )
        aws.ec2.RouteTableAssociation(f"{name}-routed", route_table_id=table.id, subnet_id=subnet.id, opts=child)
        return table


def subnet_blocks(cidr: str, zones: int) -> tuple[list[str], list[str]]:
    """Addresses of the private and of the public subnets, one of each a zone.

    The VPC is cut in four: private subnets take a quarter each, public ones share the last. Databricks wants private
    subnets of `/17` to `/26`, so the VPC may have `/16` to `/24`.

    Args:
        cidr: Addresses of the VPC.
        zones: How many zones there are, three at most.
    """
    *private, shared = ipaddress.ip_network(cidr).subnets(prefixlen_diff=2)
    public = list(shared.subnets(prefixlen_diff=2))
    return [str(block) for block in private[:zones]], [str(block) for block in public[:zones]]
