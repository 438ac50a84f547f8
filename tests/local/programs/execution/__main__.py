"""Jobs on both kinds of compute, a pipeline, an endpoint and a cluster; the edition changes each of them."""

import json

import pulumi
import pulumi_databricks as databricks

config = pulumi.Config()
edition = config.require_int("edition")
provider = databricks.Provider(
    "workspace", host=config.require("host"), token=config.require_secret("token"), auth_type="pat"
)
options = pulumi.ResourceOptions(provider=provider)

WHEEL = f"/Workspace/Shared/proof/tasks-{edition}.0-py3-none-any.whl"

engineers = databricks.Group("engineers", display_name="engineers", opts=options)
runner = databricks.ServicePrincipal("runner", display_name="runner", opts=options)
account = databricks.get_current_config_output(
    api="account", opts=pulumi.InvokeOutputOptions(provider=provider)
).account_id
runner_roles = databricks.AccessControlRuleSet(
    "runner-roles",
    name=pulumi.Output.concat("accounts/", account, "/servicePrincipals/", runner.application_id, "/ruleSets/default"),
    grant_rules=[
        {"role": f"roles/servicePrincipal.{role}", "principals": ["users/admin@churn.local"]}
        for role in ("manager", "user")
    ],
    opts=options,
)
# Nothing may run as the runner before its rule set says so.
running = pulumi.ResourceOptions(provider=provider, depends_on=[runner_roles])
policy = databricks.ClusterPolicy("policy", name="proof", definition=json.dumps({}), opts=options)
pipeline = databricks.Pipeline(
    "pipeline",
    name="proof_bronze",
    catalog="proof",
    schema="bronze",
    serverless=True,
    continuous=False,
    development=False,
    channel="CURRENT",
    configuration={"churn.edition": str(edition)},
    libraries=[{"file": {"path": "/Workspace/Shared/proof/bronze.py"}}],
    environment={"dependencies": [WHEEL]},
    run_as={"service_principal_name": runner.application_id},
    notifications=[{"alerts": ["on-update-failure"], "email_recipients": ["team@churn.local"]}],
    opts=running,
)
common = {
    "parameters": [{"name": "date", "default": "{{job.start_time.iso_date}}"}],
    "run_as": {"service_principal_name": runner.application_id},
    "max_concurrent_runs": 1,
    "queue": {"enabled": True},
    "schedule": {"quartz_cron_expression": f"0 0 {edition} * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 600 * edition}]},
    "email_notifications": {"on_failures": ["team@churn.local"], "no_alert_for_skipped_runs": True},
    "tags": {"project": "churn"},
    "opts": running,
}
wheel_task = {
    "package_name": "tasks",
    "entry_point": "show",
    "named_parameters": {"edition": str(edition), "date": "{{job.parameters.date}}"},
}
databricks.Job(
    "serverless",
    name="serverless",
    description=f"edition {edition}",
    tasks=[
        {
            "task_key": "first",
            "timeout_seconds": 600,
            "max_retries": 1,
            "min_retry_interval_millis": 1000,
            "retry_on_timeout": False,
            "python_wheel_task": wheel_task,
            "environment_key": "default",
        },
        {
            "task_key": "second",
            "depends_ons": [{"task_key": "first"}],
            "run_if": "ALL_DONE",
            "pipeline_task": {"pipeline_id": pipeline.id, "full_refresh": False},
        },
    ],
    environments=[{"environment_key": "default", "spec": {"environment_version": "4", "dependencies": [WHEEL]}}],
    **common,
)
classic = databricks.Job(
    "classic",
    name="classic",
    tasks=[
        {
            "task_key": "only",
            "python_wheel_task": wheel_task,
            "job_cluster_key": "main",
            "libraries": [{"whl": WHEEL}],
        }
    ],
    job_clusters=[
        {
            "job_cluster_key": "main",
            "new_cluster": {
                "spark_version": "18.0.x-scala2.13",
                "node_type_id": "m7g.large",
                "num_workers": edition - 1,
                "policy_id": policy.id,
                "data_security_mode": "USER_ISOLATION",
                "custom_tags": {"project": "churn"},
                "spark_conf": {"spark.sql.shuffle.partitions": "2"},
            },
        }
    ],
    **common,
)
# An endpoint acts for ever as whoever has made it; here that may execute the model and do nothing else.
server = databricks.ServicePrincipal("server", display_name="server", workspace_access=True, opts=options)
secret = databricks.ServicePrincipalSecret("secret", service_principal_id=server.id, opts=options)
as_server = databricks.Provider(
    "server",
    host=config.require("host"),
    auth_type="oauth-m2m",
    client_id=server.application_id,
    client_secret=secret.secret,
)
grants = [
    databricks.Grants(
        f"server-{privilege}",
        **{kind: name},
        grants=[{"principal": server.application_id, "privileges": [privilege]}],
        opts=options,
    )
    for kind, name, privilege in (
        ("catalog", "proof", "USE_CATALOG"),
        ("schema", "proof.mlops", "USE_SCHEMA"),
        ("model", "proof.mlops.constant", "EXECUTE"),
    )
]
endpoint = databricks.ModelServing(
    "endpoint",
    name="proof",
    config={
        "served_entities": [
            {
                "name": "champion",
                "entity_name": "proof.mlops.constant",
                "entity_version": str(edition),
                "workload_size": "Small",
                "scale_to_zero_enabled": True,
            }
        ],
        "traffic_config": {"routes": [{"served_model_name": "champion", "traffic_percentage": 100}]},
    },
    tags=[{"key": "edition", "value": str(edition)}],
    # what the service sets, as `infra` ignores it
    opts=pulumi.ResourceOptions(provider=as_server, depends_on=grants, ignore_changes=["telemetryConfig"]),
)
databricks.Cluster(
    "cluster",
    cluster_name=f"edition {edition}",
    spark_version="18.0.x-scala2.13",
    node_type_id="m7g.large",
    num_workers=1,
    autotermination_minutes=20,
    data_security_mode="USER_ISOLATION",
    spark_conf={"spark.sql.shuffle.partitions": str(edition)},
    opts=options,
)
for kind, identifier, level in (
    ("job_id", classic.id, "CAN_MANAGE_RUN"),
    ("pipeline_id", pipeline.id, "CAN_RUN"),
    ("serving_endpoint_id", endpoint.serving_endpoint_id, "CAN_QUERY"),
):
    databricks.Permissions(
        f"use-{kind}",
        access_controls=[{"group_name": engineers.display_name, "permission_level": level}],
        opts=options,
        **{kind: identifier},
    )
pulumi.export("job_id", classic.id)
