"""References in double braces, such as `{{job.parameters.day}}`: which exist, their values, their replacement."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.jobs.documents import AttemptDocument, RunDocument

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
OF_A_JOB = (
    "job.id",
    "job.name",
    "job.run_id",
    "job.start_time.iso_date",
    "job.start_time.iso_datetime",
    "job.trigger.type",
)
OF_A_TASK = (*OF_A_JOB, "task.name", "task.run_id")


def values(run: RunDocument, attempt: AttemptDocument | None = None) -> dict[str, str]:
    """Returns the values of all references.

    Args:
        run: The run of the job; its parameters count as far as they are set.
        attempt: The attempt of a task, for references to the task.
    """
    start = datetime.fromtimestamp(run["start_time"] / 1000, UTC)
    values = {
        "job.id": str(run["job_id"]),
        "job.name": run["run_name"],
        "job.run_id": str(run["run_id"]),
        "job.start_time.iso_date": start.date().isoformat(),
        "job.start_time.iso_datetime": start.isoformat(timespec="milliseconds"),
        "job.trigger.type": run["trigger"].lower(),
    }
    for parameter in run["job_parameters"]:
        values[f"job.parameters.{parameter['name']}"] = parameter["value"]
    if attempt is not None:
        values |= {"task.name": attempt["task_key"], "task.run_id": str(attempt["run_id"])}
    return values


def resolved(value: Any, values: Mapping[str, str]) -> Any:
    """Replaces the references in all texts of a value, which may be a list or an object."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: values[match[1]], value)
    if isinstance(value, list):
        return [resolved(item, values) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, values) for key, item in value.items()}
    return value


def check_references(value: Any, known: list[str], path: str) -> None:
    """Checks the references in all texts of a value.

    Args:
        value: A text, a list or an object.
        known: References that may be used.
        path: Place of the value in the request, for messages.

    Raises:
        ApiError: A reference is unknown.
    """
    if isinstance(value, str):
        for name in _REFERENCE.findall(value):
            if name not in known:
                raise bad_request(f"{path}: unknown reference {{{{{name}}}}}; allowed: {', '.join(known)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_references(item, known, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_references(item, known, f"{path}.{key}")
