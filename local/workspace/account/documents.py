"""Documents of the store that the area of the account keeps, each by its id."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class Owned(TypedDict):
    """What every object of the account has."""

    account_id: str
    creation_time: int  # milliseconds, as all times


class CredentialDocument(Owned):
    """A role that Databricks' control plane acts by (kind `account_credentials`)."""

    credentials_id: str
    credentials_name: str
    aws_credentials: Document  # `sts_role` with `role_arn`


class StorageDocument(Owned):
    """A bucket for a workspace's own files (kind `account_storage`)."""

    storage_configuration_id: str
    storage_configuration_name: str
    root_bucket_info: Document  # `bucket_name`
    role_arn: NotRequired[str]


class NetworkDocument(Owned):
    """A network that nodes start in (kind `account_networks`)."""

    network_id: str
    network_name: str
    vpc_id: str
    subnet_ids: list[str]
    security_group_ids: list[str]
    vpc_endpoints: NotRequired[Document]  # ids of endpoints in `rest_api` and `dataplane_relay`


class EndpointDocument(Owned):
    """A registered VPC endpoint of the control plane (kind `account_vpc_endpoints`)."""

    vpc_endpoint_id: str
    vpc_endpoint_name: str
    aws_vpc_endpoint_id: str
    region: str


class KeyDocument(Owned):
    """A KMS key for what Databricks stores (kind `account_keys`)."""

    customer_managed_key_id: str
    aws_key_info: Document  # `key_arn`, `key_region`
    use_cases: list[str]


class PrivateAccessDocument(Owned):
    """Who reaches a workspace, and how (kind `account_private_access`)."""

    private_access_settings_id: str
    private_access_settings_name: str
    region: str
    public_access_enabled: bool
    private_access_level: str
    allowed_vpc_endpoint_ids: NotRequired[list[str]]


class ConnectivityDocument(Owned):
    """The way of serverless compute into networks (kind `account_connectivity`)."""

    network_connectivity_config_id: str
    name: str
    region: str
    updated_time: int


class WorkspaceDocument(Owned):
    """A workspace that was made by this API (kind `account_workspaces`); its state follows from its age."""

    workspace_id: int
    workspace_name: str
    deployment_name: str
    aws_region: str
    pricing_tier: str
    credentials_id: NotRequired[str]
    storage_configuration_id: NotRequired[str]
    network_id: NotRequired[str]
    private_access_settings_id: NotRequired[str]
    managed_services_customer_managed_key_id: NotRequired[str]
    storage_customer_managed_key_id: NotRequired[str]
    network_connectivity_config_id: NotRequired[str]
    custom_tags: NotRequired[dict[str, str]]


class EntryDocument(TypedDict):
    """A principal's entry to a workspace that was made (kind `account_entries`, by the ids of both)."""

    workspace_id: int
    principal_id: int
    permissions: list[str]


class EndpointRuleDocument(TypedDict):
    """A way of serverless compute to an endpoint service (kind `account_endpoint_rules`)."""

    rule_id: str
    network_connectivity_config_id: str
    account_id: str
    endpoint_service: str
    domain_names: list[str]
    connection_state: str
    enabled: bool
    deactivated: bool
    vpc_endpoint_id: str
    creation_time: int
    updated_time: int


class MetastoreDocument(TypedDict):
    """A metastore that was made by this API (kind `account_metastores`)."""

    metastore_id: str
    name: str
    region: str
    cloud: str
    owner: str
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str
    storage_root: NotRequired[str]


class AssignmentDocument(TypedDict):
    """The metastore of a workspace (kind `account_assignments`, by the workspace's id)."""

    metastore_id: str
    workspace_id: int
    default_catalog_name: str


class TagPolicyDocument(TypedDict):
    """A governed tag with the values that it may have (kind `tag_policies`, by its key)."""

    id: str
    tag_key: str
    create_time: str
    update_time: str
    description: NotRequired[str]
    values: NotRequired[list[Document]]


class NetworkPolicyDocument(TypedDict):
    """What serverless compute may reach (kind `account_network_policies`, by its id)."""

    account_id: str
    network_policy_id: str
    egress: NotRequired[Document]


class NetworkOptionDocument(TypedDict):
    """The network policy of a workspace (kind `account_network_options`, by the workspace's id)."""

    workspace_id: int
    network_policy_id: str


class BudgetDocument(TypedDict):
    """A budget (kind `account_budgets`)."""

    account_id: str
    budget_configuration_id: str
    create_time: int
    update_time: int
    alert_configurations: list[Document]
    display_name: NotRequired[str]


CREDENTIALS = DocumentKind[CredentialDocument]("account_credentials")
STORAGE = DocumentKind[StorageDocument]("account_storage")
NETWORKS = DocumentKind[NetworkDocument]("account_networks")
ENDPOINTS = DocumentKind[EndpointDocument]("account_vpc_endpoints")
KEYS = DocumentKind[KeyDocument]("account_keys")
PRIVATE_ACCESS = DocumentKind[PrivateAccessDocument]("account_private_access")
CONNECTIVITY = DocumentKind[ConnectivityDocument]("account_connectivity")
ENTRIES = DocumentKind[EntryDocument]("account_entries")
ENDPOINT_RULES = DocumentKind[EndpointRuleDocument]("account_endpoint_rules")
WORKSPACES = DocumentKind[WorkspaceDocument]("account_workspaces")
METASTORES = DocumentKind[MetastoreDocument]("account_metastores")
ASSIGNMENTS = DocumentKind[AssignmentDocument]("account_assignments")
NETWORK_POLICIES = DocumentKind[NetworkPolicyDocument]("account_network_policies")
NETWORK_OPTIONS = DocumentKind[NetworkOptionDocument]("account_network_options")
BUDGETS = DocumentKind[BudgetDocument]("account_budgets")
TAG_POLICIES = DocumentKind[TagPolicyDocument]("tag_policies")
