"""The private way from Databricks' serverless compute, which runs outside the network, to the brokers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.documents.document import SERVERLESS_LINK_ROLE
from infra.layers.ground.security_groups import KAFKA_IAM_PORT, Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.ground.environment import Environment

PORT = KAFKA_IAM_PORT[0]


@dataclass(frozen=True)
class KafkaLinkArgs:
    """Arguments of `KafkaLink`.

    Attributes:
        environment: Where the cluster is.
        vpc_id: The network.
        subnet_ids: Its private subnets; each has one broker.
        cluster_arn: ARN of the cluster.
        brokers_group_id: Security group of the brokers.
    """

    environment: Environment
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    cluster_arn: pulumi.Input[str]
    brokers_group_id: pulumi.Input[str]


class KafkaLink(pulumi.ComponentResource):
    """Owns a load balancer and an endpoint service for each broker.

    A client of Kafka must reach each broker by its own name, and all brokers have the same port, so one load balancer
    cannot tell them apart. Only Databricks' role of the region may ask for a connection. All its customers share that
    role, so somebody of this account has to accept each connection.

    `services` has, for each broker, the `service_name` and the `domain` that a rule of a network connectivity
    configuration names. Source: Databricks, "Configure private connectivity to resources in your VPC".
    """

    services: list[pulumi.Output[dict[str, str]]]

    def __init__(self, name: str, args: KafkaLinkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:KafkaLink", name, None, opts)
        self._args = args
        rules = Rules(self, args.environment, args.vpc_id)
        self._group_id = rules.group("link", "Load balancers before the brokers of Kafka")
        rules.let_out("link-to-brokers", self._group_id, KAFKA_IAM_PORT, to_group=args.brokers_group_id)
        rules.let_in("brokers-from-link", args.brokers_group_id, self._group_id, KAFKA_IAM_PORT)
        found = aws.msk.get_broker_nodes_output(
            cluster_arn=args.cluster_arn, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        brokers = found.node_info_lists.apply(_addresses)
        self.services = [
            pulumi.Output.all(
                service_name=self._service(number + 1, brokers[number]["address"]),
                domain=brokers[number]["domain"],
            )
            for number in range(len(args.subnet_ids))
        ]
        self.register_outputs({"services": self.services})

    def _service(self, number: int, address: pulumi.Output[str]) -> pulumi.Output[str]:
        """The name of the endpoint service before one broker.

        Args:
            number: Number of the broker, from 1.
            address: Its address in the network.
        """
        name = f"broker-{number}"
        full_name, child = self._args.environment.name(name), pulumi.ResourceOptions(parent=self)
        balancer = aws.lb.LoadBalancer(
            name,
            name=full_name,
            internal=True,
            load_balancer_type="network",
            subnets=list(self._args.subnet_ids),
            security_groups=[self._group_id],
            # What comes by private link has been accepted already; nothing else may come at all.
            enforce_security_group_inbound_rules_on_private_link_traffic="off",
            enable_cross_zone_load_balancing=True,
            opts=child,
        )
        target = aws.lb.TargetGroup(
            f"{name}-target",
            name=full_name,
            port=PORT,
            protocol="TCP",
            target_type="ip",
            vpc_id=self._args.vpc_id,
            health_check={"protocol": "TCP"},
            opts=child,
        )
        aws.lb.TargetGroupAttachment(
            f"{name}-address", target_group_arn=target.arn, target_id=address, port=PORT, opts=child
        )
        aws.lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            port=PORT,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": target.arn}],
            opts=child,
        )
        return aws.ec2.VpcEndpointService(
            f"{name}-service",
            acceptance_required=True,
            allowed_principals=[SERVERLESS_LINK_ROLE.format(region=self._args.environment.region)],
            network_load_balancer_arns=[balancer.arn],
            tags={"Name": full_name},
            opts=child,
        ).service_name


def _addresses(nodes: Sequence[aws.msk.outputs.GetBrokerNodesNodeInfoListResult]) -> list[dict[str, str]]:
    """Address in the network and name in DNS of each broker, in the order of their numbers."""
    ordered = sorted(nodes, key=lambda node: node.broker_id)
    return [{"address": node.client_vpc_ip_address, "domain": node.endpoints[0]} for node in ordered]
