"""Cases of the rules on protected data, and on types and fields that Databricks has replaced."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import CATALOG, CLUSTER, JOB, TASK, job

CASES = [
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
        "protected-data",
        "PostgresProject",
        {"projectId": "churn-prod"},
        "protect is False",
        {"projectId": "churn-prod"},
        stack="prod",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "no-force-destroy",
        "PostgresProject",
        {"projectId": "churn-prod", "purgeOnDelete": True},
        "purgeOnDelete is True",
        {"projectId": "churn-prod", "purgeOnDelete": False},
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
    Case(
        "protected-data",
        "SecretScope",
        {"name": "churn"},
        "protect is False",
        {"name": "churn"},
        stack="prod",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "protected-data",
        "Group",
        {"displayName": "churn-analysts"},
        "protect is False",
        {"displayName": "churn-analysts"},
        stack="prod",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "no-force-destroy",
        "Directory",
        {"path": "/Shared/churn", "deleteRecursive": True},
        "deleteRecursive is True",
        {"path": "/Shared/churn", "deleteRecursive": False},
        stack="prod",
    ),
]
