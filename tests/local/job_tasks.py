"""A wheel with small tasks, and jobs of them, for the tests of jobs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.service import compute, iam, jobs

from tests.local import wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

WHEEL = "/Workspace/Shared/wheels/tasks-1.0-py3-none-any.whl"
SOURCE = """
import os, pathlib, sys, time

def arguments():
    return dict(argument[2:].split("=", 1) for argument in sys.argv[1:])

def show():
    from databricks.sdk import WorkspaceClient  # seconds, on a busy machine, that only this one needs

    print("arguments", sorted(arguments().items()))
    print("me", WorkspaceClient().current_user.me().user_name)

def fail():
    print("before")
    raise ValueError("no such customer 7")

def give_up():
    sys.exit("no scores on 2026-01-31: run `score` for that date")

def end_with():
    sys.exit(int(arguments()["code"]))

def fail_until():
    marker = pathlib.Path(arguments()["marker"])
    count = int(marker.read_text()) if marker.exists() else 0
    marker.write_text(str(count + 1))
    if count < int(arguments()["failures"]):
        raise RuntimeError(f"failure {count + 1}")

def sleep():
    pathlib.Path(arguments()["marker"]).write_text(str(os.getpid()))
    time.sleep(600)

def need_file():
    pathlib.Path(arguments()["marker"]).read_text()
"""
_NAMES = ("show", "fail", "give-up", "end-with", "fail-until", "sleep", "need-file")
POINTS = {name: f"tasks:{name.replace('-', '_')}" for name in _NAMES}
MINUTE = timedelta(minutes=1)


def with_tasks(workspace: LocalWorkspace) -> LocalWorkspace:
    """Puts the wheel into a workspace."""
    wheel.build(workspace.settings.workspace_files / WHEEL.removeprefix("/Workspace/"), "tasks", SOURCE, POINTS)
    return workspace


def robot(cloud: LocalWorkspace, name: str) -> iam.ServicePrincipal:
    """A service principal that the administrator may run jobs as."""
    client = cloud.client()
    made = client.service_principals.create(display_name=name)
    rule_set = f"accounts/{client.config.account_id}/servicePrincipals/{made.application_id}/ruleSets/default"
    rule = iam.GrantRule(role="roles/servicePrincipal.user", principals=["users/admin@churn.local"])
    proxy = client.account_access_control_proxy
    etag = proxy.get_rule_set(rule_set, "").etag
    proxy.update_rule_set(rule_set, iam.RuleSetUpdateRequest(name=rule_set, etag=etag, grant_rules=[rule]))
    return made


def task(key: str, entry_point: str, *, after: tuple[str, ...] = (), **more: Any) -> jobs.Task:
    """A task that runs an entry point of the wheel."""
    parameters = more.pop("parameters", {})
    return jobs.Task(
        task_key=key,
        depends_on=[jobs.TaskDependency(task_key=name) for name in after],
        python_wheel_task=jobs.PythonWheelTask("tasks", entry_point, named_parameters=parameters),
        environment_key="default",
        **more,
    )


def create(cloud: LocalWorkspace, *tasks: jobs.Task, **settings: Any) -> int:
    """Creates a job with these tasks; returns its id."""
    environment = jobs.JobEnvironment("default", compute.Environment(environment_version="4", dependencies=[WHEEL]))
    created = cloud.client().jobs.create(
        name=settings.pop("name", "test"), tasks=list(tasks), environments=[environment], **settings
    )
    assert created.job_id
    return created.job_id


def failed(call: Callable[[], object]) -> str:
    """Waits for a run that fails, and returns the message of the error."""
    with pytest.raises(OperationFailed) as caught:
        call()
    return str(caught.value)


def results(run: jobs.Run) -> dict[str, str]:
    """Results of a run's tasks, by key."""
    return {item.task_key: item.state.result_state.value for item in run.tasks or []}


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Waits until a condition is truthy, and returns its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "the state was never reached"
        time.sleep(0.05)
    return value
