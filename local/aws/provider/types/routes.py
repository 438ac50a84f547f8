"""Route tables, their routes and their subnets."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import GoneError, Resource, only
from local.aws.provider.values import Properties

TARGETS = "gatewayId natGatewayId vpcPeeringConnectionId transitGatewayId"


def _read_table(client: Any, id_: str) -> Properties:
    return only(client.describe_route_tables(RouteTableIds=[id_])["RouteTables"])


def _read_route(client: Any, id_: str) -> Properties:
    table, destination = id_.split("|", 1)
    found = _read_table(client, table)["Routes"]
    return {"RouteTableId": table, **only([each for each in found if each.get("DestinationCidrBlock") == destination])}


def _delete_route(client: Any, id_: str, _: Properties) -> None:
    table, destination = id_.split("|", 1)
    client.delete_route(RouteTableId=table, DestinationCidrBlock=destination)


def _replace_route(client: Any, id_: str, inputs: Properties) -> None:
    table, destination = id_.split("|", 1)
    targets = {name[0].upper() + name[1:]: inputs[name] for name in TARGETS.split() if inputs.get(name)}
    client.replace_route(RouteTableId=table, DestinationCidrBlock=destination, **targets)


def _read_association(client: Any, id_: str) -> Properties:
    found = client.describe_route_tables(Filters=[{"Name": "association.route-table-association-id", "Values": [id_]}])
    each = [a for table in found["RouteTables"] for a in table["Associations"] if a["RouteTableAssociationId"] == id_]
    if not each:
        raise GoneError
    return only(each)


TYPES = (
    Resource(
        kind="aws:ec2/routeTable:RouteTable",
        service="ec2",
        create="create_route_table",
        id="RouteTable.RouteTableId",
        read=_read_table,
        delete=lambda client, id_, _: client.delete_route_table(RouteTableId=id_),
        make=fields("vpcId"),
        show=fields("ownerId"),
        computed=lambda live, id_, region: {"arn": f"arn:aws:ec2:{region}:{live.get('OwnerId', '')}:route-table/{id_}"},
        tags=tags.EC2,
        refused="propagatingVgws routes",
    ),
    Resource(
        kind="aws:ec2/route:Route",
        service="ec2",
        create="create_route",
        id=lambda _, inputs: f"{inputs['routeTableId']}|{inputs['destinationCidrBlock']}",
        read=_read_route,
        delete=_delete_route,
        make=fields(f"routeTableId destinationCidrBlock {TARGETS}"),
        show=fields("origin state"),
        put={TARGETS: _replace_route},
        refused="carrierGatewayId coreNetworkArn destinationIpv6CidrBlock destinationPrefixListId egressOnlyGatewayId "
        "localGatewayId networkInterfaceId odbNetworkArn vpcEndpointId",
    ),
    Resource(
        kind="aws:ec2/routeTableAssociation:RouteTableAssociation",
        service="ec2",
        create="associate_route_table",
        id="AssociationId",
        read=_read_association,
        delete=lambda client, id_, _: client.disassociate_route_table(AssociationId=id_),
        make=fields("routeTableId subnetId"),
        replace_first=True,  # a subnet has one table
        refused="gatewayId",
    ),
)
