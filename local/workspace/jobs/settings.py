"""What a job may be: checks of its settings, their defaults, and the values in double braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import ApiError, bad_request

from .quartz import Schedule

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

TASK_KINDS = ("pipeline_task", "python_wheel_task")
COMPUTE = ("environment_key", "existing_cluster_id", "job_cluster_key", "new_cluster")
NOT_BUILT = ("continuous", "environment_variables", "git_source", "trigger", "triggers")
MERGED_BY = {"tasks": "task_key", "job_clusters": "job_cluster_key"}  # lists that an update merges by key

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_REFERENCES = (
    "job.id",
    "job.name",
    "job.run_id",
    "job.start_time.iso_date",
    "job.start_time.iso_datetime",
    "job.trigger.type",
    "task.name",
    "task.run_id",
)
_KEY = re.compile(r"[\w-]{1,100}")


def checked(here: Workspace, settings: Document, path: str = "") -> Document:
    """Checks a job's settings and adds the defaults that Databricks shows.

    Args:
        here: The workspace, whose pipelines, clusters and principals the settings name.
        settings: Settings that the SDK's `JobSettings` could have sent.
        path: Where they stand in the request, for messages.

    Raises:
        ApiError: A 400 that names the field, or a 501 for what is not built.
    """
    for name in NOT_BUILT:
        if name in settings:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{path}{name} of a job is not part of the local workspace")
    tasks: list[Document] = settings.get("tasks", [])
    keys = [task["task_key"] for task in tasks]
    parameters = [parameter["name"] for parameter in settings.get("parameters", [])]
    _unique(keys, f"{path}tasks", "task_key")
    _unique(parameters, f"{path}parameters", "name")
    clusters = [cluster["job_cluster_key"] for cluster in settings.get("job_clusters", [])]
    environments = [environment["environment_key"] for environment in settings.get("environments", [])]
    _unique(clusters, f"{path}job_clusters", "job_cluster_key")
    _unique(environments, f"{path}environments", "environment_key")
    _at_least(settings, "timeout_seconds", 0, path)
    declared = {"job_cluster_key": clusters, "environment_key": environments}
    for index, task in enumerate(tasks):
        _check_task(here, task, keys, declared, f"{path}tasks[{index}]")
    _check_acyclic(tasks, f"{path}tasks")
    known = [*_REFERENCES, *(f"job.parameters.{name}" for name in parameters)]
    _check_references(tasks, known, f"{path}tasks")
    of_job = [name for name in _REFERENCES if name.startswith("job.")]
    _check_references(settings.get("parameters", []), of_job, f"{path}parameters")
    schedule(settings, path)
    run_as_name(here, settings, path)
    defaults = {"email_notifications": {}, "format": "MULTI_TASK", "max_concurrent_runs": 1, "name": "Untitled"}
    return {
        **defaults,
        "queue": {"enabled": True},
        "timeout_seconds": 0,
        **settings,
        "tasks": [{"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}, **task} for task in tasks],
    }


def schedule(settings: Document, path: str = "") -> Schedule | None:
    """When a job starts by itself, unless it is paused.

    Raises:
        ApiError: The expression or its time zone is wrong.
    """
    given = settings.get("schedule")
    if given is None:
        return None
    try:
        found = Schedule.parse(given["quartz_cron_expression"], given["timezone_id"])
    except ValueError as error:
        raise bad_request(f"{path}schedule: {error}") from error
    return None if given.get("pause_status") == "PAUSED" else found


def run_as_name(here: Workspace, settings: Document, path: str = "") -> str | None:
    """Name of the principal that a job runs as; None stands for whoever created it.

    Raises:
        ApiError: There is no such principal, or `run_as` names none or several.
    """
    run_as = settings.get("run_as")
    if run_as is None:
        return None
    if "group_name" in run_as:
        raise ApiError(501, "NOT_IMPLEMENTED", f"{path}run_as.group_name is not part of the local workspace")
    names = [run_as[field] for field in ("user_name", "service_principal_name") if run_as.get(field)]
    if len(names) != 1:
        raise bad_request(f"{path}run_as must have either user_name or service_principal_name")
    try:
        return here.principal(names[0]).name
    except ApiError as error:
        raise bad_request(f"{path}run_as: {error.message}") from error


def values(run: Document, task: Document | None = None) -> dict[str, str]:
    """What the references in double braces stand for.

    Args:
        run: The job run.
        task: `task_key` and `run_id` of the task, where one is meant.
    """
    start = datetime.fromtimestamp(run["start_time"] / 1000, UTC)
    found = {
        "job.id": str(run["job_id"]),
        "job.name": run["run_name"],
        "job.run_id": str(run["run_id"]),
        "job.start_time.iso_date": start.date().isoformat(),
        "job.start_time.iso_datetime": start.isoformat(timespec="milliseconds"),
        "job.trigger.type": run["trigger"].lower(),
    }
    for parameter in run.get("job_parameters", []):
        found[f"job.parameters.{parameter['name']}"] = parameter["value"]
    if task is not None:
        found |= {"task.name": task["task_key"], "task.run_id": str(task["run_id"])}
    return found


def resolved(value: Any, known: Mapping[str, str]) -> Any:
    """Replaces the references in all texts of a value."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: known[found[1]], value)
    if isinstance(value, list):
        return [resolved(item, known) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, known) for key, item in value.items()}
    return value


def merged(settings: Document, new: Document, remove: list[str]) -> Document:
    """Applies `jobs/update`: fields of `new` replace, tasks and job clusters by key, then fields are removed.

    Raises:
        ApiError: A path of `remove` is not there to be removed.
    """
    result = {**settings, **new}
    for name, key in MERGED_BY.items():
        if name in new:
            items = {item[key]: item for item in settings.get(name, [])} | {item[key]: item for item in new[name]}
            result[name] = list(items.values())
    for path in remove:
        name, _, item = path.partition("/")
        if item and name in MERGED_BY:
            result[name] = [entry for entry in result.get(name, []) if entry[MERGED_BY[name]] != item]
        elif not item and name not in ("tasks", "name"):
            result.pop(name, None)
        else:
            raise bad_request(f"fields_to_remove: {path!r} cannot be removed")
    return result


def _unique(names: list[str], path: str, field: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise bad_request(f"{path}[{index}].{field}: {name!r} is there twice")


def _at_least(given: Document, field: str, least: int, path: str) -> None:
    if given.get(field, least) < least:
        raise bad_request(f"{path}{field} is {given[field]}; it must be at least {least}")


def _check_task(here: Workspace, task: Document, keys: list[str], declared: Document, path: str) -> None:
    if not _KEY.fullmatch(task["task_key"]):
        raise bad_request(f"{path}.task_key: {task['task_key']!r} may have letters, digits, _ and - only, up to 100")
    _at_least(task, "timeout_seconds", 0, f"{path}.")
    _at_least(task, "max_retries", -1, f"{path}.")  # -1: without end
    kinds = sorted(name for name in task if name.endswith("_task"))
    if len(kinds) != 1:
        raise bad_request(f"{path} must have exactly one kind of task, not {kinds or 'none'}")
    if kinds[0] not in TASK_KINDS:
        message = f"{path}.{kinds[0]} is not part of the local workspace, which has {', '.join(TASK_KINDS)}"
        raise ApiError(501, "NOT_IMPLEMENTED", message)
    for index, dependency in enumerate(task.get("depends_on", [])):
        where = f"{path}.depends_on[{index}]"
        if dependency["task_key"] not in keys:
            raise bad_request(f"{where}.task_key: there is no task {dependency['task_key']!r}; tasks: {sorted(keys)}")
        if "outcome" in dependency:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{where}.outcome belongs to condition tasks, which are not built")
    if kinds[0] == "python_wheel_task":
        _check_wheel_task(here, task, declared, path)
    elif here.store.get("pipelines", task["pipeline_task"]["pipeline_id"]) is None:
        missing = task["pipeline_task"]["pipeline_id"]
        raise bad_request(f"{path}.pipeline_task.pipeline_id: there is no pipeline {missing!r}")


def _check_wheel_task(here: Workspace, task: Document, declared: Document, path: str) -> None:
    if "named_parameters" in task["python_wheel_task"] and "parameters" in task["python_wheel_task"]:
        raise bad_request(f"{path}.python_wheel_task: give either parameters or named_parameters")
    compute = [name for name in COMPUTE if name in task]
    if len(compute) != 1:
        raise bad_request(f"{path} must have exactly one of {', '.join(COMPUTE)}, not {compute or 'none'}")
    given = task[compute[0]]
    if compute[0] in declared and given not in declared[compute[0]]:
        raise bad_request(f"{path}.{compute[0]}: the job has no {given!r}; it has {sorted(declared[compute[0]])}")
    if compute[0] == "existing_cluster_id" and here.store.get("clusters", given) is None:
        raise bad_request(f"{path}.existing_cluster_id: there is no cluster {given!r}")
    if compute[0] == "environment_key" and "libraries" in task:
        raise bad_request(f"{path}.libraries: a serverless task takes its libraries from its environment")


def _check_acyclic(tasks: list[Document], path: str) -> None:
    waiting = {task["task_key"]: {item["task_key"] for item in task.get("depends_on", [])} for task in tasks}
    while ready := [key for key, needs in waiting.items() if not needs & waiting.keys()]:
        for key in ready:
            del waiting[key]
    if waiting:
        raise bad_request(f"{path}: the dependencies of {', '.join(sorted(waiting))} form a cycle")


def _check_references(value: Any, known: list[str], path: str) -> None:
    if isinstance(value, str):
        for name in _REFERENCE.findall(value):
            if name not in known:
                raise bad_request(f"{path}: unknown reference {{{{{name}}}}}; known here: {', '.join(known)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_references(item, known, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_references(item, known, f"{path}.{key}")
