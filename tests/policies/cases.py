"""For each rule of the pack: what it stops, with what it says, and what it lets pass. Inputs as the engine has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policies.rule import PROVIDER

KNOWN_TOKEN = "dapi" + "0" * 32


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
PIPELINE = {"name": "silver", "runAs": {"servicePrincipalName": PRINCIPAL}}
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


TRIGGERED = {**without(JOB, "schedule"), "trigger": {"fileArrival": {"url": "/Volumes/churn/bronze/raw/"}}}
ANALYSTS = grants("churn-analysts", ["SELECT", "USE_SCHEMA"])

CASES = [
    Case("explicit-name", "Schema", {"catalogName": "churn"}, "name is '", {"catalogName": "churn", "name": "gold"}),
    Case("explicit-provider", "Catalog", CATALOG, "provider is 'default_", CATALOG, bad_options='version="1.104.0"'),
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
        "no-secrets-in-clear",
        "Job",
        job(
            tasks=[
                {
                    **TASK,
                    "pythonWheelTask": {
                        "packageName": "churn",
                        "entryPoint": "score",
                        "namedParameters": {"api_token": "hunter2"},
                    },
                }
            ]
        ),
        "namedParameters.api_token is '***'",
        job(
            tasks=[
                {
                    **TASK,
                    "pythonWheelTask": {
                        "packageName": "churn",
                        "entryPoint": "score",
                        "namedParameters": {"api_token": "{{secrets/churn/crm}}", "date": "2026-01-31"},
                    },
                }
            ]
        ),
    ),
    Case(
        "clusters-bounded",
        "Cluster",
        {**without(CLUSTER, "policyId"), "clusterName": "explore", "autoterminationMinutes": 30},
        "policyId is not set",
        {**CLUSTER, "clusterName": "explore", "autoterminationMinutes": 30},
    ),
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
        {**PIPELINE, "clusters": [{"label": "default", "numWorkers": 1}]},
        "clusters[0].policyId is not set",
        {**PIPELINE, "clusters": [{"label": "default", "numWorkers": 1, "policyId": "policy"}]},
    ),
    Case(
        "warehouses-stop",
        "SqlEndpoint",
        {"name": "churn", "clusterSize": "2X-Small"},
        "autoStopMins is ",
        {"name": "churn", "clusterSize": "2X-Small", "autoStopMins": 10},
    ),
    Case("runs-as-principal", "Job", without(JOB, "runAs"), "runAs.servicePrincipalName is not set", JOB),
    Case(
        "runs-as-principal",
        "Pipeline",
        {**PIPELINE, "runAs": {"userName": "jo@example.com"}},
        "runAs.servicePrincipalName is not set",
        PIPELINE,
    ),
    Case("jobs-unattended", "Job", job(tasks=[{"taskKey": "score"}]), "bound the task 'score'", JOB),
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
