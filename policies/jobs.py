"""Jobs run unattended: as a service principal, bounded in time, and heard of when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.rule import UNKNOWN, Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource


def _unattended(resource: Resource) -> Iterator[Violation]:
    inputs = resource.inputs
    run_as = inputs.get("runAs")
    if run_as is not UNKNOWN and mapping(run_as).get("servicePrincipalName") is None:
        yield Violation("runAs.servicePrincipalName", None, "run it as a service principal: people leave")
    overlap = inputs.get("maxConcurrentRuns")
    if mapping(inputs.get("schedule")) and isinstance(overlap, int | float) and overlap > 1:
        yield Violation(
            "maxConcurrentRuns", overlap, "set it to 1: overlapping runs of a schedule write the same tables"
        )
    if not inputs.get("timeoutSeconds"):
        for path, task in items(inputs, "tasks"):
            if not task.get("timeoutSeconds"):
                key = task.get("taskKey")
                yield Violation(f"{path}.timeoutSeconds", None, f"bound the task {key!r}, or the job, in time")
    if resource.in_production and not _tells_failures(resource):
        yield Violation(
            "emailNotifications.onFailures", None, "say who is told of failures in production (or webhookNotifications)"
        )


def _tells_failures(resource: Resource) -> bool:
    channels = (resource.inputs.get(name) for name in ("emailNotifications", "webhookNotifications"))
    return any(channel is UNKNOWN or mapping(channel).get("onFailures") for channel in channels)


def _tasks_in_order(resource: Resource) -> Iterator[Violation]:
    keys = [task.get("taskKey") for _, task in items(resource.inputs, "tasks")]
    known = [key for key in keys if isinstance(key, str)]
    if len(known) == len(keys) and known != sorted(known):
        yield Violation("tasks", known, "sort them by taskKey: the service does, and every preview would differ")


RULES = [
    rule(
        "jobs-unattended",
        "A job runs as a service principal, is bounded in time, overlaps no scheduled run and reports failures.",
        _unattended,
        ("Job",),
    ),
    rule("tasks-in-order", "A job's tasks stand in the order of their keys.", _tasks_in_order, ("Job",)),
]
