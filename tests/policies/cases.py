"""For each rule of the pack: what it stops, with what it says, and what it lets pass. Inputs as the engine has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from policies.rule import PROVIDER

KNOWN_TOKEN = "dapi" + "0" * 32
# Explicit providers by the name that a case's options call them; one looks almost like the engine's own.
PROVIDERS = {"provider": "workspace", "almost_default": "default-workspace"}


@dataclass(frozen=True)
class Case:
    """Attributes:
    rule: Id of the rule.
    kind: Type of the resource.
    bad: Inputs that the rule stops.
    says: What it must say about them.
    good: Inputs that it lets pass.
    stack: Stack in which it applies.
    bad_options, good_options: Resource options, as they stand in a program.
    good_kind: Type of the resource that passes, where it is another.
    """

    rule: str
    kind: str
    bad: dict[str, Any]
    says: str
    good: dict[str, Any]
    stack: str = "dev"
    bad_options: str = "provider=provider"
    good_options: str = "provider=provider"
    good_kind: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{self.kind}"


PRINCIPAL = "00000000-0000-0000-0000-000000000001"
TASK = {"taskKey": "score", "timeoutSeconds": 600}
BEFORE = [{**TASK, "taskKey": "features"}, {**TASK, "taskKey": "model"}]
JOB = {
    "name": "daily",
    "runAs": {"servicePrincipalName": PRINCIPAL},
    "maxConcurrentRuns": 1,
    "schedule": {"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC"},
    "tasks": [TASK],
    "emailNotifications": {"onFailures": ["oncall@example.com"]},
}
CLUSTER = {
    "sparkVersion": "17.3.x-scala2.13",
    "nodeTypeId": "m6id.xlarge",
    "numWorkers": 1,
    "policyId": "policy",
    "dataSecurityMode": "USER_ISOLATION",
}
CLASSIC = {"name": "silver", "runAs": {"servicePrincipalName": PRINCIPAL}}
EXPLORE = {**CLUSTER, "clusterName": "explore", "autoterminationMinutes": 30}
PIPELINE = {**CLASSIC, "serverless": True}
ENTITY = {
    "name": "champion",
    "entityName": "churn.mlops.churn_model",
    "entityVersion": "3",
    "workloadSize": "Small",
    "scaleToZeroEnabled": True,
}
CATALOG = {"name": "churn", "comment": "Churn"}


def type_of(kind: str) -> str:
    """Type of a resource as the engine has it."""
    return kind if kind == PROVIDER else f"databricks:index/{kind[0].lower()}{kind[1:]}:{kind}"


def job(**inputs: Any) -> dict[str, Any]:
    return {**JOB, **inputs}


def without(inputs: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name not in names}


def endpoint(**entity: Any) -> dict[str, Any]:
    return {"name": "churn-dev", "config": {"servedEntities": [{**ENTITY, **entity}]}}


def grants(principal: str, privileges: list[str], on: str = "schema", name: str = "churn.gold") -> dict[str, Any]:
    return {on: name, "grants": [{"principal": principal, "privileges": privileges}]}


def control(group: str, level: str) -> dict[str, Any]:
    """Permissions of a group on a warehouse."""
    return {"sqlEndpointId": "warehouse", "accessControls": [{"groupName": group, "permissionLevel": level}]}


def wheel_task(**parameters: str) -> dict[str, Any]:
    return {
        **TASK,
        "pythonWheelTask": {"packageName": "churn", "entryPoint": "score", "namedParameters": parameters},
    }


def external(provider: str, **settings: str) -> dict[str, Any]:
    """An endpoint in front of another provider's model."""
    config = {"amazon-bedrock": "amazonBedrockConfig", "openai": "openaiConfig"}[provider]
    model = {"name": "model", "provider": provider, "task": "llm/v1/chat", config: settings}
    return {"name": "churn-chat", "config": {"servedEntities": [{"name": "chat", "externalModel": model}]}}


def bedrock(**key: str) -> dict[str, Any]:
    access = "{{secrets/churn/aws-id}}"
    return external("amazon-bedrock", awsRegion="eu-west-1", bedrockProvider="anthropic", awsAccessKeyId=access, **key)


def pulls_image(password: str) -> dict[str, Any]:
    """A job on a cluster whose image lies in a private registry."""
    image = {"url": "registry.example.com/churn:1", "basicAuth": {"username": "churn", "password": password}}
    return job(jobClusters=[{"jobClusterKey": "main", "newCluster": {**CLUSTER, "dockerImage": image}}])


def policy(limits: dict[str, Any]) -> dict[str, Any]:
    return {"name": "jobs", "definition": json.dumps(limits)}


def fixed(value: str) -> dict[str, str]:
    return {"type": "fixed", "value": value}


STREAMING = {
    **without(JOB, "schedule"),
    "continuous": {"pauseStatus": "UNPAUSED"},
    "tasks": [{"taskKey": "score"}],
}
TRIGGERED = {**without(JOB, "schedule"), "trigger": {"fileArrival": {"url": "/Volumes/churn/bronze/raw/"}}}
ANALYSTS = grants("churn-analysts", ["SELECT", "USE_SCHEMA"])

CASES = [
    Case("explicit-name", "Schema", {"catalogName": "churn"}, "name is '", {"catalogName": "churn", "name": "gold"}),
    Case("explicit-provider", "Catalog", CATALOG, "provider is 'default_", CATALOG, bad_options='version="1.104.0"'),
    Case(
        "explicit-provider",
        "Catalog",
        CATALOG,
        "provider is 'default_",
        CATALOG,
        bad_options='version="1.104.0"',
        good_options="provider=almost_default",
    ),
    Case(
        "explicit-provider",
        PROVIDER,
        {},
        "host is not set",
        {"host": "https://example.com"},
        bad_options='version="1.104.0"',
        good_options='version="1.104.0"',
    ),
    Case(
        "protected-data",
        "Catalog",
        CATALOG,
        "protect is False",
        CATALOG,
        stack="prod",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "protected-data",
        "MlflowExperiment",
        {"name": "/Shared/churn"},
        "protect is False",
        {"name": "/Shared/churn"},
        stack="prod",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "no-force-destroy",
        "Schema",
        {"catalogName": "churn", "name": "gold", "forceDestroy": True},
        "forceDestroy is True",
        {"catalogName": "churn", "name": "gold"},
        stack="prod",
        bad_options="provider=provider, protect=True",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "no-legacy",
        "DbfsFile",
        {"path": "/wheels/churn.whl", "contentBase64": "AA=="},
        "use File in a volume",
        {"path": "/Volumes/churn/bronze/raw/churn.whl", "contentBase64": "AA=="},
        good_kind="File",
    ),
    Case("no-legacy", "Job", job(tasks=[{**TASK, "newCluster": CLUSTER}]), "tasks[0].newCluster", JOB),
    Case(
        "no-legacy",
        "Job",
        job(tasks=[{**TASK, "forEachTask": {"inputs": "[1]", "task": {**TASK, "newCluster": CLUSTER}}}]),
        "tasks[0].forEachTask.task.newCluster",
        JOB,
    ),
    Case("least-privilege", "Grants", grants("churn-analysts", ["ALL_PRIVILEGES"]), "['ALL_PRIVILEGES']", ANALYSTS),
    Case("least-privilege", "Grants", grants("account users", ["SELECT"]), "principal is 'account users'", ANALYSTS),
    Case(
        "least-privilege",
        "Permissions",
        control("users", "CAN_MANAGE"),
        "accessControls[0].groupName is 'users'",
        control("users", "CAN_USE"),
    ),
    Case(
        "least-privilege",
        "SecretAcl",
        {"scope": "churn", "principal": "users", "permission": "READ"},
        "principal is 'users'",
        {"scope": "churn", "principal": "churn-engineers", "permission": "READ"},
    ),
    Case(
        "least-privilege",
        "SecretScope",
        {"name": "churn", "initialManagePrincipal": "users"},
        "initialManagePrincipal is 'users'",
        {"name": "churn"},
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[wheel_task(api_token="hunter2")]),
        "namedParameters.api_token is '***'",
        job(tasks=[wheel_task(api_token="{{secrets/churn/crm}}", date="2026-01-31")]),
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        job(tasks=[wheel_task(secret_scope="churn-dev", token="hunter2")]),
        "namedParameters.token is '***'",
        job(tasks=[wheel_task(secret_scope="churn-dev", token_key="crm", password_key_name="crm-password")]),
    ),
    Case(
        "no-secrets-in-clear",
        "Job",
        pulls_image("hunter2"),
        "newCluster.dockerImage.basicAuth.password is '***'",
        pulls_image("{{secrets/churn/registry}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ModelServing",
        external("openai", openaiApiKeyPlaintext="hunter2"),
        "openaiConfig.openaiApiKeyPlaintext is '***'",
        external("openai", openaiApiKey="{{secrets/churn/openai}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ModelServing",
        bedrock(awsSecretAccessKeyPlaintext="hunter2"),
        "amazonBedrockConfig.awsSecretAccessKeyPlaintext is '***'",
        bedrock(awsSecretAccessKey="{{secrets/churn/aws}}"),
    ),
    Case(
        "no-secrets-in-clear",
        "ClusterPolicy",
        policy({"spark_env_vars.DB_PASSWORD": fixed("hunter2")}),
        "definition.spark_env_vars.DB_PASSWORD.value is '***'",
        policy({"spark_env_vars.DB_PASSWORD": fixed("{{secrets/churn/db}}"), "cluster_type": fixed("job")}),
    ),
    Case(
        "no-secrets-in-clear",
        "Cluster",
        {**EXPLORE, "sparkConf": {"spark.hadoop.fs.s3a.secret.key": "hunter2"}},
        "sparkConf.spark.hadoop.fs.s3a.secret.key is '***'",
        {**EXPLORE, "sparkConf": {"spark.hadoop.fs.s3a.aws.credentials.provider": "com.example.Provider"}},
    ),
    Case(
        "no-secrets-in-clear",
        "Pipeline",
        {**PIPELINE, "configuration": {"churn.kafka.password": "hunter2"}},
        "configuration.churn.kafka.password is '***'",
        {**PIPELINE, "configuration": {"churn.kafka.service_credential": "churn-kafka"}},
    ),
    Case("clusters-bounded", "Cluster", without(EXPLORE, "policyId"), "policyId is not set", EXPLORE),
    Case("clusters-bounded", "Cluster", {**EXPLORE, "policyId": ""}, "policyId is ''", EXPLORE),
    Case(
        "clusters-bounded",
        "Job",
        job(jobClusters=[{"jobClusterKey": "main", "newCluster": {**CLUSTER, "dataSecurityMode": "NONE"}}]),
        "jobClusters[0].newCluster.dataSecurityMode is 'NONE'",
        job(jobClusters=[{"jobClusterKey": "main", "newCluster": CLUSTER}]),
    ),
    Case(
        "clusters-bounded",
        "Job",
        job(
            tasks=[
                {
                    **TASK,
                    "forEachTask": {"inputs": "[1]", "task": {**TASK, "newCluster": without(CLUSTER, "policyId")}},
                }
            ]
        ),
        "tasks[0].forEachTask.task.newCluster.policyId is not set",
        job(tasks=[{**TASK, "forEachTask": {"inputs": "[1]", "task": {**TASK, "taskKey": "each"}}}]),
    ),
    Case(
        "clusters-bounded",
        "Pipeline",
        {**CLASSIC, "clusters": [{"label": "default", "numWorkers": 1}]},
        "clusters[0].policyId is not set",
        {**CLASSIC, "clusters": [{"label": "default", "numWorkers": 1, "policyId": "policy"}]},
    ),
    Case("clusters-bounded", "Pipeline", CLASSIC, "clusters is not set", PIPELINE),
    Case(
        "clusters-bounded",
        "Pipeline",
        {**CLASSIC, "clusters": [{"label": "maintenance", "policyId": "policy"}]},
        "clusters is ['maintenance']",
        {**CLASSIC, "clusters": [{"label": "maintenance", "policyId": "policy"}, {"policyId": "policy"}]},
    ),
    Case(
        "warehouses-stop",
        "SqlEndpoint",
        {"name": "churn", "clusterSize": "2X-Small"},
        "autoStopMins is ",
        {"name": "churn", "clusterSize": "2X-Small", "autoStopMins": 10},
    ),
    Case("runs-as-principal", "Job", without(JOB, "runAs"), "runAs.servicePrincipalName is not set", JOB),
    Case("runs-as-principal", "Job", job(runAs={"servicePrincipalName": ""}), "servicePrincipalName is ''", JOB),
    Case(
        "runs-as-principal",
        "Pipeline",
        {**PIPELINE, "runAs": {"userName": "jo@example.com"}},
        "runAs.servicePrincipalName is not set",
        PIPELINE,
    ),
    Case("jobs-unattended", "Job", job(tasks=[{"taskKey": "score"}]), "bound the task 'score'", JOB),
    Case("jobs-unattended", "Job", without(STREAMING, "continuous"), "bound the task 'score'", STREAMING),
    Case("jobs-unattended", "Job", job(maxConcurrentRuns=2), "maxConcurrentRuns is 2", JOB),
    Case("jobs-unattended", "Job", {**TRIGGERED, "maxConcurrentRuns": 2}, "maxConcurrentRuns is 2", TRIGGERED),
    Case(
        "jobs-unattended",
        "Job",
        without(JOB, "emailNotifications"),
        "emailNotifications.onFailures is not set",
        JOB,
        stack="prod",
    ),
    Case(
        "tasks-in-order",
        "Job",
        job(tasks=[TASK, {**TASK, "taskKey": "features"}]),
        "tasks is ['score', 'features']",
        job(tasks=[{**TASK, "taskKey": "features"}, TASK]),
    ),
    Case(
        "tasks-in-order",
        "Job",
        job(tasks=[*BEFORE, {**TASK, "dependsOns": [{"taskKey": "model"}, {"taskKey": "features"}]}]),
        "tasks[2].dependsOns is ['model', 'features']",
        job(tasks=[*BEFORE, {**TASK, "dependsOns": [{"taskKey": "features"}, {"taskKey": "model"}]}]),
    ),
    Case("endpoints-pinned", "ModelServing", endpoint(entityVersion="latest"), "entityVersion is 'latest'", endpoint()),
    Case("endpoints-pinned", "ModelServing", endpoint(scaleToZeroEnabled=False), "is False", endpoint()),
]
