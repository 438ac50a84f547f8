"""What a workspace, its account and AWS have, by kind: after everything is destroyed, what was left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from local.engine.environment import AWS_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import AccountClient, WorkspaceClient

    from local.settings import LocalSettings

Found = dict[str, set[str | None]]
FOLDERS = "/churn-"  # beginning of the folders that stacks make at a workspace's root
REGION = "eu-west-1"


def in_workspace(client: WorkspaceClient) -> Found:
    """Names of a workspace's objects, by kind."""
    return {
        "catalog": {catalog.name for catalog in client.catalogs.list()},
        "external location": {location.name for location in client.external_locations.list()},
        "storage credential": {credential.name for credential in client.storage_credentials.list()},
        "service credential": {credential.name for credential in client.credentials.list_credentials()},
        "pipeline": {pipeline.name for pipeline in client.pipelines.list_pipelines()},
        "job": {job.settings.name for job in client.jobs.list() if job.settings},
        "endpoint": {endpoint.name for endpoint in client.serving_endpoints.list()},
        "warehouse": {warehouse.name for warehouse in client.warehouses.list()},
        "cluster": {cluster.cluster_name for cluster in client.clusters.list()},
        "cluster policy": {policy.name for policy in client.cluster_policies.list()},
        "dashboard": {dashboard.display_name for dashboard in client.lakeview.list()},
        "experiment": {experiment.name for experiment in client.experiments.search_experiments(max_results=1000)},
        "secret scope": {scope.name for scope in client.secrets.list_scopes()},
        "service principal": {principal.display_name for principal in client.service_principals.list()},
        "group": {group.display_name for group in client.groups.list()},
        "folder": {entry.path for entry in client.workspace.list("/") if (entry.path or "").startswith(FOLDERS)},
    }


def in_account(account: AccountClient, client: WorkspaceClient) -> Found:
    """Names of an account's objects, by kind.

    Args:
        account: The account.
        client: A workspace of it, through which tag policies are told.
    """
    connectivity = account.network_connectivity.list_network_connectivity_configurations()
    return {
        "metastore": {metastore.name for metastore in account.metastores.list()},
        "network policy": {policy.network_policy_id for policy in account.network_policies.list_network_policies_rpc()},
        "budget of the account": {budget.display_name for budget in account.budgets.list()},
        "tag policy": {policy.tag_key for policy in client.tag_policies.list_tag_policies()},
        "credentials": {credential.credentials_name for credential in account.credentials.list()},
        "storage configuration": {storage.storage_configuration_name for storage in account.storage.list()},
        "network": {network.network_name for network in account.networks.list()},
        "registered endpoint": {endpoint.vpc_endpoint_name for endpoint in account.vpc_endpoints.list()},
        "private access settings": {access.private_access_settings_name for access in account.private_access.list()},
        "registered key": {key.customer_managed_key_id for key in account.encryption_keys.list()},
        "connectivity configuration": {each.name for each in connectivity},
        "workspace": {workspace.workspace_name for workspace in account.workspaces.list()},
        "service principal of the account": {
            principal.display_name for principal in account.service_principals_v2.list()
        },
    }


def in_aws(settings: LocalSettings) -> Found:
    """Names or ids of what the local AWS has, by kind; what AWS deletes by itself is gone."""
    ec2, iam = _Service(settings, "ec2"), _Service(settings, "iam")
    return {
        "VPC": ec2.names("describe_vpcs", "Vpcs", "VpcId"),
        "subnet": ec2.names("describe_subnets", "Subnets", "SubnetId"),
        "security group": ec2.names("describe_security_groups", "SecurityGroups", "GroupId"),
        "internet gateway": ec2.names("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        "NAT gateway": ec2.names("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        "address": ec2.names("describe_addresses", "Addresses", "AllocationId"),
        "VPC endpoint": ec2.names("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        "endpoint service": ec2.names(
            "describe_vpc_endpoint_service_configurations", "ServiceConfigurations", "ServiceName"
        ),
        "load balancer": _Service(settings, "elbv2").names(
            "describe_load_balancers", "LoadBalancers", "LoadBalancerName"
        ),
        "target group": _Service(settings, "elbv2").names("describe_target_groups", "TargetGroups", "TargetGroupName"),
        "bucket": _Service(settings, "s3").names("list_buckets", "Buckets", "Name"),
        "key": set(_keys(settings)),
        "alias of a key": _Service(settings, "kms").names("list_aliases", "Aliases", "AliasName"),
        "role": iam.names("list_roles", "Roles", "RoleName"),
        "policy": iam.names("list_policies", "Policies", "PolicyName", Scope="Local"),
        "identity provider": iam.names("list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
        "Kafka cluster": _Service(settings, "kafka").names("list_clusters_v2", "ClusterInfoList", "ClusterName"),
        "Kafka configuration": _Service(settings, "kafka").names("list_configurations", "Configurations", "Name"),
        "log group": _Service(settings, "logs").names("describe_log_groups", "logGroups", "logGroupName"),
        "alarm": _Service(settings, "cloudwatch").names("describe_alarms", "MetricAlarms", "AlarmName"),
        "topic of notifications": _Service(settings, "sns").names("list_topics", "Topics", "TopicArn"),
        "budget of AWS": _Service(settings, "budgets").names(
            "describe_budgets", "Budgets", "BudgetName", AccountId=AWS_ACCOUNT
        ),
    }


def named(*found: Found) -> list[str]:
    """All names with their kinds, in order."""
    return [f"{kind} {name}" for each in found for kind, names in each.items() for name in sorted(map(str, names))]


class _Service:
    """A service of the local AWS, by the official client."""

    def __init__(self, settings: LocalSettings, name: str) -> None:
        self.client: Any = boto3.client(
            name,
            endpoint_url=settings.aws_url,
            region_name=REGION,
            aws_access_key_id=AWS_ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106 (the local AWS knows no secrets)
        )

    def names(self, call: str, answer: str, name: str, **arguments: str) -> set[str | None]:
        """Names of all that a list has, on every page of it, but what is deleted and only still shown."""
        return {
            item[name]
            for page in self._pages(call, arguments)
            for item in page.get(answer, [])
            if str(item.get("State", "")).lower() not in ("deleted", "deleting")
        }

    def _pages(self, call: str, arguments: dict[str, str]) -> Iterator[Any]:
        if self.client.can_paginate(call):
            yield from self.client.get_paginator(call).paginate(**arguments)
        else:
            yield getattr(self.client, call)(**arguments)


def _keys(settings: LocalSettings) -> Iterator[str]:
    """Keys that encrypt: one that is deleted waits for a month, and can do nothing meanwhile."""
    kms = _Service(settings, "kms")
    for key in kms.names("list_keys", "Keys", "KeyId"):
        metadata = kms.client.describe_key(KeyId=key)["KeyMetadata"]
        if metadata["KeyState"] != "PendingDeletion" and metadata.get("KeyManager") != "AWS":
            yield metadata["Arn"]
