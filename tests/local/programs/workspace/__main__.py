"""One resource of each type that the workspace has; the edition changes all that can be updated."""

import base64
import json
from collections.abc import Sequence

import pulumi
import pulumi_databricks as databricks

config = pulumi.Config()
edition = config.require_int("edition")
second = edition == 2
provider = databricks.Provider(
    "workspace", host=config.require("host"), token=config.require_secret("token"), auth_type="pat"
)


def options(*after: pulumi.Resource, replace: bool = False) -> pulumi.ResourceOptions:
    """The explicit provider; with `replace`, the old resource is deleted before the new one is created."""
    return pulumi.ResourceOptions(provider=provider, depends_on=list(after), delete_before_replace=replace)


team = databricks.Group(
    "team", display_name="team", workspace_access=second, databricks_sql_access=True, opts=options()
)
runner = databricks.ServicePrincipal("runner", display_name=f"runner {edition}", opts=options())
databricks.GroupMember("member", group_id=team.id, member_id=runner.id, opts=options())
# What the team owns is changed by its members alone.
me = databricks.get_current_user_output(opts=pulumi.InvokeOutputOptions(provider=provider))
deployer = databricks.GroupMember("deployer", group_id=team.id, member_id=me.id, opts=options())

# For principals of the account, with the rights of a workspace administrator: entry, and roles on them.
research = databricks.Group("research", display_name="Bob's Research and Development", opts=options())
person = databricks.User("person", user_name="ann@churn.local", opts=options())
databricks.PermissionAssignment(
    "research-enters", group_name=research.display_name, permissions=["USER"], opts=options()
)
databricks.PermissionAssignment(
    "runner-enters", service_principal_name=runner.application_id, permissions=["USER"], opts=options()
)
databricks.PermissionAssignment(
    "person-enters", user_name=person.user_name, permissions=["ADMIN" if second else "USER"], opts=options()
)
databricks.PermissionAssignment("team-enters", principal_id=team.id.apply(int), permissions=["ADMIN"], opts=options())
account = databricks.get_current_config_output(
    api="account", opts=pulumi.InvokeOutputOptions(provider=provider)
).account_id
manager = databricks.AccessControlRuleSetGrantRuleArgs(
    role="roles/servicePrincipal.manager", principals=["users/admin@churn.local"]
)
user = databricks.AccessControlRuleSetGrantRuleArgs(
    role="roles/servicePrincipal.user",
    principals=[pulumi.Output.concat("groups/", research.display_name)],
)
rule_set = databricks.AccessControlRuleSet(
    "runner-roles",
    name=pulumi.Output.concat("accounts/", account, "/servicePrincipals/", runner.application_id, "/ruleSets/default"),
    grant_rules=[manager, user] if second else [manager],
    opts=options(),
)

# The buckets are asked for where AWS is part of the cloud, which it is not in this test.
role = "arn:aws:iam::123456789012:role/storage"
credential = databricks.StorageCredential(
    "storage",
    name="proof-storage",
    aws_iam_role={"role_arn": role},
    isolation_mode="ISOLATION_MODE_ISOLATED",
    comment=f"edition {edition}",
    opts=options(),
)
kafka = databricks.Credential(
    "kafka",
    name="proof-kafka",
    purpose="SERVICE",
    aws_iam_role={"role_arn": f"{role}-{edition}"},
    isolation_mode="ISOLATION_MODE_ISOLATED",
    comment=f"edition {edition}",
    opts=options(),
)
tables = databricks.ExternalLocation(
    "tables",
    name="proof-tables",
    url="s3://proof",
    credential_name=credential.name,
    isolation_mode="ISOLATION_MODE_ISOLATED",
    skip_validation=True,
    comment=f"edition {edition}",
    opts=options(),
)
drops = databricks.ExternalLocation(
    "drops",
    name="proof-drops",
    url="s3://proof-drops",
    credential_name=credential.name,
    skip_validation=True,
    enable_file_events=True,
    file_event_queue={"provided_sqs": {"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/drops"}},
    read_only=second,
    owner=team.display_name,
    opts=options(deployer),
)
# The service adds properties of its own to catalogs and schemas.
in_tables = pulumi.ResourceOptions.merge(options(tables), pulumi.ResourceOptions(ignore_changes=["properties"]))
catalog = databricks.Catalog(
    "catalog",
    name="proof",
    storage_root=tables.url.apply(lambda url: f"{url}/managed"),
    comment=f"edition {edition}",
    properties={"edition": "1"},
    opts=in_tables,
)
isolated = databricks.Catalog(
    "isolated",
    name="isolated",
    storage_root=tables.url,
    isolation_mode="ISOLATED",
    enable_predictive_optimization="ENABLE" if second else "DISABLE",
    owner=team.display_name,
    opts=pulumi.ResourceOptions.merge(in_tables, pulumi.ResourceOptions(depends_on=[deployer])),
)
schema = databricks.Schema(
    "schema", catalog_name=catalog.name, name="bronze", comment=f"edition {edition}", opts=in_tables
)
owned = databricks.Schema(
    "owned",
    catalog_name=catalog.name,
    name="mlops",
    owner=runner.application_id,
    enable_predictive_optimization="DISABLE",
    force_destroy=True,
    opts=in_tables,
)
volume = databricks.Volume(
    "volume",
    catalog_name=catalog.name,
    schema_name=schema.name,
    name="raw",
    volume_type="MANAGED",
    comment=f"edition {edition}",
    opts=options(),
)
outside = databricks.ExternalLocation(
    "outside",
    name="proof-outside",
    url="s3://proof-outside",
    credential_name=credential.name,
    skip_validation=True,
    opts=options(),
)
external = databricks.Volume(
    "external",
    catalog_name=catalog.name,
    schema_name=schema.name,
    name="landed",
    volume_type="EXTERNAL",
    storage_location=outside.url.apply(lambda url: f"{url}/landed"),
    comment=f"edition {edition}",
    opts=options(outside),
)
model = databricks.RegisteredModel(
    "model",
    catalog_name=catalog.name,
    schema_name=schema.name,
    name="churn_model",
    comment=f"edition {edition}",
    opts=options(),
)


def granted(*privileges: str) -> Sequence[databricks.GrantsGrantArgs]:
    return [databricks.GrantsGrantArgs(principal=team.display_name, privileges=list(privileges))]


databricks.Grants(
    "on-catalog", catalog=catalog.name, grants=granted("USE_CATALOG", *(["BROWSE"] if second else [])), opts=options()
)
databricks.Grants(
    "on-schema",
    schema=schema.id,
    grants=[
        *granted("USE_SCHEMA"),
        databricks.GrantsGrantArgs(principal=runner.application_id, privileges=["ALL_PRIVILEGES"]),
    ],
    opts=options(),
)
databricks.Grants("on-volume", volume=volume.id, grants=granted("READ_VOLUME"), opts=options())
databricks.Grants(
    "on-location",
    external_location=tables.id,
    grants=granted("READ_FILES", *(["WRITE_FILES"] if second else [])),
    opts=options(),
)
databricks.Grants(
    "on-storage", storage_credential=credential.id, grants=granted("CREATE_EXTERNAL_LOCATION"), opts=options()
)
databricks.Grants("on-kafka", credential=kafka.id, grants=granted("ACCESS"), opts=options())
databricks.Grants("on-model", model=model.id, grants=granted("EXECUTE"), opts=options())

rules = {"spark_version": {"type": "fixed", "value": f"17.{edition}.x-scala2.13"}}
policy = databricks.ClusterPolicy("policy", name="jobs", definition=json.dumps(rules), opts=options())
warehouse = databricks.SqlEndpoint(
    "warehouse",
    name="sql",
    cluster_size="2X-Small",
    auto_stop_mins=10 * edition,
    enable_serverless_compute=False,
    tags=databricks.SqlEndpointTagsArgs(
        custom_tags=[databricks.SqlEndpointTagsCustomTagArgs(key="team", value="churn")]
    ),
    opts=options(),
)
online = databricks.PostgresProject(
    "online",
    project_id="online",
    purge_on_delete=True,
    spec={"pg_version": 18, "display_name": f"edition {edition}", "history_retention_duration": "172800s"},
    opts=options(),
)
branch = pulumi.Output.concat(online.name, "/branches/production")
databricks.PostgresEndpoint(
    "online-compute",
    endpoint_id="primary",
    parent=branch,
    replace_existing=True,
    spec={
        "endpoint_type": "ENDPOINT_TYPE_READ_WRITE",
        "autoscaling_limit_min_cu": 0.5,
        "autoscaling_limit_max_cu": edition,
        "no_suspension": True,
    },
    opts=options(online),
)
writer = databricks.PostgresRole(
    "online-writer",
    role_id="writer",
    parent=branch,
    spec={
        "postgres_role": runner.application_id,
        "identity_type": "SERVICE_PRINCIPAL",
        "attributes": {"createdb": second, "createrole": False, "bypassrls": False},
    },
    opts=options(online),
)
databricks.PostgresDatabase(
    "online-database",
    database_id="churn",
    parent=branch,
    spec={"postgres_database": f"churn{edition}", "role": writer.name},
    opts=options(writer),
)
scope = databricks.SecretScope("scope", name="churn", opts=options())
databricks.Secret(
    "secret", scope=scope.name, key="password", string_value=f"hidden {edition}", opts=options(replace=True)
)
databricks.SecretAcl(
    "acl",
    scope=scope.name,
    principal=team.display_name,
    permission="WRITE" if second else "READ",
    opts=options(replace=True),
)
folder = databricks.Directory("folder", path="/Workspace/Shared/churn/proof", delete_recursive=True, opts=options())
text = base64.b64encode(f"print({edition})\n".encode()).decode()
file = databricks.WorkspaceFile(
    "file", path="/Workspace/Shared/churn/proof/deep/main.py", content_base64=text, opts=options(folder)
)
dashboard = databricks.Dashboard(
    "dashboard",
    display_name="Churn",
    parent_path="/Workspace/Shared/churn/proof/dashboards",
    warehouse_id=warehouse.id,
    serialized_dashboard=json.dumps({"pages": [{"name": f"page-{edition}", "displayName": "Page"}]}),
    embed_credentials=False,
    opts=options(folder),
)

alert = databricks.AlertV2(
    "alert",
    display_name=f"late {edition}",
    parent_path=folder.path.apply(lambda path: f"/Workspace{path.removeprefix('/Workspace')}"),
    warehouse_id=warehouse.id,
    query_text=f"SELECT {edition} AS minutes",
    schedule={"quartz_cron_schedule": f"0 0 {edition} 1 1 ? 2099", "timezone_id": "UTC", "pause_status": "UNPAUSED"},
    evaluation={
        "source": {"name": "minutes", "aggregation": "MAX"},
        "comparison_operator": "GREATER_THAN",
        "threshold": {"value": {"double_value": 5 * edition}},
        "empty_result_state": "OK",
        "notification": {"notify_on_ok": True, "subscriptions": [{"user_email": "oncall@example.com"}]},
    },
    opts=options(),
)
experiment = databricks.MlflowExperiment(
    "experiment", name=pulumi.Output.concat(folder.path, f"/tracked-{edition}"), opts=options()
)


def team_may(level: str) -> Sequence[databricks.PermissionsAccessControlArgs]:
    return [databricks.PermissionsAccessControlArgs(group_name=team.display_name, permission_level=level)]


databricks.Permissions("use-policy", cluster_policy_id=policy.id, access_controls=team_may("CAN_USE"), opts=options())
databricks.Permissions(
    "use-warehouse",
    sql_endpoint_id=warehouse.id,
    access_controls=[
        *team_may("CAN_MONITOR" if second else "CAN_USE"),
        databricks.PermissionsAccessControlArgs(
            service_principal_name=runner.application_id, permission_level="CAN_MANAGE"
        ),
    ],
    opts=options(),
)
databricks.Permissions(
    "use-online",
    database_project_name=online.project_id,
    access_controls=team_may("CAN_MANAGE" if second else "CAN_USE"),
    opts=options(),
)
databricks.Permissions("read-folder", directory_path=folder.path, access_controls=team_may("CAN_READ"), opts=options())
databricks.Permissions("read-file", workspace_file_path=file.path, access_controls=team_may("CAN_READ"), opts=options())
databricks.Permissions(
    "read-dashboard", dashboard_id=dashboard.id, access_controls=team_may("CAN_READ"), opts=options()
)
databricks.Permissions(
    "read-alert", alert_v2_id=alert.id, access_controls=team_may("CAN_RUN" if second else "CAN_READ"), opts=options()
)
databricks.Permissions(
    "read-experiment",
    experiment_id=experiment.id,
    access_controls=team_may("CAN_EDIT" if second else "CAN_READ"),
    opts=options(),
)

invoke = pulumi.InvokeOutputOptions(provider=provider)
found = databricks.get_registered_model_output(full_name=model.id, include_aliases=True, opts=invoke)
versions = databricks.get_registered_model_versions_output(full_name=model.id, opts=invoke)
pulumi.export("model_comment", found.model_infos[0].comment)
pulumi.export("versions", versions.model_versions)
pulumi.export("volume_path", volume.volume_path)
found_location = databricks.get_external_location_output(name=tables.id, opts=invoke)
pulumi.export("location_url", found_location.external_location_info.url)
looked_up = databricks.get_group_output(display_name=research.display_name, opts=invoke)
pulumi.export("group_found", pulumi.Output.all(looked_up.id, research.id).apply(lambda ids: ids[0] == ids[1]))
pulumi.export("user", databricks.get_current_user_output(opts=invoke).user_name)
