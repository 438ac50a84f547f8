"""Objects of AWS. One is the stack's if it has the tags that the stack gives everything, and its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.adoption.cloud import Found, Row, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infra.adoption.cloud import Cloud, Finder, Inputs

PUT = "the whole of it is put"
GONE = ("deleting", "deleted", "DELETING", "Deleting", "Deleted")


def _tagged(call: str, key: str, identifier: str, state: str = "State") -> Row:
    """A row for objects of EC2, which are known by their tags alone; the tag `Name` tells them apart."""

    def find(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
        wanted = cloud.tags(inputs)
        filters = [{"Name": f"tag:{name}", "Values": [text]} for name, text in wanted.items()]
        for there in cloud.pages("ec2", call, key, Filters=filters) if "Name" in inputs.get("tags", {}) else ():
            if there.get(state) not in GONE and wanted.items() <= _plain(there.get("Tags", [])).items():
                yield Found(str(there[identifier]), own=True)

    return Row(find, unique=False)


def _asked(read: Callable[[Cloud, Inputs], tuple[str, Mapping[str, str] | None] | None]) -> Finder:
    """A finder of an object that is read by its name.

    Args:
        read: Reads the id and the tags; None where there is none, and no tags where nothing tells whose it is.
    """

    def find(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
        try:
            there = read(cloud, inputs)
        except ClientError as error:
            if gone(error):
                return
            if error.response["Error"]["Code"] in ("403", "AccessDenied"):  # a name in another account
                yield Found("", own=False, holder="another account")
                return
            raise
        if there:
            id_, tags = there
            if tags is None:
                yield compared(id_, same=True)
                return
            own = cloud.tags(inputs).items() <= tags.items()
            yield Found(id_, own, "" if own else f"whoever gave it the tags {dict(tags)}")

    return find


def gone(error: ClientError) -> bool:
    """Whether an error of AWS means that there is no such object."""
    return bool(re.search(r"NotFound|NoSuch|^404$", error.response["Error"]["Code"]))


def _plain(tags: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags}


def _bucket(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str] | None]:
    """A bucket gets its tags after its making: one without tags may be the stack's while it is empty."""
    client, name = cloud.aws("s3"), inputs["bucket"]
    client.head_bucket(Bucket=name)
    try:
        return name, _plain(client.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if not gone(error):
            raise
    return name, {} if client.list_objects_v2(Bucket=name, MaxKeys=1)["KeyCount"] else None


def _role(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str]]:
    role = cloud.aws("iam").get_role(RoleName=inputs["name"])["Role"]
    return inputs["name"], _plain(role.get("Tags", []))


def _identity_provider(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str]] | None:
    client = cloud.aws("iam")
    for listed in client.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        arn = listed["Arn"]
        if arn.endswith(f":oidc-provider/{inputs['url'].removeprefix('https://')}"):
            return arn, _plain(client.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"])
    return None


def _keys(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    client = cloud.aws("kms")
    for listed in cloud.pages("kms", "list_keys", "Keys"):
        key = client.describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
        if key["KeyManager"] == "CUSTOMER" and key["KeyState"] != "PendingDeletion":
            tags = _plain(client.list_resource_tags(KeyId=key["KeyId"])["Tags"], "TagKey", "TagValue")
            if cloud.tags(inputs).items() <= tags.items():
                yield Found(key["KeyId"], own=True)


def _aliases(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for alias in cloud.pages("kms", "list_aliases", "Aliases"):
        if alias["AliasName"] == inputs["name"]:
            own = alias.get("TargetKeyId") == inputs["targetKeyId"]
            yield Found(inputs["name"], own, "" if own else f"the key {alias.get('TargetKeyId')}")


def _log_group(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str]] | None:
    for group in cloud.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=inputs["name"]):
        if group["logGroupName"] == inputs["name"]:
            arn = group["arn"].removesuffix(":*")
            return inputs["name"], cloud.aws("logs").list_tags_for_resource(resourceArn=arn)["tags"]
    return None


def _topic(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str]] | None:
    for topic in cloud.pages("sns", "list_topics", "Topics"):
        arn = topic["TopicArn"]
        if arn.endswith(f":{inputs['name']}"):
            return arn, _plain(cloud.aws("sns").list_tags_for_resource(ResourceArn=arn)["Tags"])
    return None


def _budget(cloud: Cloud, inputs: Inputs) -> tuple[str, None]:
    account = cloud.aws("sts").get_caller_identity()["Account"]
    cloud.aws("budgets").describe_budget(AccountId=account, BudgetName=inputs["name"])
    return f"{account}:{inputs['name']}", None


def _clusters(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    name, client = inputs["clusterName"], cloud.aws("kafka")
    for there in cloud.pages("kafka", "list_clusters_v2", "ClusterInfoList", ClusterNameFilter=name):
        if there["ClusterName"] == name and there["State"] not in GONE:
            arn = there["ClusterArn"]
            own = cloud.tags(inputs).items() <= client.list_tags_for_resource(ResourceArn=arn)["Tags"].items()
            ready = there["State"] != "CREATING"
            yield Found(arn, own, "" if own else "whoever made it, with other tags", ready)


def _configurations(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for there in cloud.pages("kafka", "list_configurations", "Configurations"):
        if there["Name"] == inputs["name"] and there.get("State") not in GONE:
            yield compared(there["Arn"], there.get("KafkaVersions") == inputs.get("kafkaVersions"))


def _kafka_topic(cloud: Cloud, inputs: Inputs) -> tuple[str, None]:
    arn, name = inputs["clusterArn"], inputs["name"]
    cloud.aws("kafka").describe_topic(ClusterArn=arn, TopicName=name)
    return f"{arn},{name}", None


def _balanced(call: str, key: str, identifier: str) -> Finder:
    def read(cloud: Cloud, inputs: Inputs) -> tuple[str, dict[str, str]]:
        client = cloud.aws("elbv2")
        arn = getattr(client, call)(Names=[inputs["name"]])[key][0][identifier]
        return arn, _plain(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])

    return _asked(read)


def _listener(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A load balancer of the stack's has one listener at a port; where it leads to tells whose it is."""
    wanted = [action.get("targetGroupArn") for action in inputs["defaultActions"]]
    for there in cloud.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=inputs["loadBalancerArn"]):
        if there["Port"] == inputs["port"]:
            leads = [action.get("TargetGroupArn") for action in there["DefaultActions"]]
            yield Found(
                there["ListenerArn"], leads == wanted, "" if leads == wanted else f"whoever leads it to {leads}"
            )


def _route(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A table of the stack's has one route to a destination; where it leads to tells whose it is."""
    table, destination = inputs["routeTableId"], inputs["destinationCidrBlock"]
    for there in cloud.aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]:
        if there.get("DestinationCidrBlock") == destination:
            leads = {there.get(key) for key in ("GatewayId", "NatGatewayId") if there.get(key)}
            own = leads == {inputs[key] for key in ("gatewayId", "natGatewayId") if inputs.get(key)}
            yield Found(f"{table}|{destination}", own, "" if own else f"whoever leads it to {', '.join(leads)}")


def _association(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    filters = [{"Name": "association.subnet-id", "Values": [inputs["subnetId"]]}]
    for table in cloud.pages("ec2", "describe_route_tables", "RouteTables", Filters=filters):
        for there in table["Associations"]:
            if there.get("SubnetId") == inputs["subnetId"]:
                own = table["RouteTableId"] == inputs["routeTableId"]
                holder = "" if own else f"the route table {table['RouteTableId']}"
                yield Found(there["RouteTableAssociationId"], own, holder)


RULES = _tagged("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId")
ROWS: dict[str, Any] = {
    "appautoscaling/policy:Policy": Row(again=PUT),
    "appautoscaling/target:Target": Row(again=PUT),
    "budgets/budget:Budget": Row(_asked(_budget)),
    "cloudwatch/logGroup:LogGroup": Row(_asked(_log_group)),
    "cloudwatch/metricAlarm:MetricAlarm": Row(again=PUT),
    "ec2/eip:Eip": _tagged("describe_addresses", "Addresses", "AllocationId"),
    "ec2/internetGateway:InternetGateway": _tagged(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "ec2/natGateway:NatGateway": _tagged("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "ec2/route:Route": Row(_route),
    "ec2/routeTable:RouteTable": _tagged("describe_route_tables", "RouteTables", "RouteTableId"),
    "ec2/routeTableAssociation:RouteTableAssociation": Row(_association),
    "ec2/securityGroup:SecurityGroup": _tagged("describe_security_groups", "SecurityGroups", "GroupId"),
    "ec2/subnet:Subnet": _tagged("describe_subnets", "Subnets", "SubnetId"),
    "ec2/vpc:Vpc": _tagged("describe_vpcs", "Vpcs", "VpcId"),
    "ec2/vpcEndpoint:VpcEndpoint": _tagged("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "ec2/vpcEndpointService:VpcEndpointService": _tagged(
        "describe_vpc_endpoint_service_configurations", "ServiceConfigurations", "ServiceId", "ServiceState"
    ),
    "iam/openIdConnectProvider:OpenIdConnectProvider": Row(_asked(_identity_provider)),
    "iam/role:Role": Row(_asked(_role)),
    "iam/rolePolicy:RolePolicy": Row(again=PUT),
    "kms/alias:Alias": Row(_aliases),
    "kms/key:Key": Row(_keys, unique=False),
    "lb/listener:Listener": Row(_listener),
    "lb/loadBalancer:LoadBalancer": Row(_balanced("describe_load_balancers", "LoadBalancers", "LoadBalancerArn")),
    "lb/targetGroup:TargetGroup": Row(_balanced("describe_target_groups", "TargetGroups", "TargetGroupArn")),
    "lb/targetGroupAttachment:TargetGroupAttachment": Row(again="a target is registered once"),
    "msk/cluster:Cluster": Row(_clusters),
    "msk/configuration:Configuration": Row(_configurations),
    "msk/topic:Topic": Row(_asked(_kafka_topic)),
    "s3/bucket:Bucket": Row(_asked(_bucket)),
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Row(again=PUT),
    "s3/bucketLogging:BucketLogging": Row(again=PUT),
    "s3/bucketOwnershipControls:BucketOwnershipControls": Row(again=PUT),
    "s3/bucketPolicy:BucketPolicy": Row(again=PUT),
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Row(again=PUT),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Row(again=PUT),
    "s3/bucketVersioning:BucketVersioning": Row(again=PUT),
    "sns/topic:Topic": Row(_asked(_topic)),
    "sns/topicPolicy:TopicPolicy": Row(again=PUT),
    "sns/topicSubscription:TopicSubscription": Row(again="an address is subscribed once"),
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": RULES,
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule": RULES,
}
