"""One resource of each type of a workspace whose creation is asked for once, in components as the platform has them."""

import json

import pulumi
import pulumi_databricks as databricks

config = pulumi.Config()
provider = databricks.Provider(
    "workspace", host=config.require("host"), token=config.require_secret("token"), auth_type="pat"
)
part = pulumi.ComponentResource("proof:index:Part", "part")


def child(*after: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=part, provider=provider, depends_on=list(after))


properties = pulumi.ResourceOptions(ignore_changes=["properties"])
runner = databricks.ServicePrincipal("runner", display_name="lost-runner", opts=child())
databricks.Group("team", display_name="lost-team", opts=child())
catalog = databricks.Catalog(
    "catalog",
    name="lost",
    storage_root="s3://tests",
    comment="c",
    opts=pulumi.ResourceOptions.merge(child(), properties),
)
schema = databricks.Schema(
    "schema",
    catalog_name=catalog.name,
    name="s",
    comment="s",
    opts=pulumi.ResourceOptions.merge(child(), properties),
)
databricks.Volume(
    "volume", catalog_name=catalog.name, schema_name=schema.name, name="v", volume_type="MANAGED", opts=child()
)
databricks.RegisteredModel("model", catalog_name=catalog.name, schema_name=schema.name, name="m", opts=child())
databricks.Grants("grants", schema=schema.id, grants=[{"principal": "users", "privileges": ["SELECT"]}], opts=child())
folder = databricks.Directory("folder", path="/lost", opts=child())
databricks.MlflowExperiment("experiment", name="/lost/experiment", opts=child(folder))
databricks.WorkspaceFile("file", path="/lost/file.txt", content_base64="eA==", opts=child(folder))
databricks.ClusterPolicy(
    "policy",
    name="lost",
    definition=json.dumps({"spark_version": {"type": "fixed", "value": "17.3.x-scala2.13"}}),
    opts=child(),
)
databricks.SqlEndpoint("warehouse", name="lost", cluster_size="2X-Small", max_num_clusters=1, opts=child())
scope = databricks.SecretScope("scope", name="lost", opts=child())
databricks.SecretAcl("acl", scope=scope.name, principal="users", permission="READ", opts=child())
job = databricks.Job(
    "job",
    name="lost",
    tasks=[
        {
            "task_key": "t",
            "environment_key": "e",
            "python_wheel_task": {"package_name": "p", "entry_point": "e"},
        }
    ],
    environments=[{"environment_key": "e", "spec": {"environment_version": "4"}}],
    opts=child(),
)
databricks.Permissions(
    "permissions",
    job_id=job.id,
    access_controls=[{"group_name": "users", "permission_level": "CAN_VIEW"}],
    opts=child(),
)
databricks.Pipeline(
    "pipeline",
    name="lost",
    serverless=True,
    catalog=catalog.name,
    schema=schema.name,
    libraries=[{"glob": {"include": "/Workspace/lost/**"}}],
    opts=child(),
)
