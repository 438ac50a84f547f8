"""References in double braces, such as `{{job.parameters.day}}`: which exist, their values, their replacement."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.workspace.jobs.documents import AttemptDocument, RunDocument

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# Of a moment in UTC; https://docs.databricks.com/aws/en/jobs/dynamic-value-references
_OF_A_MOMENT: dict[str, Callable[[datetime], str]] = {
    "iso_weekday": lambda moment: str(moment.isoweekday()),
    "is_weekday": lambda moment: str(moment.isoweekday() <= 5).lower(),
    "iso_date": lambda moment: moment.date().isoformat(),
    "iso_datetime": lambda moment: moment.isoformat(timespec="milliseconds"),
    "year": lambda moment: str(moment.year),
    "month": lambda moment: str(moment.month),
    "day": lambda moment: str(moment.day),
    "hour": lambda moment: str(moment.hour),
    "minute": lambda moment: str(moment.minute),
    "second": lambda moment: str(moment.second),
    "timestamp_ms": lambda moment: str(round(moment.timestamp() * 1000)),
}
OF_A_JOB = (
    "job.id",
    "job.name",
    "job.run_id",
    *(f"job.start_time.{name}" for name in _OF_A_MOMENT),
    *(f"job.trigger.time.{name}" for name in _OF_A_MOMENT),
    "job.trigger.type",
)
OF_A_TASK = (*OF_A_JOB, "task.name", "task.run_id")


def values(run: RunDocument, attempt: AttemptDocument | None = None) -> dict[str, str]:
    """Returns the values of all references.

    Args:
        run: The run of the job; its parameters count as far as they are set.
        attempt: The attempt of a task, for references to the task.
    """
    moments = {"start_time": run["start_time"], "trigger.time": run.get("trigger_time", run["start_time"])}
    values = {
        "job.id": str(run["job_id"]),
        "job.name": run["run_name"],
        "job.run_id": str(run["run_id"]),
        "job.trigger.type": run["trigger"].lower(),
    }
    for kind, milliseconds in moments.items():
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        values |= {f"job.{kind}.{name}": shown(moment) for name, shown in _OF_A_MOMENT.items()}
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
