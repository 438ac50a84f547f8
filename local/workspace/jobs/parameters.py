"""Parameters of jobs and of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request
from local.workspace.jobs import references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.core.store import Document
    from local.workspace.jobs.documents import ParameterDocument, RunDocument


def names(settings: Document) -> list[str]:
    """Returns the names of a job's parameters."""
    return [parameter["name"] for parameter in settings.get("parameters", [])]


def of_run(run: RunDocument, values: Mapping[str, str]) -> list[ParameterDocument]:
    """Returns the parameters of a run, with references replaced.

    Args:
        run: The run, with the settings of its job.
        values: Values that differ from the defaults of the job.

    Raises:
        ApiError: A value is for a parameter that the job lacks.
    """
    known = names(run["settings"])
    if unknown := sorted(values.keys() - set(known)):
        raise bad_request(f"job_parameters: the job has no {', '.join(unknown)}; it has {', '.join(known)}")
    replacements = references.values({**run, "job_parameters": []})
    return [
        {
            "name": parameter["name"],
            "default": parameter["default"],
            "value": references.resolved(values.get(parameter["name"], parameter["default"]), replacements),
        }
        for parameter in run["settings"].get("parameters", [])
    ]
