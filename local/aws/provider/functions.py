"""Functions of the provider (invokes): what a program asks AWS while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.aws.provider.fields import fields, from_boto
from local.aws.provider.types.msk import BOOTSTRAP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.aws.provider.clients import Clients
    from local.aws.provider.values import Properties

NODE = fields(
    "brokerId=BrokerNodeInfo.BrokerId clientSubnet=BrokerNodeInfo.ClientSubnet endpoints=BrokerNodeInfo.Endpoints "
    "clientVpcIpAddress=BrokerNodeInfo.ClientVpcIpAddress nodeArn=NodeARN"
)


def bootstrap_brokers(clients: Clients, arguments: Properties) -> Properties:
    """Addresses of an MSK cluster."""
    arn, region = arguments["clusterArn"], arguments.get("region") or clients.region
    found = clients.client("kafka", region).get_bootstrap_brokers(ClusterArn=arn)
    return {"id": arn, "clusterArn": arn, "region": region, **from_boto(BOOTSTRAP, found)}


def broker_nodes(clients: Clients, arguments: Properties) -> Properties:
    """Brokers of an MSK cluster; all of them are one process here, so they have one address."""
    arn, region = arguments["clusterArn"], arguments.get("region") or clients.region
    found = clients.client("kafka", region).list_nodes(ClusterArn=arn)["NodeInfoList"]
    return {"id": arn, "clusterArn": arn, "region": region, "nodeInfoLists": [from_boto(NODE, node) for node in found]}


FUNCTIONS: Mapping[str, Callable[[Clients, Properties], Properties]] = {
    "aws:msk/getBootstrapBrokers:getBootstrapBrokers": bootstrap_brokers,
    "aws:msk/getBrokerNodes:getBrokerNodes": broker_nodes,
}
