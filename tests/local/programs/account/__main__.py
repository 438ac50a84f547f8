"""One resource of each type that the account has; the edition changes all that can be updated."""

import pulumi
import pulumi_databricks as databricks

config = pulumi.Config()
edition = config.require_int("edition")
second = edition == 2
account_id = config.require("account")
token = config.require_secret("token")
account = databricks.Provider(
    "account", host=config.require("host"), account_id=account_id, token=token, auth_type="pat"
)
workspace = databricks.Provider("workspace", host=config.require("host"), token=token, auth_type="pat")
REGION = "eu-west-1"


def options(*after: pulumi.Resource, replace: bool = False) -> pulumi.ResourceOptions:
    """The provider of the account; with `replace`, the old resource is deleted before the new one is created."""
    return pulumi.ResourceOptions(provider=account, depends_on=list(after), delete_before_replace=replace)


# A group of the account enters the workspace, and opens there what its platform says.
group = databricks.Group(
    "group",
    api="account",
    display_name=f"Children's team {edition}",
    opts=pulumi.ResourceOptions(provider=account, ignore_changes=["workspace_access", "databricks_sql_access"]),
)
entry = databricks.PermissionAssignment(
    "entry",
    group_name=group.display_name,
    permissions=["USER"],
    opts=pulumi.ResourceOptions(provider=workspace, delete_before_replace=True),
)
databricks.Entitlements(
    "entitlements",
    group_id=entry.principal_id,
    workspace_access=second,
    databricks_sql_access=True,
    opts=pulumi.ResourceOptions(provider=workspace),
)
databricks.ServicePrincipal("principal", api="account", display_name=f"principal {edition}", opts=options())

metastore = databricks.Metastore(
    "metastore",
    api="account",
    name="eu",
    region=REGION,
    owner="admins" if second else "admin@churn.local",
    opts=options(),
)
credentials = databricks.MwsCredentials(
    "credentials",
    credentials_name=f"role-{edition}",
    role_arn=f"arn:aws:iam::123456789012:role/cross-account-{edition}",
    opts=options(),
)
storage = databricks.MwsStorageConfigurations(
    "storage",
    account_id=account_id,
    storage_configuration_name="bucket",
    bucket_name="example-workspace",
    opts=options(),
)
endpoints = {
    purpose: databricks.MwsVpcEndpoint(
        purpose,
        account_id=account_id,
        vpc_endpoint_name=purpose,
        aws_vpc_endpoint_id=f"vpce-{number}",
        region=REGION,
        opts=options(),
    )
    for number, purpose in enumerate(("rest", "relay"))
}
network = databricks.MwsNetworks(
    "network",
    account_id=account_id,
    network_name=f"network-{edition}",
    vpc_id="vpc-0a",
    subnet_ids=["subnet-1", "subnet-2", f"subnet-3{edition}"],
    security_group_ids=["sg-1"],
    vpc_endpoints={
        "rest_apis": [endpoints["rest"].vpc_endpoint_id],
        "dataplane_relays": [endpoints["relay"].vpc_endpoint_id],
    },
    opts=options(),
)
access = databricks.MwsPrivateAccessSettings(
    "access",
    private_access_settings_name="access",
    region=REGION,
    public_access_enabled=second,
    opts=options(),
)
keys = {
    use: databricks.MwsCustomerManagedKeys(
        use.lower(),
        account_id=account_id,
        use_cases=[use],
        aws_key_info={"key_arn": f"arn:aws:kms:{REGION}:123456789012:key/{number}"},
        opts=options(),
    )
    for number, use in enumerate(("MANAGED_SERVICES", "STORAGE"))
}
connectivity = databricks.MwsNetworkConnectivityConfig(
    "connectivity", name="connectivity", region=REGION, opts=options()
)
made = databricks.MwsWorkspaces(
    "made",
    account_id=account_id,
    workspace_name="made",
    aws_region=REGION,
    credentials_id=credentials.credentials_id,
    storage_configuration_id=storage.storage_configuration_id,
    network_id=network.network_id,
    private_access_settings_id=access.private_access_settings_id,
    managed_services_customer_managed_key_id=keys["MANAGED_SERVICES"].customer_managed_key_id,
    storage_customer_managed_key_id=keys["STORAGE"].customer_managed_key_id,
    custom_tags={"edition": str(edition)},
    opts=options(connectivity),
)
databricks.MwsNccBinding(
    "bound",
    workspace_id=made.workspace_id,
    network_connectivity_config_id=connectivity.network_connectivity_config_id,
    opts=options(),
)
for number in (1, 2):
    databricks.MwsNccPrivateEndpointRule(
        f"broker-{number}",
        network_connectivity_config_id=connectivity.network_connectivity_config_id,
        endpoint_service=f"com.amazonaws.vpce.{REGION}.vpce-svc-0{number}",
        domain_names=[f"b-{number}.edition-{edition}.example"],
        opts=options(),
    )
assigned = databricks.MetastoreAssignment(
    "assigned", api="account", metastore_id=metastore.id, workspace_id=made.workspace_id, opts=options(replace=True)
)
deployer = databricks.ServicePrincipal(
    "deployer", api="account", display_name="deployer", opts=pulumi.ResourceOptions(provider=account)
)
databricks.MwsPermissionAssignment(
    "deployer-entry",
    workspace_id=made.workspace_id,
    principal_id=deployer.id,
    permissions=["ADMIN" if second else "USER"],
    opts=options(assigned, replace=True),
)
# The host of this provider is known once the workspace is made.
inside = databricks.Provider("inside", host=made.workspace_url, token=token, auth_type="pat")
databricks.Grant(
    "metastore-rights",
    metastore=databricks.get_current_metastore(opts=pulumi.InvokeOptions(provider=workspace)).id,
    principal=group.display_name,
    privileges=["CREATE_CATALOG", *(["CREATE_EXTERNAL_LOCATION"] if second else [])],
    opts=pulumi.ResourceOptions(provider=inside, depends_on=[entry, assigned], delete_before_replace=True),
)
policy = databricks.AccountNetworkPolicy(
    "policy",
    account_id=account_id,  # or else each change would replace the policy
    network_policy_id="serverless",
    egress={
        "network_access": {
            "restriction_mode": "RESTRICTED_ACCESS",
            "allowed_internet_destinations": [
                {"destination": f"{edition}.example.com", "internet_destination_type": "DNS_NAME"}
            ],
            "allowed_storage_destinations": [
                {"bucket_name": "example", "region": REGION, "storage_destination_type": "AWS_S3"}
            ],
            "policy_enforcement": {"enforcement_mode": "ENFORCED" if second else "DRY_RUN"},
        }
    },
    opts=options(),
)
databricks.WorkspaceNetworkOption(
    "option", workspace_id=made.workspace_id, network_policy_id=policy.network_policy_id, opts=options()
)
databricks.Budget(
    "budget",
    display_name="everything",
    alert_configurations=[
        {
            "time_period": "MONTH",
            "trigger_type": "CUMULATIVE_SPENDING_EXCEEDED",
            "quantity_type": "LIST_PRICE_DOLLARS_USD",
            "quantity_threshold": str(threshold * edition),
            "action_configurations": [{"action_type": "EMAIL_NOTIFICATION", "target": "ann@example.com"}],
        }
        for threshold in (840, 2000)
    ],
    opts=options(),
)
tag = databricks.TagPolicy(
    "classification",
    tag_key="classification",
    description=f"edition {edition}",
    values=[{"name": "confidential"}, *([{"name": "public"}] if second else [])],
    opts=pulumi.ResourceOptions(provider=workspace),
)
databricks.TagPolicy(
    "domain",
    tag_key="domain",
    description="the domain of a table",
    opts=pulumi.ResourceOptions(provider=workspace, depends_on=[tag]),
)
pulumi.export("workspace_url", made.workspace_url)
pulumi.export("workspace_id", made.workspace_id)
