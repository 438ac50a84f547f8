"""Cases of the rules on jobs and pipelines."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import (
    BEFORE,
    FAILURES,
    JOB,
    NIGHTLY,
    PIPELINE,
    STREAMING,
    TASK,
    TASK_THAT_NOTIFIES,
    TRIGGERED,
    job,
    without,
)

EVALUATION = {
    "source": {"name": "minutes"},
    "comparisonOperator": "GREATER_THAN",
    "threshold": {"value": {"doubleValue": 5}},
    "notification": {"subscriptions": [{"userEmail": "oncall@example.com"}]},
}
ALERT = {
    "displayName": "late",
    "queryText": "SELECT 1 AS minutes",
    "warehouseId": "w",
    "runAs": {"servicePrincipalName": "runner"},
    "schedule": {"quartzCronSchedule": "0 0 5 * * ?", "timezoneId": "UTC"},
    "evaluation": EVALUATION,
}
SILENT = {**ALERT, "evaluation": without(EVALUATION, "notification")}

CASES = [
    Case("runs-as-principal", "AlertV2", without(ALERT, "runAs"), "runAs.servicePrincipalName is not set", ALERT),
    Case("alerts-notify", "AlertV2", SILENT, "notification.subscriptions is not set", ALERT, stack="prod"),
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
    Case(
        "jobs-unattended",
        "Job",
        {**without(JOB, "emailNotifications"), "tasks": [TASK_THAT_NOTIFIES, {**TASK, "taskKey": "silent"}]},
        "emailNotifications.onFailures is not set",
        {**without(JOB, "emailNotifications"), "tasks": [TASK_THAT_NOTIFIES]},
        stack="prod",
    ),
    Case(
        "jobs-unattended",
        "Pipeline",
        {**PIPELINE, "continuous": True},
        "notifications is not set",
        {**PIPELINE, "continuous": True, "notifications": [FAILURES]},
        stack="prod",
        bad_options="provider=provider, protect=True",
        good_options="provider=provider, protect=True",
    ),
    Case(
        "jobs-unattended",
        "Pipeline",
        {**NIGHTLY, "notifications": [{**FAILURES, "alerts": ["on-update-success"]}]},
        "notifications is [{'alerts': ['on-update-success'], 'emailRecipients': ['oncall@example.com']}]",
        {**NIGHTLY, "notifications": [FAILURES]},
        stack="prod",
        bad_options="provider=provider, protect=True",
        good_options="provider=provider, protect=True",
    ),
]
