"""VPCs, their subnets, gateways, addresses and endpoints."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import GoneError, Resource, only
from local.aws.provider.values import Properties


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def _read_vpc(client: Any, id_: str) -> Properties:
    live = only(client.describe_vpcs(VpcIds=[id_])["Vpcs"])
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        live[name] = client.describe_vpc_attribute(VpcId=id_, Attribute=name[0].lower() + name[1:])[name]["Value"]
    ours = [{"Name": "vpc-id", "Values": [id_]}]
    tables = client.describe_route_tables(Filters=[*ours, {"Name": "association.main", "Values": ["true"]}])
    groups = client.describe_security_groups(Filters=[*ours, {"Name": "group-name", "Values": ["default"]}])
    acls = client.describe_network_acls(Filters=[*ours, {"Name": "default", "Values": ["true"]}])
    return {
        **live,
        "MainRouteTableId": only(tables["RouteTables"])["RouteTableId"],
        "DefaultSecurityGroupId": only(groups["SecurityGroups"])["GroupId"],
        "DefaultNetworkAclId": only(acls["NetworkAcls"])["NetworkAclId"],
    }


def _set_vpc(name: str, default: bool) -> Any:
    def setter(client: Any, id_: str, inputs: Properties) -> None:
        client.modify_vpc_attribute(VpcId=id_, **{_pascal(name): {"Value": inputs.get(name, default)}})

    return setter


def _set_public_ip(client: Any, id_: str, inputs: Properties) -> None:
    on = {"Value": inputs.get("mapPublicIpOnLaunch", False)}
    client.modify_subnet_attribute(SubnetId=id_, MapPublicIpOnLaunch=on)


def _read_gateway(client: Any, id_: str) -> Properties:
    live = only(client.describe_internet_gateways(InternetGatewayIds=[id_])["InternetGateways"])
    return {**live, "VpcId": next((each["VpcId"] for each in live.get("Attachments", [])), None)}


def _attach_gateway(client: Any, id_: str, inputs: Properties) -> None:
    _detach_gateway(client, id_)
    if inputs.get("vpcId"):
        client.attach_internet_gateway(InternetGatewayId=id_, VpcId=inputs["vpcId"])


def _detach_gateway(client: Any, id_: str) -> None:
    if vpc := _read_gateway(client, id_)["VpcId"]:
        client.detach_internet_gateway(InternetGatewayId=id_, VpcId=vpc)


def _delete_gateway(client: Any, id_: str, _: Properties) -> None:
    _detach_gateway(client, id_)
    client.delete_internet_gateway(InternetGatewayId=id_)


def _read_nat(client: Any, id_: str) -> Properties:
    live = only(client.describe_nat_gateways(NatGatewayIds=[id_])["NatGateways"])
    if live["State"] in ("deleted", "deleting"):
        raise GoneError
    return {**(only(live["NatGatewayAddresses"]) if live.get("NatGatewayAddresses") else {}), **live}


def _read_endpoint(client: Any, id_: str) -> Properties:
    live = only(client.describe_vpc_endpoints(VpcEndpointIds=[id_])["VpcEndpoints"])
    if live["State"] in ("deleted", "deleting"):
        raise GoneError
    return {**live, "SecurityGroupIds": [group["GroupId"] for group in live.get("Groups", [])]}


def _make_endpoint(client: Any, parameters: Properties) -> Properties:
    answer: Properties = client.create_vpc_endpoint(**parameters)
    return answer


def _endpoint_outputs(live: Properties, id_: str, region: str) -> Properties:
    service = live["ServiceName"]
    prefix = f"pl-{service.rsplit('.', 1)[-1]}" if live["VpcEndpointType"] == "Gateway" else None
    arn = f"arn:aws:ec2:{region}:{live.get('OwnerId', '')}:vpc-endpoint/{id_}"
    return {"arn": arn, "prefixListId": prefix, "state": "available"}


def _arn(kind: str) -> Any:
    return lambda live, id_, region: {"arn": f"arn:aws:ec2:{region}:{live.get('OwnerId', '')}:{kind}/{id_}"}


TYPES = (
    Resource(
        kind="aws:ec2/vpc:Vpc",
        service="ec2",
        create="create_vpc",
        id="Vpc.VpcId",
        read=_read_vpc,
        delete=lambda client, id_, _: client.delete_vpc(VpcId=id_),
        make=fields("cidrBlock instanceTenancy"),
        more=fields("enableDnsSupport enableDnsHostnames"),
        show=fields(
            "dhcpOptionsId ownerId mainRouteTableId defaultRouteTableId=MainRouteTableId defaultSecurityGroupId "
            "defaultNetworkAclId"
        ),
        computed=_arn("vpc"),
        put={
            "enableDnsSupport": _set_vpc("enableDnsSupport", True),
            "enableDnsHostnames": _set_vpc("enableDnsHostnames", False),
        },
        defaults={"enableDnsSupport": True, "enableDnsHostnames": False, "instanceTenancy": "default"},
        tags=tags.EC2,
        refused="assignGeneratedIpv6CidrBlock enableNetworkAddressUsageMetrics ipv4IpamPoolId ipv4NetmaskLength "
        "ipv6CidrBlock ipv6CidrBlockNetworkBorderGroup ipv6IpamPoolId ipv6NetmaskLength",
    ),
    Resource(
        kind="aws:ec2/subnet:Subnet",
        service="ec2",
        create="create_subnet",
        id="Subnet.SubnetId",
        read=lambda client, id_: only(client.describe_subnets(SubnetIds=[id_])["Subnets"]),
        delete=lambda client, id_, _: client.delete_subnet(SubnetId=id_),
        make=fields("vpcId cidrBlock availabilityZone"),
        more=fields("mapPublicIpOnLaunch"),
        show=fields("ownerId availabilityZoneId arn=SubnetArn"),
        put={"mapPublicIpOnLaunch": _set_public_ip},
        defaults={"mapPublicIpOnLaunch": False},
        tags=tags.EC2,
        refused="assignIpv6AddressOnCreation availabilityZoneId customerOwnedIpv4Pool enableDns64 "
        "enableLniAtDeviceIndex enableResourceNameDnsARecordOnLaunch enableResourceNameDnsAaaaRecordOnLaunch "
        "ipv4IpamPoolId ipv4NetmaskLength ipv6CidrBlock ipv6IpamPoolId ipv6Native ipv6NetmaskLength "
        "mapCustomerOwnedIpOnLaunch outpostArn privateDnsHostnameTypeOnLaunch",
    ),
    Resource(
        kind="aws:ec2/internetGateway:InternetGateway",
        service="ec2",
        create="create_internet_gateway",
        id="InternetGateway.InternetGatewayId",
        read=_read_gateway,
        delete=_delete_gateway,
        more=fields("vpcId"),
        show=fields("ownerId"),
        computed=_arn("internet-gateway"),
        put={"vpcId": _attach_gateway},
        tags=tags.EC2,
    ),
    Resource(
        kind="aws:ec2/eip:Eip",
        service="ec2",
        create="allocate_address",
        id="AllocationId",
        read=lambda client, id_: only(client.describe_addresses(AllocationIds=[id_])["Addresses"]),
        delete=lambda client, id_, _: client.release_address(AllocationId=id_),
        make=fields("domain"),
        show=fields("allocationId associationId publicIp"),
        computed=lambda live, id_, region: {
            "arn": f"arn:aws:ec2:{region}::elastic-ip/{id_}",
            "publicDns": f"ec2-{live['PublicIp'].replace('.', '-')}.{region}.compute.amazonaws.com",
        },
        defaults={"domain": "vpc"},
        tags=tags.EC2,
        refused="address associateWithPrivateIp customerOwnedIpv4Pool instance ipamPoolId networkBorderGroup "
        "networkInterface publicIpv4Pool",
    ),
    Resource(
        kind="aws:ec2/natGateway:NatGateway",
        service="ec2",
        create="create_nat_gateway",
        id="NatGateway.NatGatewayId",
        read=_read_nat,
        delete=lambda client, id_, _: client.delete_nat_gateway(NatGatewayId=id_),
        make=fields("subnetId allocationId connectivityType"),
        show=fields("networkInterfaceId publicIp privateIp"),
        defaults={"connectivityType": "public"},
        tags=tags.EC2,
        refused="availabilityMode availabilityZoneAddresses privateIp secondaryAllocationIds "
        "secondaryPrivateIpAddressCount secondaryPrivateIpAddresses vpcId",
    ),
    Resource(
        kind="aws:ec2/vpcEndpoint:VpcEndpoint",
        service="ec2",
        create=_make_endpoint,
        id="VpcEndpoint.VpcEndpointId",
        read=_read_endpoint,
        delete=lambda client, id_, _: client.delete_vpc_endpoints(VpcEndpointIds=[id_]),
        make=fields(
            "vpcId serviceName vpcEndpointType routeTableIds subnetIds securityGroupIds privateDnsEnabled "
            "policy:json=PolicyDocument"
        ),
        show=fields("ownerId networkInterfaceIds requesterManaged dnsEntries[].dnsName dnsEntries[].hostedZoneId"),
        computed=_endpoint_outputs,
        defaults={"vpcEndpointType": "Gateway"},
        computed_inputs="policy privateDnsEnabled routeTableIds securityGroupIds subnetIds",
        tags=tags.EC2,
        refused="autoAccept dnsOptions ipAddressType resourceConfigurationArn serviceNetworkArn serviceRegion "
        "subnetConfigurations",
    ),
)
