"""Jobs and pipelines run unattended: as a service principal, bounded in time, and heard of when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.rule import UNKNOWN, Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.rule import Resource


def _as_principal(resource: Resource) -> Iterator[Violation]:
    run_as = resource.inputs.get("runAs")
    principal = mapping(run_as).get("servicePrincipalName")
    if run_as is not UNKNOWN and not principal:
        yield Violation("runAs.servicePrincipalName", principal, "run it as a service principal: people leave")


def _unattended(resource: Resource) -> Iterator[Violation]:
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
    if resource.in_production and not _tells_failures(resource):
        yield Violation(
            "emailNotifications.onFailures", None, "say who is told of failures in production (or webhookNotifications)"
        )


def _tells_failures(resource: Resource) -> bool:
    channels = (resource.inputs.get(name) for name in ("emailNotifications", "webhookNotifications"))
    return any(channel is UNKNOWN or mapping(channel).get("onFailures") for channel in channels)


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
        "reports failures.",
        _unattended,
        ("Job",),
    ),
    rule(
        "tasks-in-order",
        "A job's tasks, and what each depends on, stand in the order of their keys.",
        _tasks_in_order,
        ("Job",),
    ),
]
