"""Settings of jobs: their checks, their defaults, and their changes by `jobs/update`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.compute.documents import CLUSTERS
from local.workspace.compute.policy_rules import enforced
from local.workspace.core.errors import bad_request, not_built
from local.workspace.identity.run_as import run_as_name
from local.workspace.jobs.quartz import Schedule
from local.workspace.jobs.references import OF_A_JOB, OF_A_TASK, check_references
from local.workspace.pipelines.documents import PIPELINES

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

TASK_KINDS = ("pipeline_task", "python_wheel_task")
COMPUTE = ("environment_key", "existing_cluster_id", "job_cluster_key", "new_cluster")
NOT_BUILT = ("environment_variables", "git_source", "trigger", "triggers")
MERGED_BY = {"tasks": "task_key", "job_clusters": "job_cluster_key"}  # lists that an update merges by key

_KEY = re.compile(r"[\w-]{1,100}")


def checked(workspace: Workspace, settings: Document, path: str = "") -> Document:
    """Checks a job's settings and adds the defaults that Databricks shows.

    Args:
        workspace: The workspace, whose pipelines, clusters and principals the settings name.
        settings: Settings in the form of the SDK's `JobSettings`.
        path: Place of the settings in the request, for messages.

    Returns:
        The settings with defaults.

    Raises:
        ApiError: A 400 or 501 that names the field.
    """
    for name in NOT_BUILT:
        if name in settings:
            raise not_built(f"{path}{name} of a job")
    tasks: list[Document] = settings.get("tasks", [])
    keys = [task["task_key"] for task in tasks]
    parameters = [parameter["name"] for parameter in settings.get("parameters", [])]
    _unique(keys, f"{path}tasks", "task_key")
    _unique(parameters, f"{path}parameters", "name")
    clusters = [cluster["job_cluster_key"] for cluster in settings.get("job_clusters", [])]
    environments = [environment["environment_key"] for environment in settings.get("environments", [])]
    _unique(clusters, f"{path}job_clusters", "job_cluster_key")
    for place, owner in (("job_clusters", settings.get("job_clusters", [])), ("tasks", tasks)):
        for index, item in enumerate(owner):
            enforced(workspace, item.get("new_cluster", {}), "job", f"{path}{place}[{index}].new_cluster.")
    _unique(environments, f"{path}environments", "environment_key")
    _at_least(settings, "timeout_seconds", 0, path)
    declared = {"job_cluster_key": clusters, "environment_key": environments}
    for index, task in enumerate(tasks):
        _check_task(workspace, task, keys, declared, f"{path}tasks[{index}]")
    _check_acyclic(tasks, f"{path}tasks")
    known = [*OF_A_TASK, *(f"job.parameters.{name}" for name in parameters)]
    check_references(tasks, known, f"{path}tasks")
    check_references(settings.get("parameters", []), [*OF_A_JOB], f"{path}parameters")
    schedule(settings, path)
    _check_continuous(settings, tasks, path)
    run_as_name(workspace, settings, path)
    defaults = {"email_notifications": {}, "format": "MULTI_TASK", "max_concurrent_runs": 1, "name": "Untitled"}
    if "continuous" in settings:
        written = {"pause_status": "UNPAUSED", "task_retry_mode": "NEVER", **settings["continuous"]}
        settings = {**settings, "continuous": written}
    return {
        **defaults,
        "queue": {"enabled": True},
        "timeout_seconds": 0,
        **settings,
        "tasks": [{"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}, **task} for task in tasks],
    }


def schedule(settings: Document, path: str = "") -> Schedule | None:
    """Returns the schedule of a job; None where the job has none, or a paused one.

    Raises:
        ApiError: The expression or its time zone is wrong.
    """
    written = settings.get("schedule")
    if written is None:
        return None
    try:
        schedule = Schedule.parse(written["quartz_cron_expression"], written["timezone_id"])
    except ValueError as error:
        raise bad_request(f"{path}schedule: {error}") from error
    return None if written.get("pause_status") == "PAUSED" else schedule


def continuous(settings: Document) -> bool:
    """Whether the service keeps a run of a job active."""
    return "continuous" in settings and settings["continuous"]["pause_status"] == "UNPAUSED"


def _check_continuous(settings: Document, tasks: list[Document], path: str) -> None:
    """Refuses what a continuous job cannot have: https://docs.databricks.com/aws/en/jobs/continuous."""
    if "continuous" not in settings:
        return
    if "maintenance_window" in settings["continuous"]:
        raise not_built(f"{path}continuous.maintenance_window of a job")
    if "schedule" in settings:
        raise bad_request(f"{path}continuous: a job has either continuous or schedule")
    if settings.get("max_concurrent_runs", 1) != 1:
        raise bad_request(
            f"{path}max_concurrent_runs is {settings['max_concurrent_runs']}; a continuous job has one run"
        )
    for index, task in enumerate(tasks):
        for name in ("depends_on", "max_retries", "min_retry_interval_millis", "retry_on_timeout"):
            if task.get(name):
                raise bad_request(f"{path}tasks[{index}].{name}: a task of a continuous job has none")


def merged(settings: Document, new: Document, remove: list[str]) -> Document:
    """Applies `jobs/update`: fields of `new` replace, tasks and job clusters by key, then fields are removed.

    Raises:
        ApiError: A path of `remove` cannot be removed.
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
            raise bad_request(f"{path}[{index}].{field}: {name!r} appears twice")


def _at_least(settings: Document, field: str, least: int, path: str) -> None:
    if settings.get(field, least) < least:
        raise bad_request(f"{path}{field} is {settings[field]}; it must be at least {least}")


def _check_task(workspace: Workspace, task: Document, keys: list[str], declared: Document, path: str) -> None:
    if not _KEY.fullmatch(task["task_key"]):
        raise bad_request(f"{path}.task_key: {task['task_key']!r} may have letters, digits, _ and - only, up to 100")
    _at_least(task, "timeout_seconds", 0, f"{path}.")
    _at_least(task, "max_retries", -1, f"{path}.")  # -1: unlimited
    kinds = sorted(name for name in task if name.endswith("_task"))
    if len(kinds) != 1:
        raise bad_request(f"{path} must have exactly one kind of task, not {kinds or 'none'}")
    if kinds[0] not in TASK_KINDS:
        raise not_built(f"{path}.{kinds[0]} (a task can have {', '.join(TASK_KINDS)})")
    for index, dependency in enumerate(task.get("depends_on", [])):
        where = f"{path}.depends_on[{index}]"
        if dependency["task_key"] not in keys:
            raise bad_request(f"{where}.task_key: there is no task {dependency['task_key']!r}; tasks: {sorted(keys)}")
        if "outcome" in dependency:
            raise not_built(f"{where}.outcome, of condition tasks,")
    if kinds[0] == "python_wheel_task":
        _check_wheel_task(workspace, task, declared, path)
    elif workspace.store.get(PIPELINES, task["pipeline_task"]["pipeline_id"]) is None:
        missing = task["pipeline_task"]["pipeline_id"]
        raise bad_request(f"{path}.pipeline_task.pipeline_id: there is no pipeline {missing!r}")


def _check_wheel_task(workspace: Workspace, task: Document, declared: Document, path: str) -> None:
    if "named_parameters" in task["python_wheel_task"] and "parameters" in task["python_wheel_task"]:
        raise bad_request(f"{path}.python_wheel_task: give either parameters or named_parameters")
    compute = [field for field in COMPUTE if field in task]
    if len(compute) != 1:
        raise bad_request(f"{path} must have exactly one of {', '.join(COMPUTE)}, not {compute or 'none'}")
    name = task[compute[0]]
    if compute[0] in declared and name not in declared[compute[0]]:
        raise bad_request(f"{path}.{compute[0]}: the job has no {name!r}; it has {sorted(declared[compute[0]])}")
    if compute[0] == "existing_cluster_id" and workspace.store.get(CLUSTERS, name) is None:
        raise bad_request(f"{path}.existing_cluster_id: there is no cluster {name!r}")
    if compute[0] == "environment_key" and "libraries" in task:
        raise bad_request(f"{path}.libraries: a serverless task takes its libraries from its environment")


def _check_acyclic(tasks: list[Document], path: str) -> None:
    waiting = {task["task_key"]: {item["task_key"] for item in task.get("depends_on", [])} for task in tasks}
    while ready := [key for key, needs in waiting.items() if not needs & waiting.keys()]:
        for key in ready:
            del waiting[key]
    if waiting:
        raise bad_request(f"{path}: the dependencies of {', '.join(sorted(waiting))} form a cycle")
