"""The network of the ground: who may speak to whom, and which ways lead out."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest

from infra.layers.ground.network import subnet_blocks
from tests.infra.ground import run_ground
from tests.infra.program import Program, Registered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ADDRESSES = ("cidrIpv4", "cidrIpv6", "prefixListId")


def open_ways_in(resources: Iterable[Registered]) -> list[str]:
    """Rules by which addresses may call, instead of members of a group; and groups with rules inside."""
    found = []
    for resource in resources:
        kind = resource.type.rsplit(":", 1)[-1]
        if kind == "SecurityGroupIngressRule" and (
            any(key in resource.inputs for key in ADDRESSES) or "referencedSecurityGroupId" not in resource.inputs
        ):
            found.append(resource.name)
        if kind == "SecurityGroup" and ({"ingress", "egress"} & set(resource.inputs)):
            found.append(resource.name)
    return found


def test_nothing_is_let_in_from_outside(grounds: Mapping[str, Program]) -> None:
    for program in grounds.values():
        assert open_ways_in(program.resources) == []


@pytest.mark.parametrize(
    ("type_", "inputs"),
    [
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"cidrIpv4": "0.0.0.0/0"}),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"cidrIpv6": "::/0"}),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"ipProtocol": "tcp"}),
        ("aws:ec2/securityGroup:SecurityGroup", {"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]}),
    ],
)
def test_an_open_way_in_would_be_found(type_: str, inputs: dict[str, object]) -> None:
    assert open_ways_in([Registered(type_, "open", "", "", inputs, True, False, False, "", ())]) == ["open"]


def test_nodes_reach_brokers_and_brokers_let_them_in(ground: Program) -> None:
    into = ground.of("SecurityGroupIngressRule")["brokers-from-nodes"].inputs
    assert (into["securityGroupId"], into["referencedSecurityGroupId"]) == ("brokers-id", "nodes-id")
    out = ground.of("SecurityGroupEgressRule")["nodes-kafka-out"].inputs
    assert out["cidrIpv4"] == ground.of("Vpc")["vpc"].inputs["cidrBlock"]
    assert (into["fromPort"], into["toPort"]) == (out["fromPort"], out["toPort"]) == (9098, 9098)


def test_nodes_reach_out_on_databricks_ports_alone(ground: Program) -> None:
    rules = ground.of("SecurityGroupEgressRule").values()
    anywhere = {(r.inputs["fromPort"], r.inputs["toPort"]) for r in rules if r.inputs.get("cidrIpv4") == "0.0.0.0/0"}
    assert anywhere == {(443, 443), (53, 53), (2443, 2443), (6666, 6666), (8443, 8451), (5432, 5432)}


def test_three_private_subnets_one_in_a_zone_without_public_addresses(ground: Program) -> None:
    subnets = ground.of("Subnet")
    private = [subnet for name, subnet in subnets.items() if name.startswith("private")]
    assert len({subnet.inputs["availabilityZone"] for subnet in private}) == 3
    assert all(subnet.inputs["mapPublicIpOnLaunch"] is False for subnet in subnets.values())


def test_with_nat_each_zone_has_its_own_way_out(grounds: Mapping[str, Program]) -> None:
    routes = grounds["prod"].of("Route")
    ways = {name: route.inputs["natGatewayId"] for name, route in routes.items() if name.startswith("private")}
    assert ways == {f"private-eu-west-1{zone}-out": f"nat-eu-west-1{zone}-id" for zone in "abc"}


def test_without_nat_nothing_leads_to_the_internet(grounds: Mapping[str, Program]) -> None:
    for class_ in ("Route", "InternetGateway", "NatGateway", "Eip"):
        assert grounds["dev"].of(class_) == {}


def test_endpoints_are_those_that_databricks_asks_for(grounds: Mapping[str, Program]) -> None:
    def services(program: Program) -> dict[str, str]:
        return {e.inputs["serviceName"]: e.inputs["vpcEndpointType"] for e in program.of("VpcEndpoint").values()}

    of_aws = {
        "com.amazonaws.eu-west-1.s3": "Gateway",
        "com.amazonaws.eu-west-1.sts": "Interface",
        "com.amazonaws.eu-west-1.kinesis-streams": "Interface",
    }
    assert services(grounds["prod"]) == of_aws
    of_databricks = set(services(grounds["dev"])) - set(of_aws)
    assert len(of_databricks) == 2
    assert all(service.startswith("com.amazonaws.vpce.eu-west-1.vpce-svc-") for service in of_databricks)
    assert set(grounds["dev"].outputs["control_plane_endpoint_ids"]) == {"workspace", "relay"}


def test_every_private_subnet_knows_the_way_to_s3(ground: Program) -> None:
    gateway = ground.of("VpcEndpoint")["s3-endpoint"].inputs["routeTableIds"]
    assert gateway == [f"private-eu-west-1{zone}-routes-id" for zone in "abc"]


@pytest.mark.parametrize("cidr", ["10.30.0.0/16", "10.20.0.0/20", "192.168.4.0/24"])
def test_subnets_share_the_network_without_overlap(cidr: str) -> None:
    private, public = subnet_blocks(cidr, 3)
    blocks = [ipaddress.IPv4Network(block) for block in [*private, *public]]
    assert len(blocks) == 6
    assert all(block.subnet_of(ipaddress.IPv4Network(cidr)) for block in blocks)
    assert not any(one.overlaps(other) for i, one in enumerate(blocks) for other in blocks[i + 1 :])
    assert all(17 <= ipaddress.ip_network(block).prefixlen <= 26 for block in private), "as Databricks wants them"
    assert all(ipaddress.ip_network(block).prefixlen <= 28 for block in public), "the smallest of AWS"


def test_an_adopted_network_lets_brokers_be_made_in_it() -> None:
    adopted = {"vpc_id": "vpc-0b", "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"], "nodes_group_id": "sg-0b"}
    program = run_ground("prod", {"network": None, "adopted_network": adopted})
    assert program.of("Vpc") == {}
    assert program.of("SecurityGroupEgressRule") == {}, "the adopted group is left as it is"
    assert program.of("SecurityGroup")["brokers"].inputs["vpcId"] == "vpc-0b"
    assert program.of("Cluster")["cluster"].inputs["brokerNodeGroupInfo"]["clientSubnets"] == adopted["subnet_ids"]
    assert program.of("SecurityGroupIngressRule")["brokers-from-nodes"].inputs["referencedSecurityGroupId"] == "sg-0b"
