"""What AWS has: by name for people, and by type and id as states have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from cli.inventory import Thing
from local.engine.environment import AWS_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.settings import LocalSettings

REGION = "eu-west-1"
GONE = ("deleted", "deleting")


def in_aws(settings: LocalSettings) -> list[Thing]:
    """Objects of the local AWS; what AWS makes or deletes by itself is not there."""
    inside = {"budget of AWS": f"{AWS_ACCOUNT}:"}  # what ids in states begin with
    return [
        *(
            Thing(kind, str(each[name]), type_ and f"aws:{type_}", f"{inside.get(kind, '')}{each[identifier]}")
            for kind, service, call, answer, name, type_, identifier in _AWS
            for each in _there(settings, service, call, answer)
        ),
        *(Thing("topic of Kafka", id_, "aws:msk/topic:Topic", id_) for id_ in _topics(settings)),
        *(Thing("key", arn, "aws:kms/key:Key", arn.rpartition("/")[2]) for arn in _keys(settings)),
    ]


# Kind, service, call, its answer, name, type in states, id.
_AWS = (
    ("VPC", "ec2", "describe_vpcs", "Vpcs", "VpcId", "ec2/vpc:Vpc", "VpcId"),
    ("subnet", "ec2", "describe_subnets", "Subnets", "SubnetId", "ec2/subnet:Subnet", "SubnetId"),
    (
        "security group",
        "ec2",
        "describe_security_groups",
        "SecurityGroups",
        "GroupId",
        "ec2/securityGroup:SecurityGroup",
        "GroupId",
    ),
    (
        *("route table", "ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
        *("ec2/routeTable:RouteTable", "RouteTableId"),
    ),
    (
        *("internet gateway", "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        *("ec2/internetGateway:InternetGateway", "InternetGatewayId"),
    ),
    (
        *("NAT gateway", "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
        *("ec2/natGateway:NatGateway", "NatGatewayId"),
    ),
    ("address", "ec2", "describe_addresses", "Addresses", "AllocationId", "ec2/eip:Eip", "AllocationId"),
    (
        *("VPC endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        *("ec2/vpcEndpoint:VpcEndpoint", "VpcEndpointId"),
    ),
    (
        *("endpoint service", "ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations"),
        *("ServiceName", "ec2/vpcEndpointService:VpcEndpointService", "ServiceId"),
    ),
    (
        *("load balancer", "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
        *("lb/loadBalancer:LoadBalancer", "LoadBalancerArn"),
    ),
    (
        *("target group", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
        *("lb/targetGroup:TargetGroup", "TargetGroupArn"),
    ),
    ("bucket", "s3", "list_buckets", "Buckets", "Name", "s3/bucket:Bucket", "Name"),
    ("alias of a key", "kms", "list_aliases", "Aliases", "AliasName", "kms/alias:Alias", "AliasName"),
    ("role", "iam", "list_roles", "Roles", "RoleName", "iam/role:Role", "RoleName"),
    ("policy", "iam", "list_policies", "Policies", "PolicyName", "", "Arn"),
    (
        *("identity provider", "iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
        *("iam/openIdConnectProvider:OpenIdConnectProvider", "Arn"),
    ),
    (
        *("Kafka cluster", "kafka", "list_clusters_v2", "ClusterInfoList", "ClusterName"),
        *("msk/cluster:Cluster", "ClusterArn"),
    ),
    (
        *("Kafka configuration", "kafka", "list_configurations", "Configurations", "Name"),
        *("msk/configuration:Configuration", "Arn"),
    ),
    (
        *("scaling target", "application-autoscaling", "describe_scalable_targets", "ScalableTargets", "ResourceId"),
        *("", "ResourceId"),
    ),
    (
        *("scaling policy", "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", "PolicyName"),
        *("", "PolicyName"),
    ),
    (
        *("log group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
        *("cloudwatch/logGroup:LogGroup", "logGroupName"),
    ),
    (
        *("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        *("cloudwatch/metricAlarm:MetricAlarm", "AlarmName"),
    ),
    ("topic of notifications", "sns", "list_topics", "Topics", "TopicArn", "sns/topic:Topic", "TopicArn"),
    (
        *("subscription", "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        *("sns/topicSubscription:TopicSubscription", "SubscriptionArn"),
    ),
    ("budget of AWS", "budgets", "describe_budgets", "Budgets", "BudgetName", "budgets/budget:Budget", "BudgetName"),
)
AWS_KINDS = frozenset({"key", "topic of Kafka", *(row[0] for row in _AWS)})
AWS_TYPES = frozenset({"aws:kms/key:Key", "aws:msk/topic:Topic", *(f"aws:{row[5]}" for row in _AWS if row[5])})
"""Types whose objects are listed, and so compared with states."""
_ARGUMENTS = {
    "list_policies": {"Scope": "Local"},
    "describe_budgets": {"AccountId": AWS_ACCOUNT},
    "describe_scalable_targets": {"ServiceNamespace": "kafka"},
    "describe_scaling_policies": {"ServiceNamespace": "kafka"},
}


def _client(settings: LocalSettings, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=settings.aws_url,
        region_name=REGION,
        aws_access_key_id=AWS_ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 (the local AWS knows no secrets)
    )


def _there(settings: LocalSettings, service: str, call: str, answer: str) -> Iterator[dict[str, Any]]:
    """All that a list has, on every page of it, but what is deleted and only still shown, or comes with a VPC."""
    client, arguments = _client(settings, service), _ARGUMENTS.get(call, {})
    if client.can_paginate(call):
        pages = client.get_paginator(call).paginate(**arguments)
    else:
        pages = [getattr(client, call)(**arguments)]
    for page in pages:
        yield from (each for each in page.get(answer, []) if not _not_made(each))


def _not_made(each: dict[str, Any]) -> bool:
    """Whether AWS has made an object by itself, or has deleted it: main route tables and groups come with a VPC."""
    main = any(association.get("Main") for association in each.get("Associations") or ())
    return main or each.get("GroupName") == "default" or str(each.get("State", "")).lower() in GONE


def _topics(settings: LocalSettings) -> Iterator[str]:
    """Topics of Kafka by cluster and name, without those of brokers themselves."""
    for cluster in _there(settings, "kafka", "list_clusters_v2", "ClusterInfoList"):
        kafka, arn = _client(settings, "kafka"), cluster["ClusterArn"]
        for topic in kafka.list_topics(ClusterArn=arn)["Topics"]:
            yield f"{arn},{topic['TopicName']}"


def _keys(settings: LocalSettings) -> Iterator[str]:
    """Keys that encrypt: one that is deleted waits for a month, and can do nothing meanwhile."""
    kms = _client(settings, "kms")
    for key in _there(settings, "kms", "list_keys", "Keys"):
        metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if metadata["KeyState"] != "PendingDeletion" and metadata.get("KeyManager") != "AWS":
            yield metadata["Arn"]
