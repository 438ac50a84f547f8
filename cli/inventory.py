"""Objects of a local cloud, as the official clients list them, beside those of the states of its stacks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
from databricks.sdk import AccountClient

from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from databricks.sdk import WorkspaceClient

    from local.settings import LocalSettings

Objects = Counter[tuple[str, str]]
"""How many objects there are of a type and an id, as states have both."""

OWN_GROUPS = ("admins", "users")  # which every workspace has
GONE = ("deleted", "deleting")


def databricks_objects(client: WorkspaceClient) -> Objects:
    """Objects of the workspace and of the account."""
    account = AccountClient(host=client.config.host, account_id=ACCOUNT_ID, token=client.config.token, auth_type="pat")
    inside = client.catalogs.list()
    schemas = [
        s for c in inside for s in client.schemas.list(str(c.name)) if s.name not in ("default", "information_schema")
    ]
    connectivity = account.network_connectivity.list_network_connectivity_configurations()
    principals = list(client.service_principals.list())
    found: Mapping[str, Iterable[Any]] = {
        "Catalog": (each.name for each in client.catalogs.list()),
        "Schema": (each.full_name for each in schemas),
        "Volume": (v.full_name for s in schemas for v in client.volumes.list(str(s.catalog_name), str(s.name))),
        "RegisteredModel": (each.full_name for each in client.registered_models.list()),
        "ExternalLocation": (each.name for each in client.external_locations.list()),
        "StorageCredential": (each.name for each in client.storage_credentials.list()),
        "Pipeline": (each.pipeline_id for each in client.pipelines.list_pipelines()),
        "Job": (each.job_id for each in client.jobs.list()),
        "ClusterPolicy": (each.policy_id for each in client.cluster_policies.list()),
        "Dashboard": (each.dashboard_id for each in client.lakeview.list()),
        "ModelServing": (each.name for each in client.serving_endpoints.list()),
        "SecretScope": (each.name for each in client.secrets.list_scopes()),
        "SqlEndpoint": (each.id for each in client.warehouses.list()),
        "ServicePrincipal": (each.id for each in principals),
        "ServicePrincipalSecret": (
            s.id for p in principals for s in client.service_principal_secrets_proxy.list(str(p.id))
        ),
        "Group": (each.id for each in client.groups.list() if each.display_name not in OWN_GROUPS),
        "TagPolicy": (each.id for each in client.tag_policies.list_tag_policies()),
        "AccountNetworkPolicy": (p.network_policy_id for p in account.network_policies.list_network_policies_rpc()),
        "Budget": (f"{ACCOUNT_ID}|{each.budget_configuration_id}" for each in account.budgets.list()),
        "MwsCredentials": (f"{ACCOUNT_ID}/{each.credentials_id}" for each in account.credentials.list()),
        "MwsStorageConfigurations": (
            f"{ACCOUNT_ID}/{each.storage_configuration_id}" for each in account.storage.list()
        ),
        "MwsNetworks": (f"{ACCOUNT_ID}/{each.network_id}" for each in account.networks.list()),
        "MwsVpcEndpoint": (f"{ACCOUNT_ID}/{each.vpc_endpoint_id}" for each in account.vpc_endpoints.list()),
        "MwsCustomerManagedKeys": (
            f"{ACCOUNT_ID}/{each.customer_managed_key_id}" for each in account.encryption_keys.list()
        ),
        "MwsNetworkConnectivityConfig": (
            f"{ACCOUNT_ID}/{each.network_connectivity_config_id}" for each in connectivity
        ),
        "MwsWorkspaces": (f"{ACCOUNT_ID}/{each.workspace_id}" for each in account.workspaces.list()),
    }
    return Counter(
        (f"databricks:index/{kind[0].lower()}{kind[1:]}:{kind}", str(id_)) for kind, ids in found.items() for id_ in ids
    )


def aws_objects(settings: LocalSettings) -> Objects:
    """Objects of AWS."""
    return Counter((f"aws:{kind}", id_) for kind, list_all in _AWS.items() for id_ in list_all(_Client(settings)))


class _Client:
    """A client of every service of the local AWS."""

    def __init__(self, settings: LocalSettings) -> None:
        self._url = settings.aws_url

    def __call__(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._url,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 (the local AWS knows no secrets)
        )


def _listed(service: str, call: str, key: str, identifier: str) -> Callable[[_Client], Iterator[str]]:
    """Lists ids of the objects of a call, but for those that are gone."""

    def listed(client: _Client) -> Iterator[str]:
        for each in getattr(client(service), call)()[key]:
            if str(each.get("State")) not in GONE:
                yield str(each[identifier])

    return listed


def _keys(client: _Client) -> Iterator[str]:
    kms = client("kms")
    for each in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion":
            yield each["KeyId"]


_AWS: Mapping[str, Callable[[_Client], Iterable[str]]] = {
    "s3/bucket:Bucket": _listed("s3", "list_buckets", "Buckets", "Name"),
    "msk/cluster:Cluster": _listed("kafka", "list_clusters_v2", "ClusterInfoList", "ClusterArn"),
    "msk/configuration:Configuration": _listed("kafka", "list_configurations", "Configurations", "Arn"),
    "iam/role:Role": _listed("iam", "list_roles", "Roles", "RoleName"),
    "ec2/vpc:Vpc": _listed("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "ec2/subnet:Subnet": _listed("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "ec2/internetGateway:InternetGateway": _listed(
        "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "ec2/natGateway:NatGateway": _listed("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "ec2/eip:Eip": _listed("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "ec2/vpcEndpoint:VpcEndpoint": _listed("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "kms/key:Key": _keys,
    "cloudwatch/logGroup:LogGroup": _listed("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "sns/topic:Topic": _listed("sns", "list_topics", "Topics", "TopicArn"),
    "lb/loadBalancer:LoadBalancer": _listed("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    "lb/targetGroup:TargetGroup": _listed("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
}
