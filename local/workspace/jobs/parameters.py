"""Parameters of jobs and of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request
from local.workspace.jobs import references
from local.workspace.jobs.settings import TASK_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import AttemptDocument, ParameterDocument, RunDocument


def names(settings: Document) -> list[str]:
    """Returns the names of a job's parameters."""
    return [parameter["name"] for parameter in settings.get("parameters", [])]


def of_run(run: RunDocument, values: Mapping[str, str]) -> list[ParameterDocument]:
    """Returns the parameters of a run, with references replaced.

    Args:
        run: The run, with the settings of its job.
        values: Values that differ from the defaults of the job.

    Raises:
        ApiError: A value is for a parameter that the job lacks, or has an unknown reference.
    """
    known = names(run["settings"])
    if unknown := sorted(values.keys() - set(known)):
        raise bad_request(f"job_parameters: the job has no {', '.join(unknown)}; it has {', '.join(known)}")
    references.check_references(dict(values), list(references.OF_A_JOB), "job_parameters")
    replacements = references.values({**run, "job_parameters": []})
    return [
        {
            "name": parameter["name"],
            "default": parameter["default"],
            "value": references.resolved(values.get(parameter["name"], parameter["default"]), replacements),
        }
        for parameter in run["settings"].get("parameters", [])
    ]


def of_task(run: RunDocument, attempt: AttemptDocument, task: Document) -> Document:
    """Returns what an attempt of a task runs: its kind of task, with references replaced.

    A wheel task with named parameters has those of the job too, which come before its own of the same name:
    https://docs.databricks.com/aws/en/jobs/parameters.
    """
    values = references.values(run, attempt)
    kinds: Document = {kind: references.resolved(task[kind], values) for kind in TASK_KINDS if kind in task}
    named = kinds.get("python_wheel_task", {}).get("named_parameters")
    if named is not None:
        named |= {parameter["name"]: parameter["value"] for parameter in run["job_parameters"]}
    return kinds
