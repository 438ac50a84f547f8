"""Jobs and pipelines run unattended: as a service principal, bounded in time, and heard of when they fail.

A pipeline that a job runs is bounded, and heard of, by that job.
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
    told = inputs.get("notifications")
    if resource.in_production and starts and not _tells_failed_updates(told):
        remedy = f"say who is told of {' or '.join(FAILED_UPDATES)} in production, since no job tells"
        yield Violation("notifications", told or None, remedy)


def _tells_failed_updates(told: Any) -> bool:
    """Whether one of a pipeline's notifications, or what may be one, is of a failed update."""
    if isinstance(told, list):
        return any(_tells_failed_updates(mapping(one).get("alerts", one)) for one in told)
    return told is UNKNOWN or told in FAILED_UPDATES


def _job(resource: Resource) -> Iterator[Violation]:
    inputs = resource.inputs
    overlap = inputs.get("maxConcurrentRuns")
    # A continuous job cannot overlap: the service starts a run when the one before has ended.
    starts = any(mapping(inputs.get(name)) for name in ("schedule", "trigger"))
    if starts and isinstance(overlap, int | float) and overlap > 1:
        yield Violation("maxConcurrentRuns", overlap, "set it to 1: overlapping runs write the same tables")
    if not inputs.get("timeoutSeconds") and inputs.get("continuous") is None:  # a continuous one has no end
        for path, task in items(inputs, "tasks"):
            if not task.get("timeoutSeconds"):
                key = task.get("taskKey")
                yield Violation(f"{path}.timeoutSeconds", None, f"bound the task {key!r}, or the job, in time")
    if resource.in_production and not (_tells_failures(inputs) or _every_task_tells(inputs.get("tasks"))):
        yield Violation(
            "emailNotifications.onFailures", None, "say who is told of failures in production (or webhookNotifications)"
        )


def _tells_failures(job_or_task: Mapping[str, Any]) -> bool:
    channels = (job_or_task.get(name) for name in ("emailNotifications", "webhookNotifications"))
    return any(channel is UNKNOWN or mapping(channel).get("onFailures") for channel in channels)


def _every_task_tells(tasks: Any) -> bool:
    if not isinstance(tasks, list):
        return tasks is UNKNOWN
    return bool(tasks) and all(task is UNKNOWN or _tells_failures(task) for task in tasks)


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


RULES = [
    rule("runs-as-principal", "A job or pipeline runs as a service principal.", _as_principal, ("Job", "Pipeline")),
    rule(
        "jobs-unattended",
        "A job is bounded in time unless it is continuous, does not overlap itself when it starts by itself, and "
        "reports failures, as does a pipeline that starts by itself.",
        _unattended,
        ("Job", "Pipeline"),
    ),
    rule(
        "tasks-in-order",
        "A job's tasks, and what each depends on, stand in the order of their keys.",
        _tasks_in_order,
        ("Job",),
    ),
]
