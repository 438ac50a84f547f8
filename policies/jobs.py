"""Jobs, pipelines and alerts run as a service principal, with a time limit, and with somebody notified of failures.

A pipeline that a job runs has the time limit and the notifications of that job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.rule import UNKNOWN, Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.rule import Resource

FAILED_UPDATES = ("on-update-failure", "on-update-fatal-failure")


def _as_principal(resource: Resource) -> Iterator[Violation]:
    run_as = resource.inputs.get("runAs")
    principal = mapping(run_as).get("servicePrincipalName")
    if run_as is not UNKNOWN and not principal:
        yield Violation("runAs.servicePrincipalName", principal, "run it as a service principal: people leave")


def _unattended(resource: Resource) -> Iterator[Violation]:
    yield from (_pipeline if resource.kind == "Pipeline" else _job)(resource)


def _pipeline(resource: Resource) -> Iterator[Violation]:
    inputs = resource.inputs
    starts = inputs.get("continuous") is True or mapping(inputs.get("trigger")).get("cron")
    notifications = inputs.get("notifications")
    if resource.in_production and starts and not _of_failed_updates(notifications):
        remedy = f"say who is notified of {' or '.join(FAILED_UPDATES)} in production, since no job notifies anybody"
        yield Violation("notifications", notifications or None, remedy)


def _of_failed_updates(notifications: Any) -> bool:
    """Whether a pipeline's notifications, or one of their alerts, are of failed updates or not known yet."""
    if isinstance(notifications, list):
        return any(_of_failed_updates(mapping(one).get("alerts", one)) for one in notifications)
    return notifications is UNKNOWN or notifications in FAILED_UPDATES


def _job(resource: Resource) -> Iterator[Violation]:
    inputs = resource.inputs
    overlap = inputs.get("maxConcurrentRuns")
    # A continuous job cannot overlap: the service starts a run when the previous one has ended.
    starts = any(mapping(inputs.get(name)) for name in ("schedule", "trigger"))
    if starts and isinstance(overlap, int | float) and overlap > 1:
        yield Violation("maxConcurrentRuns", overlap, "set it to 1: overlapping runs write the same tables")
    if not inputs.get("timeoutSeconds") and inputs.get("continuous") is None:  # a continuous job has no end
        for path, task in items(inputs, "tasks"):
            if not task.get("timeoutSeconds"):
                key = task.get("taskKey")
                yield Violation(f"{path}.timeoutSeconds", None, f"bound the task {key!r}, or the job, in time")
    if resource.in_production and not (_notifies(inputs) or _every_task_notifies(inputs.get("tasks"))):
        yield Violation(
            "emailNotifications.onFailures",
            None,
            "say who is notified of failures in production (or webhookNotifications)",
        )


def _notifies(job_or_task: Mapping[str, Any]) -> bool:
    channels = (job_or_task.get(name) for name in ("emailNotifications", "webhookNotifications"))
    return any(channel is UNKNOWN or mapping(channel).get("onFailures") for channel in channels)


def _every_task_notifies(tasks: Any) -> bool:
    if not isinstance(tasks, list):
        return tasks is UNKNOWN
    return bool(tasks) and all(task is UNKNOWN or _notifies(task) for task in tasks)


def _tasks_in_order(resource: Resource) -> Iterator[Violation]:
    yield from _in_order(resource.inputs, "tasks")
    for path, task in items(resource.inputs, "tasks"):
        yield from _in_order(task, "dependsOns", f"{path}.")


def _in_order(inputs: Mapping[str, Any], name: str, path: str = "") -> Iterator[Violation]:
    keys = [element.get("taskKey") for _, element in items(inputs, name)]
    known = [key for key in keys if isinstance(key, str)]
    if known != sorted(known):
        yield Violation(
            f"{path}{name}", known, "sort them by taskKey: the service does, and every preview would differ"
        )


def _alert_notifies(resource: Resource) -> Iterator[Violation]:
    value: Any = resource.inputs
    for name in ("evaluation", "notification", "subscriptions"):
        value = value if value is UNKNOWN else mapping(value).get(name)
    if resource.in_production and not value:
        remedy = "say who is notified in production: an alert that notifies nobody is no alert"
        yield Violation("evaluation.notification.subscriptions", value, remedy)


RULES = [
    rule(
        "runs-as-principal",
        "A job, pipeline or alert runs as a service principal.",
        _as_principal,
        ("AlertV2", "Job", "Pipeline"),
    ),
    rule("alerts-notify", "In production, an alert notifies somebody.", _alert_notifies, ("AlertV2",)),
    rule(
        "jobs-unattended",
        "A job has a time limit unless it is continuous, and its runs do not overlap if a schedule or trigger starts "
        "them. In production somebody is notified of its failures, and of those of a pipeline that starts by itself.",
        _unattended,
        ("Job", "Pipeline"),
    ),
    rule(
        "tasks-in-order",
        "A job's tasks, and the dependencies of each, are sorted by their keys.",
        _tasks_in_order,
        ("Job",),
    ),
]
