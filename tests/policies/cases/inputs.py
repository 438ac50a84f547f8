"""Inputs of resources that keep every rule, in the engine's form; cases change them to break one."""

from __future__ import annotations

import json
from typing import Any

PRINCIPAL = "00000000-0000-0000-0000-000000000001"
TASK = {"taskKey": "score", "timeoutSeconds": 600}
TASK_THAT_NOTIFIES = {**TASK, "emailNotifications": {"onFailures": ["oncall@example.com"]}}
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
NIGHTLY = {**PIPELINE, "trigger": {"cron": {"quartzCronSchedule": "0 0 5 * * ?", "timezoneId": "UTC"}}}
FAILURES = {"alerts": ["on-update-failure"], "emailRecipients": ["oncall@example.com"]}
POOL = {"instancePoolName": "churn", "nodeTypeId": "m6id.xlarge", "idleInstanceAutoterminationMinutes": 10}
ENTITY = {
    "name": "champion",
    "entityName": "churn.mlops.churn_model",
    "entityVersion": "3",
    "workloadSize": "Small",
    "scaleToZeroEnabled": True,
}
CATALOG = {"name": "churn", "comment": "Churn"}


def job(**inputs: Any) -> dict[str, Any]:
    return {**JOB, **inputs}


def without(inputs: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name not in names}


def endpoint(**entity: Any) -> dict[str, Any]:
    return {"name": "churn-dev", "config": {"servedEntities": [{**ENTITY, **entity}]}}


def provisioned(**entity: Any) -> dict[str, Any]:
    served = {"entityName": "churn.mlops.churn_model", "provisionedModelUnits": 50, **entity}
    return {"name": "churn-units", "config": {"servedEntities": [served]}}


def grants(principal: str, privileges: list[str], on: str = "schema", name: str = "churn.gold") -> dict[str, Any]:
    return {on: name, "grants": [{"principal": principal, "privileges": privileges}]}


def control(group: str, level: str) -> dict[str, Any]:
    """Permissions of a group on a warehouse."""
    return {"sqlEndpointId": "warehouse", "accessControls": [{"groupName": group, "permissionLevel": level}]}


def roles(principal: str) -> dict[str, Any]:
    """A rule set by which a principal may run jobs as a service principal."""
    rule_set = f"accounts/{PRINCIPAL}/servicePrincipals/{PRINCIPAL}/ruleSets/default"
    return {"name": rule_set, "grantRules": [{"role": "roles/servicePrincipal.user", "principals": [principal]}]}


def crm(**options: str) -> dict[str, Any]:
    """A connection to a database elsewhere."""
    return {"name": "crm", "connectionType": "POSTGRESQL", "options": {"host": "crm.example.com", **options}}


def dbt_task(*commands: str) -> dict[str, Any]:
    return {**TASK, "dbtTask": {"commands": list(commands)}}


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
