"""What a workspace, its account and AWS have: by name for people, and by type and id as states have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from local.engine.environment import AWS_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import AccountClient, WorkspaceClient

    from local.settings import LocalSettings

FOLDERS = "/churn-"  # beginning of the folders that stacks make at a workspace's root
REGION = "eu-west-1"
GONE = ("deleted", "deleting")
Found = dict[str, set[str]]
Row = tuple[str, Callable[[Any], Iterable[Any]], str, str, str]
Objects = Counter[tuple[str, str]]
"""How many objects there are of a type and an id, as states have both."""


class Thing(NamedTuple):
    """An object.

    Attributes:
        kind: What it is, for people.
        name: Its name, or its id where it has none.
        type: Its type in states; empty for what they have otherwise or not at all.
        id: Its id in states.
    """

    kind: str
    name: str
    type: str = ""
    id: str = ""


def names(*found: Iterable[Thing]) -> Found:
    """Names by kind."""
    by_kind: Found = {}
    for thing in (thing for things in found for thing in things):
        by_kind.setdefault(thing.kind, set()).add(thing.name)
    return by_kind


def objects(*found: Iterable[Thing]) -> Objects:
    """Those that states have, by type and id."""
    return Counter((thing.type, thing.id) for things in found for thing in things if thing.type)


def in_workspace(client: WorkspaceClient) -> list[Thing]:
    """Objects of a workspace."""
    return _things(_WORKSPACE, client)


def in_account(account: AccountClient, client: WorkspaceClient) -> list[Thing]:
    """Objects of an account.

    Args:
        account: The account.
        client: A workspace of it, through which tag policies are told.
    """
    id_ = account.config.account_id
    tags = _listed("tag policy", client.tag_policies.list_tag_policies(), "tag_key", "TagPolicy", "id")
    budgets = account.budgets.list()
    return [
        *_things(_ACCOUNT, account, f"{id_}/"),
        *_things(_ACCOUNTS_OWN, account),
        *_listed("budget of the account", budgets, "display_name", "Budget", "budget_configuration_id", f"{id_}|"),
        *tags,
    ]


_EVERY_CATALOGS = ("default", "information_schema")  # schemas that nobody makes
_NO_ID = "missing ID"  # what the provider writes into states for all objects of Lakebase


def _schemas(client: WorkspaceClient) -> list[Any]:
    catalogs = client.catalogs.list()
    return [s for c in catalogs for s in client.schemas.list(str(c.name)) if s.name not in _EVERY_CATALOGS]


def _volumes(client: WorkspaceClient) -> list[Any]:
    return [v for s in _schemas(client) for v in client.volumes.list(str(s.catalog_name), str(s.name))]


def _secrets(client: WorkspaceClient) -> list[Any]:
    proxy = client.service_principal_secrets_proxy
    return [secret for p in client.service_principals.list() for secret in proxy.list(str(p.id))]


def _folders(client: WorkspaceClient) -> list[Any]:
    return [entry for entry in client.workspace.list("/") if (entry.path or "").startswith(FOLDERS)]


# Kind, its list, name, type in states, id where the name is none; without a type they are compared by name alone.
_WORKSPACE: tuple[Row, ...] = (
    ("catalog", lambda c: c.catalogs.list(), "name", "Catalog", ""),
    ("schema", _schemas, "full_name", "Schema", ""),
    ("volume", _volumes, "full_name", "Volume", ""),
    ("model", lambda c: c.registered_models.list(), "full_name", "RegisteredModel", ""),
    ("external location", lambda c: c.external_locations.list(), "name", "ExternalLocation", ""),
    ("storage credential", lambda c: c.storage_credentials.list(), "name", "StorageCredential", ""),
    ("service credential", lambda c: c.credentials.list_credentials(), "name", "Credential", ""),
    ("pipeline", lambda c: c.pipelines.list_pipelines(), "name", "Pipeline", "pipeline_id"),
    ("job", lambda c: c.jobs.list(), "settings.name", "Job", "job_id"),
    ("endpoint", lambda c: c.serving_endpoints.list(), "name", "ModelServing", ""),
    ("warehouse", lambda c: c.warehouses.list(), "name", "SqlEndpoint", "id"),
    ("cluster", lambda c: c.clusters.list(), "cluster_name", "", ""),
    ("cluster policy", lambda c: c.cluster_policies.list(), "name", "ClusterPolicy", "policy_id"),
    ("dashboard", lambda c: c.lakeview.list(), "display_name", "Dashboard", "dashboard_id"),
    ("alert", lambda c: c.alerts_v2.list_alerts(), "display_name", "AlertV2", "id"),
    ("project of Lakebase", lambda c: c.postgres.list_projects(), "name", "PostgresProject", _NO_ID),
    (
        *("experiment", lambda c: c.experiments.search_experiments(max_results=1000), "name", "MlflowExperiment"),
        "experiment_id",
    ),
    ("secret scope", lambda c: c.secrets.list_scopes(), "name", "SecretScope", ""),
    ("service principal", lambda c: c.service_principals.list(), "display_name", "ServicePrincipal", "id"),
    ("secret of a service principal", _secrets, "id", "ServicePrincipalSecret", ""),
    ("group", lambda c: c.groups.list(), "display_name", "Group", "id"),
    ("folder", _folders, "path", "", ""),
)
# The same of the account; ids in states begin with that of the account.
_ACCOUNT: tuple[Row, ...] = (
    ("credentials", lambda a: a.credentials.list(), "credentials_name", "MwsCredentials", "credentials_id"),
    (
        *("storage configuration", lambda a: a.storage.list(), "storage_configuration_name"),
        *("MwsStorageConfigurations", "storage_configuration_id"),
    ),
    ("network", lambda a: a.networks.list(), "network_name", "MwsNetworks", "network_id"),
    ("registered endpoint", lambda a: a.vpc_endpoints.list(), "vpc_endpoint_name", "MwsVpcEndpoint", "vpc_endpoint_id"),
    (
        *("private access settings", lambda a: a.private_access.list(), "private_access_settings_name"),
        *("MwsPrivateAccessSettings", "private_access_settings_id"),
    ),
    ("registered key", lambda a: a.encryption_keys.list(), "customer_managed_key_id", "MwsCustomerManagedKeys", ""),
    (
        *("connectivity configuration", lambda a: a.network_connectivity.list_network_connectivity_configurations()),
        *("name", "MwsNetworkConnectivityConfig", "network_connectivity_config_id"),
    ),
    ("workspace", lambda a: a.workspaces.list(), "workspace_name", "MwsWorkspaces", "workspace_id"),
)
_ACCOUNTS_OWN: tuple[Row, ...] = (
    ("metastore", lambda a: a.metastores.list(), "name", "Metastore", "metastore_id"),
    (
        *("network policy", lambda a: a.network_policies.list_network_policies_rpc(), "network_policy_id"),
        *("AccountNetworkPolicy", ""),
    ),
    ("service principal of the account", lambda a: a.service_principals_v2.list(), "display_name", "", ""),
)


def _things(rows: Iterable[Row], client: Any, inside: str = "") -> list[Thing]:
    return [
        thing
        for kind, call, name, type_, id_ in rows
        for thing in _listed(kind, call(client), name, type_, id_, inside)
    ]


def _listed(
    kind: str, listed: Iterable[Any], name: str, type_: str = "", identifier: str = "", inside: str = ""
) -> Iterator[Thing]:
    """Things of one kind.

    Args:
        kind: What they are.
        listed: Answers of the client.
        name: Path of the attribute with the name.
        type_: The type in states; empty where they are compared by name alone.
        identifier: Path of the attribute with the id, that of the name where the name is the id; or the one id of all.
        inside: What ids in states begin with.
    """
    for each in listed:
        id_ = identifier if identifier == _NO_ID else attrgetter(identifier or name)(each)
        yield Thing(kind, str(attrgetter(name)(each)), _in_states(type_), f"{inside}{id_}")


def _in_states(name: str) -> str:
    """A type of Databricks as states name it; empty for none."""
    return name and f"databricks:index/{name[0].lower()}{name[1:]}:{name}"


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
TYPES = frozenset(
    {
        *(_in_states(row[3]) for row in (*_WORKSPACE, *_ACCOUNT, *_ACCOUNTS_OWN) if row[3]),
        *(_in_states(name) for name in ("Budget", "TagPolicy")),
        *(f"aws:{row[5]}" for row in _AWS if row[5]),
        *("aws:kms/key:Key", "aws:msk/topic:Topic"),
    }
)
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
