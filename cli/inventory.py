"""What a workspace, its account and AWS have: by name for people, and by type and id as states have it."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from local.engine.environment import AWS_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from databricks.sdk import AccountClient, WorkspaceClient

    from local.settings import LocalSettings

FOLDERS = "/churn-"  # beginning of the folders that stacks make at a workspace's root
REGION = "eu-west-1"
GONE = ("deleted", "deleting")
Found = dict[str, set[str]]
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
    catalogs = list(client.catalogs.list())
    schemas = [s for c in catalogs for s in client.schemas.list(str(c.name)) if s.name not in _EVERY_CATALOGS]
    principals = list(client.service_principals.list())
    secrets = [s for p in principals for s in client.service_principal_secrets_proxy.list(str(p.id))]
    volumes = [v for s in schemas for v in client.volumes.list(str(s.catalog_name), str(s.name))]
    folders = [entry for entry in client.workspace.list("/") if (entry.path or "").startswith(FOLDERS)]
    return [
        *_listed("catalog", catalogs, "name", "Catalog"),
        *_listed("schema", schemas, "full_name", "Schema"),
        *_listed("volume", volumes, "full_name", "Volume"),
        *_listed("model", client.registered_models.list(), "full_name", "RegisteredModel"),
        *_listed("external location", client.external_locations.list(), "name", "ExternalLocation"),
        *_listed("storage credential", client.storage_credentials.list(), "name", "StorageCredential"),
        *_listed("service credential", client.credentials.list_credentials(), "name"),
        *_listed("pipeline", client.pipelines.list_pipelines(), "name", "Pipeline", "pipeline_id"),
        *_listed("job", client.jobs.list(), "settings.name", "Job", "job_id"),
        *_listed("endpoint", client.serving_endpoints.list(), "name", "ModelServing"),
        *_listed("warehouse", client.warehouses.list(), "name", "SqlEndpoint", "id"),
        *_listed("cluster", client.clusters.list(), "cluster_name"),
        *_listed("cluster policy", client.cluster_policies.list(), "name", "ClusterPolicy", "policy_id"),
        *_listed("dashboard", client.lakeview.list(), "display_name", "Dashboard", "dashboard_id"),
        *_listed("experiment", client.experiments.search_experiments(max_results=1000), "name"),
        *_listed("secret scope", client.secrets.list_scopes(), "name", "SecretScope"),
        *_listed("service principal", principals, "display_name", "ServicePrincipal", "id"),
        *_listed("secret of a service principal", secrets, "id", "ServicePrincipalSecret"),
        *_listed("group", client.groups.list(), "display_name", "Group", "id"),
        *_listed("folder", folders, "path"),
    ]


def in_account(account: AccountClient, client: WorkspaceClient) -> list[Thing]:
    """Objects of an account.

    Args:
        account: The account.
        client: A workspace of it, through which tag policies are told.
    """
    id_, budgets = account.config.account_id, account.budgets.list()
    inside = f"{id_}/"
    connectivity = account.network_connectivity.list_network_connectivity_configurations()
    policies = account.network_policies.list_network_policies_rpc()
    return [
        *_listed("metastore", account.metastores.list(), "name"),
        *_listed("network policy", policies, "network_policy_id", "AccountNetworkPolicy"),
        *_listed("budget of the account", budgets, "display_name", "Budget", "budget_configuration_id", f"{id_}|"),
        *_listed("tag policy", client.tag_policies.list_tag_policies(), "tag_key", "TagPolicy", "id"),
        *_listed(
            "credentials", account.credentials.list(), "credentials_name", "MwsCredentials", "credentials_id", inside
        ),
        *_listed(
            "storage configuration",
            account.storage.list(),
            "storage_configuration_name",
            "MwsStorageConfigurations",
            "storage_configuration_id",
            inside,
        ),
        *_listed("network", account.networks.list(), "network_name", "MwsNetworks", "network_id", inside),
        *_listed(
            "registered endpoint",
            account.vpc_endpoints.list(),
            "vpc_endpoint_name",
            "MwsVpcEndpoint",
            "vpc_endpoint_id",
            inside,
        ),
        *_listed("private access settings", account.private_access.list(), "private_access_settings_name"),
        *_listed(
            "registered key",
            account.encryption_keys.list(),
            "customer_managed_key_id",
            "MwsCustomerManagedKeys",
            inside=inside,
        ),
        *_listed(
            "connectivity configuration",
            connectivity,
            "name",
            "MwsNetworkConnectivityConfig",
            "network_connectivity_config_id",
            inside,
        ),
        *_listed("workspace", account.workspaces.list(), "workspace_name", "MwsWorkspaces", "workspace_id", inside),
        *_listed("service principal of the account", account.service_principals_v2.list(), "display_name"),
    ]


_EVERY_CATALOGS = ("default", "information_schema")  # schemas that nobody makes


def _listed(
    kind: str, listed: Iterable[Any], name: str, type_: str = "", identifier: str = "", inside: str = ""
) -> Iterator[Thing]:
    """Things of one kind.

    Args:
        kind: What they are.
        listed: Answers of the client.
        name: Path of the attribute with the name.
        type_: The type in states; empty where they are compared by name alone.
        identifier: Path of the attribute with the id; that of the name where the name is the id.
        inside: What ids in states begin with.
    """
    type_ = f"databricks:index/{type_[0].lower()}{type_[1:]}:{type_}" if type_ else ""
    for each in listed:
        yield Thing(kind, str(attrgetter(name)(each)), type_, f"{inside}{attrgetter(identifier or name)(each)}")


def in_aws(settings: LocalSettings) -> list[Thing]:
    """Objects of the local AWS; what AWS deletes by itself is gone."""
    return [
        *(
            Thing(kind, str(each[name]), type_ and f"aws:{type_}", str(each[identifier]))
            for kind, service, call, answer, name, type_, identifier in _AWS
            for each in _there(settings, service, call, answer)
        ),
        *(Thing("key", arn, "aws:kms/key:Key", arn.rpartition("/")[2]) for arn in _keys(settings)),
    ]


# Kind, service, call, its answer, name, type in states, id.
_AWS = (
    ("VPC", "ec2", "describe_vpcs", "Vpcs", "VpcId", "ec2/vpc:Vpc", "VpcId"),
    ("subnet", "ec2", "describe_subnets", "Subnets", "SubnetId", "ec2/subnet:Subnet", "SubnetId"),
    ("security group", "ec2", "describe_security_groups", "SecurityGroups", "GroupId", "", "GroupId"),
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
        *("ServiceName", "", "ServiceId"),
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
    ("alias of a key", "kms", "list_aliases", "Aliases", "AliasName", "", "AliasName"),
    ("role", "iam", "list_roles", "Roles", "RoleName", "iam/role:Role", "RoleName"),
    ("policy", "iam", "list_policies", "Policies", "PolicyName", "", "Arn"),
    ("identity provider", "iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn", "", "Arn"),
    (
        *("Kafka cluster", "kafka", "list_clusters_v2", "ClusterInfoList", "ClusterName"),
        *("msk/cluster:Cluster", "ClusterArn"),
    ),
    (
        *("Kafka configuration", "kafka", "list_configurations", "Configurations", "Name"),
        *("msk/configuration:Configuration", "Arn"),
    ),
    (
        *("log group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
        *("cloudwatch/logGroup:LogGroup", "logGroupName"),
    ),
    ("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", "", "AlarmName"),
    ("topic of notifications", "sns", "list_topics", "Topics", "TopicArn", "sns/topic:Topic", "TopicArn"),
    ("budget of AWS", "budgets", "describe_budgets", "Budgets", "BudgetName", "", "BudgetName"),
)
AWS_KINDS = frozenset({"key", *(row[0] for row in _AWS)})
_ARGUMENTS = {"list_policies": {"Scope": "Local"}, "describe_budgets": {"AccountId": AWS_ACCOUNT}}


def _client(settings: LocalSettings, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=settings.aws_url,
        region_name=REGION,
        aws_access_key_id=AWS_ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 (the local AWS knows no secrets)
    )


def _there(settings: LocalSettings, service: str, call: str, answer: str) -> Iterator[dict[str, Any]]:
    """All that a list has, on every page of it, but what is deleted and only still shown."""
    client, arguments = _client(settings, service), _ARGUMENTS.get(call, {})
    if client.can_paginate(call):
        pages = client.get_paginator(call).paginate(**arguments)
    else:
        pages = [getattr(client, call)(**arguments)]
    for page in pages:
        yield from (each for each in page.get(answer, []) if str(each.get("State", "")).lower() not in GONE)


def _keys(settings: LocalSettings) -> Iterator[str]:
    """Keys that encrypt: one that is deleted waits for a month, and can do nothing meanwhile."""
    kms = _client(settings, "kms")
    for key in _there(settings, "kms", "list_keys", "Keys"):
        metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if metadata["KeyState"] != "PendingDeletion" and metadata.get("KeyManager") != "AWS":
            yield metadata["Arn"]
