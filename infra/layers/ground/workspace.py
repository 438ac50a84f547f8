"""The workspace: what it is made from in Databricks' account, the workspace itself, and what is bound to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
import pulumi_databricks as databricks

from infra.layers.account_principals import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.ground.outputs import GroundOutputs

T = TypeVar("T")

# What a deployer of the platform needs on the metastore.
METASTORE_RIGHTS = [
    "CREATE_CATALOG",
    "CREATE_EXTERNAL_LOCATION",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_STORAGE_CREDENTIAL",
]

# What each key of the ground encrypts, as Databricks calls it.
USES = {"managed_services": "MANAGED_SERVICES", "storage": "STORAGE"}
# What endpoints of the control plane serve: the workspace with its REST API, and the relay to nodes.
ENDPOINTS = ("workspace", "relay")


@dataclass(frozen=True)
class WorkspaceArgs:
    """Arguments of `Workspace`.

    Attributes:
        account_id: Id of the Databricks account.
        region: Region of the workspace in AWS.
        prefix: Beginning of every name; also the workspace's name.
        ground: What it stands on in AWS: bucket, network, role, keys, and endpoints where there are any.
        kafka_services: Endpoint service of each broker of Kafka, with `service_name` and `domain`.
        private: Whether the network has endpoints of Databricks' control plane.
        public_access: Whether people get in from the internet as well.
        metastore_id: The account's metastore in the region.
        network_policy: Id of the account's policy for serverless compute; None takes the account's default.
        deployer: User name or application id of whoever deploys the platform to the workspace.
        metastore_group: Group that may make catalogs and credentials in the metastore; None leaves its grants alone.
        tags: Tags of everything that the workspace starts in AWS.
        protect: Whether to refuse to destroy the workspace.
    """

    account_id: str
    region: str
    prefix: str
    ground: GroundOutputs
    kafka_services: Sequence[pulumi.Output[dict[str, str]]]
    private: bool
    public_access: bool
    metastore_id: str
    network_policy: str | None
    deployer: str
    metastore_group: str | None
    tags: Mapping[str, str]
    protect: bool


class Workspace(pulumi.ComponentResource):
    """Owns a workspace, the configurations that it is made from, and its ties to the account.

    A configuration cannot be changed, and one that is in use cannot be deleted. Its name has a hash of what it holds,
    so that a changed one is made beside it, the workspace moves there, and the old one goes.

    Attributes:
        host: The workspace's URL.
        workspace_id: Its number.
    """

    host: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the configurations, the workspace and its ties."""
        super().__init__("churn:ground:Workspace", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        endpoints = self._endpoints() if args.private else {}
        keys = self._keys()
        connectivity = databricks.MwsNetworkConnectivityConfig(
            "connectivity", name=args.prefix, region=args.region, opts=self._child
        )
        for number, service in enumerate(args.kafka_services, 1):
            # Somebody of the AWS account has to accept its connection.
            databricks.MwsNccPrivateEndpointRule(
                f"broker-{number}-rule",
                network_connectivity_config_id=connectivity.network_connectivity_config_id,
                endpoint_service=service["service_name"],
                domain_names=[service["domain"]],
                opts=self._child,
            )
        made = databricks.MwsWorkspaces(
            "workspace",
            account_id=args.account_id,
            workspace_name=args.prefix,
            aws_region=args.region,
            credentials_id=self._credentials().credentials_id,
            storage_configuration_id=self._storage().storage_configuration_id,
            network_id=self._network(endpoints).network_id,
            private_access_settings_id=self._private_access().private_access_settings_id if args.private else None,
            managed_services_customer_managed_key_id=keys["managed_services"].customer_managed_key_id,
            storage_customer_managed_key_id=keys["storage"].customer_managed_key_id,
            custom_tags=dict(args.tags),
            # The binding to the connectivity ends with the workspace alone, so that the workspace has to go first.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=[connectivity]),
        )
        self.host, self.workspace_id = made.workspace_url, made.workspace_id
        databricks.MwsNccBinding(
            "connectivity-binding",
            workspace_id=made.workspace_id,
            network_connectivity_config_id=connectivity.network_connectivity_config_id,
            opts=self._child,
        )
        assignment = databricks.MetastoreAssignment(
            "metastore-assignment",
            api="account",
            metastore_id=args.metastore_id,
            workspace_id=made.workspace_id,
            opts=self._child,
        )
        self._let_in(pulumi.ResourceOptions(parent=self, depends_on=[assignment]))
        if args.network_policy:
            databricks.WorkspaceNetworkOption(
                "network-option",
                workspace_id=made.workspace_id,
                network_policy_id=args.network_policy,
                opts=self._child,
            )
        self.register_outputs({"host": self.host, "workspace_id": self.workspace_id})

    def _let_in(self, assigned: pulumi.ResourceOptions) -> None:
        """Lets the deployer of the platform in, with what it needs of the metastore.

        Args:
            assigned: Options that wait for the metastore: without one a workspace has no entries of the account, and
                nobody can be granted anything.
        """
        args = self._args
        databricks.MwsPermissionAssignment(
            "deployer-entry",
            workspace_id=self.workspace_id,
            principal_id=id_of(args.deployer, pulumi.InvokeOutputOptions(parent=self)),
            permissions=["ADMIN"],
            opts=assigned,
        )
        if args.metastore_group:
            # Only a workspace's API grants; whoever makes a workspace administers it.
            inside = databricks.Provider("made-workspace", host=self.host, opts=pulumi.ResourceOptions(parent=self))
            databricks.Grant(
                "metastore-rights",
                metastore=args.metastore_id,
                principal=args.metastore_group,
                privileges=METASTORE_RIGHTS,
                opts=pulumi.ResourceOptions.merge(assigned, pulumi.ResourceOptions(provider=inside)),
            )

    def _named(self, *held: pulumi.Input[object]) -> pulumi.Output[str]:
        """Name of a configuration that holds these values."""
        return pulumi.Output.all(*held).apply(
            lambda values: f"{self._args.prefix}-{hashlib.sha256(repr(values).encode()).hexdigest()[:8]}"
        )

    def _credentials(self) -> databricks.MwsCredentials:
        """The role by which Databricks starts and stops nodes."""
        role = _entry(self._args.ground.role_arns, "cross_account")
        return databricks.MwsCredentials(
            "credentials", credentials_name=self._named(role), role_arn=role, opts=self._child
        )

    def _storage(self) -> databricks.MwsStorageConfigurations:
        """The bucket of the workspace's own files."""
        bucket = pulumi.Output.from_input(self._args.ground.workspace_bucket).apply(_present)
        return databricks.MwsStorageConfigurations(
            "storage",
            account_id=self._args.account_id,
            storage_configuration_name=self._named(bucket),
            bucket_name=bucket,
            opts=self._child,
        )

    def _network(self, endpoints: Mapping[str, databricks.MwsVpcEndpoint]) -> databricks.MwsNetworks:
        """The network that nodes start in."""
        ground = self._args.ground
        vpc = pulumi.Output.from_input(ground.vpc_id).apply(_present)
        subnets = pulumi.Output.from_input(ground.subnet_ids).apply(_present)
        group = pulumi.Output.from_input(ground.nodes_group_id).apply(_present)
        registered = {purpose: endpoint.vpc_endpoint_id for purpose, endpoint in endpoints.items()}
        return databricks.MwsNetworks(
            "network",
            account_id=self._args.account_id,
            network_name=self._named(vpc, subnets, group, registered),
            vpc_id=vpc,
            subnet_ids=subnets,
            security_group_ids=[group],
            vpc_endpoints=databricks.MwsNetworksVpcEndpointsArgs(
                rest_apis=[registered["workspace"]], dataplane_relays=[registered["relay"]]
            )
            if registered
            else None,
            opts=self._child,
        )

    def _endpoints(self) -> dict[str, databricks.MwsVpcEndpoint]:
        """The network's endpoints of Databricks' control plane, by what they serve."""
        registered = {}
        for purpose in ENDPOINTS:
            identifier = _entry(self._args.ground.control_plane_endpoint_ids, purpose)
            registered[purpose] = databricks.MwsVpcEndpoint(
                f"{purpose}-registration",
                account_id=self._args.account_id,
                vpc_endpoint_name=self._named(identifier),
                aws_vpc_endpoint_id=identifier,
                region=self._args.region,
                opts=self._child,
            )
        return registered

    def _private_access(self) -> databricks.MwsPrivateAccessSettings:
        """Who gets in, and from where: every registered endpoint of the account, and perhaps the internet."""
        return databricks.MwsPrivateAccessSettings(
            "private-access",
            private_access_settings_name=self._args.prefix,
            region=self._args.region,
            public_access_enabled=self._args.public_access,
            private_access_level="ACCOUNT",
            opts=self._child,
        )

    def _keys(self) -> dict[str, databricks.MwsCustomerManagedKeys]:
        """The keys of what Databricks stores, in its control plane and in the account."""
        return {
            key: databricks.MwsCustomerManagedKeys(
                f"{key}-registration",
                account_id=self._args.account_id,
                use_cases=[use],
                aws_key_info=databricks.MwsCustomerManagedKeysAwsKeyInfoArgs(
                    key_arn=_entry(self._args.ground.key_arns, key)
                ),
                opts=self._child,
            )
            for key, use in USES.items()
        }


def _entry(values: pulumi.Input[Mapping[str, Any] | None], name: str) -> pulumi.Output[str]:
    """One of the values that a ground in AWS has by name."""
    return pulumi.Output.from_input(values).apply(lambda known: _present(known)[name])


def _present(value: T | None) -> T:
    """A value that a ground in AWS always has."""
    if value is None:
        raise AssertionError("a ground in AWS has a network, a bucket, roles and keys")
    return value
