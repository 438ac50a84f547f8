"""Jobs through the official SDK, against a running workspace; their tasks are real programs."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from databricks.sdk.errors import BadRequest, NotFound, OperationFailed
from databricks.sdk.service import compute, jobs

from local.settings import LocalSettings
from local.workspace.context import Workspace
from local.workspace.jobs.run import JobRun, Slots
from local.workspace.jobs.states import CANCELED
from local.workspace.store import Store
from tests.local import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
POINTS = {name: f"tasks:{name.replace('-', '_')}" for name in ("show", "fail", "fail-until", "sleep", "need-file")}
MINUTE = timedelta(minutes=1)
LIMIT_SECONDS = 10  # in which a task must have started, on a busy machine too


@pytest.fixture(scope="module")
def cloud(workspace: LocalWorkspace) -> LocalWorkspace:
    wheel.build(workspace.settings.workspace_files / WHEEL.removeprefix("/Workspace/"), "tasks", SOURCE, POINTS)
    return workspace


def task(key: str, entry_point: str, *, after: tuple[str, ...] = (), **more: Any) -> jobs.Task:
    parameters = more.pop("parameters", {})
    return jobs.Task(
        task_key=key,
        depends_on=[jobs.TaskDependency(task_key=name) for name in after],
        python_wheel_task=jobs.PythonWheelTask("tasks", entry_point, named_parameters=parameters),
        environment_key="default",
        **more,
    )


def create(cloud: LocalWorkspace, *tasks: jobs.Task, **settings: Any) -> int:
    environment = jobs.JobEnvironment("default", compute.Environment(environment_version="4", dependencies=[WHEEL]))
    created = cloud.client().jobs.create(
        name=settings.pop("name", "test"), tasks=list(tasks), environments=[environment], **settings
    )
    assert created.job_id
    return created.job_id


def failed(call: Callable[[], object]) -> str:
    with pytest.raises(OperationFailed) as caught:
        call()
    return str(caught.value)


def results(run: jobs.Run) -> dict[str, str]:
    return {item.task_key: item.state.result_state.value for item in run.tasks or []}


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the state was never reached"
        time.sleep(0.05)
    return found


def test_a_run_succeeds_and_its_output_is_its_log(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(
        cloud,
        task(
            "one",
            "show",
            parameters={"day": "{{job.parameters.day}}", "task": "{{task.name}}", "run": "{{job.run_id}}"},
        ),
        parameters=[jobs.JobParameterDefinition("day", "2026-01-31")],
    )
    run = client.jobs.run_now(job_id, job_parameters={"day": "2026-02-01"}).result(MINUTE)
    assert run.state.life_cycle_state is jobs.RunLifeCycleState.TERMINATED
    assert run.state.result_state is jobs.RunResultState.SUCCESS
    assert run.status.termination_details.code is jobs.TerminationCodeCode.SUCCESS
    assert [(p.name, p.default, p.value) for p in run.job_parameters] == [("day", "2026-01-31", "2026-02-01")]
    output = client.jobs.get_run_output(run.tasks[0].run_id)
    assert f"arguments [('day', '2026-02-01'), ('run', '{run.run_id}'), ('task', 'one')]" in output.logs
    assert "me admin@churn.local" in output.logs
    assert output.error is None


def test_a_reference_in_a_parameters_default_is_resolved(cloud: LocalWorkspace) -> None:
    job_id = create(
        cloud,
        task("one", "show", parameters={"date": "{{job.parameters.date}}"}),
        parameters=[jobs.JobParameterDefinition("date", "{{job.start_time.iso_date}}")],
    )
    run = cloud.client().jobs.run_now(job_id).result(MINUTE)
    today = time.strftime("%Y-%m-%d", time.gmtime(run.start_time / 1000))
    assert run.job_parameters[0].value == today


def test_a_failure_has_its_traceback_and_stops_what_depends_on_it(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(cloud, task("bad", "fail"), task("next", "show", after=("bad",)), task("other", "show"))
    waiter = client.jobs.run_now(job_id)
    message = failed(lambda: waiter.result(MINUTE))
    assert "Task bad failed with message: Workload failed, see run output for details" in message
    run = client.jobs.get_run(waiter.run_id)
    assert results(run) == {"bad": "FAILED", "next": "UPSTREAM_FAILED", "other": "SUCCESS"}
    assert run.status.termination_details.code is jobs.TerminationCodeCode.RUN_EXECUTION_ERROR
    output = client.jobs.get_run_output(next(item.run_id for item in run.tasks if item.task_key == "bad"))
    assert output.error == "ValueError: no such customer 7"
    assert "in fail\n" in output.error_trace
    assert output.logs.startswith("before\n")


def test_a_failure_reaches_tasks_whose_names_come_earlier(cloud: LocalWorkspace) -> None:
    job = create(
        cloud, task("z", "fail"), task("y", "show", after=("z",)), task("x", "show", after=("y",)), name="backwards"
    )
    waiter = cloud.client().jobs.run_now(job)
    with pytest.raises(OperationFailed):
        waiter.result(timeout=MINUTE)
    run = cloud.client().jobs.get_run(waiter.run_id)
    assert results(run) == {"z": "FAILED", "y": "UPSTREAM_FAILED", "x": "UPSTREAM_FAILED"}


def test_run_if_decides_after_a_failure(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(
        cloud,
        task("bad", "fail"),
        task("good", "show"),
        task("always", "show", after=("bad",), run_if=jobs.RunIf.ALL_DONE),
        task("repair", "show", after=("bad",), run_if=jobs.RunIf.AT_LEAST_ONE_FAILED),
        task("unneeded", "show", after=("good",), run_if=jobs.RunIf.ALL_FAILED),
        task("some", "show", after=("bad", "good"), run_if=jobs.RunIf.AT_LEAST_ONE_SUCCESS),
    )
    run = client.jobs.run_now(job_id).result(MINUTE)
    assert run.state.result_state is jobs.RunResultState.SUCCESS_WITH_FAILURES
    expected = {"bad": "FAILED", "good": "SUCCESS", "always": "SUCCESS", "repair": "SUCCESS"}
    assert results(run) == {**expected, "unneeded": "EXCLUDED", "some": "SUCCESS"}


def test_retries_are_attempts_of_their_own(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    parameters = {"marker": str(tmp_path / "count"), "failures": "2"}
    job_id = create(
        cloud, task("one", "fail-until", parameters=parameters, max_retries=2, min_retry_interval_millis=10)
    )
    waiter = client.jobs.run_now(job_id)
    assert waiter.result(MINUTE).state.result_state is jobs.RunResultState.SUCCESS
    attempts = client.jobs.get_run(waiter.run_id, include_history=True).tasks
    assert [item.attempt_number for item in attempts] == [0, 1, 2]
    assert [item.state.result_state.value for item in attempts] == ["FAILED", "FAILED", "SUCCESS"]
    assert client.jobs.get_run_output(attempts[0].run_id).error == "RuntimeError: failure 1"


def test_a_repair_runs_only_what_failed(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    marker = tmp_path / "marker"
    job_id = create(
        cloud,
        task("first", "show"),
        task("second", "need-file", after=("first",), parameters={"marker": str(marker)}),
        task("third", "show", after=("second",)),
    )
    waiter = client.jobs.run_now(job_id)
    failed(lambda: waiter.result(MINUTE))
    before = {item.task_key: item.run_id for item in client.jobs.get_run(waiter.run_id).tasks}
    marker.write_text("here")
    repaired = client.jobs.repair_run(waiter.run_id, rerun_all_failed_tasks=True).result(MINUTE)
    assert results(repaired) == {"first": "SUCCESS", "second": "SUCCESS", "third": "SUCCESS"}
    after = {item.task_key: item.run_id for item in repaired.tasks}
    assert after["first"] == before["first"]
    assert after["second"] != before["second"]
    assert after["third"] != before["third"]
    history = client.jobs.get_run(waiter.run_id, include_history=True).repair_history
    assert sorted(history[0].task_run_ids) == sorted([after["second"], after["third"]])
    with pytest.raises(BadRequest, match="latest_repair_id"):
        client.jobs.repair_run(waiter.run_id, rerun_tasks=["first"])


def test_a_timeout_ends_the_program(cloud: LocalWorkspace, tmp_path: Any) -> None:
    marker = tmp_path / "pid"
    job_id = create(cloud, task("slow", "sleep", parameters={"marker": str(marker)}, timeout_seconds=LIMIT_SECONDS))
    waiter = cloud.client().jobs.run_now(job_id)
    failed(lambda: waiter.result(MINUTE))
    assert results(cloud.client().jobs.get_run(waiter.run_id)) == {"slow": "TIMEDOUT"}
    assert not psutil.pid_exists(int(marker.read_text()))


def test_a_jobs_timeout_ends_the_run(cloud: LocalWorkspace, tmp_path: Any) -> None:
    parameters = {"marker": str(tmp_path / "pid")}
    job_id = create(cloud, task("slow", "sleep", parameters=parameters), timeout_seconds=LIMIT_SECONDS)
    run = cloud.client().jobs.run_now(job_id).result(MINUTE)
    assert run.state.result_state is jobs.RunResultState.TIMEDOUT
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_cancelling_ends_the_program(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    marker = tmp_path / "pid"
    job_id = create(
        cloud, task("slow", "sleep", parameters={"marker": str(marker)}), task("next", "show", after=("slow",))
    )
    run_id = client.jobs.run_now(job_id).run_id
    process = wait_for(lambda: marker.exists() and marker.read_text() and psutil.Process(int(marker.read_text())))
    run = client.jobs.cancel_run(run_id).result(MINUTE)
    assert run.state.result_state is jobs.RunResultState.CANCELED
    assert run.state.user_cancelled_or_timedout
    assert results(run) == {"slow": "CANCELED", "next": "CANCELED"}
    assert not process.is_running()


def test_a_killed_program_is_a_failure_that_says_so(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    marker = tmp_path / "pid"
    waiter = client.jobs.run_now(create(cloud, task("slow", "sleep", parameters={"marker": str(marker)})))
    os.kill(int(wait_for(lambda: marker.exists() and marker.read_text())), signal.SIGKILL)
    assert "ended by signal 9" in failed(lambda: waiter.result(MINUTE))


def test_runs_beyond_the_limit_wait_in_the_queue_or_are_skipped(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    marker = tmp_path / "pid"
    job_id = create(cloud, task("slow", "sleep", parameters={"marker": str(marker)}), queue=jobs.QueueSettings(True))
    first = client.jobs.run_now(job_id)
    wait_for(marker.exists)
    second = client.jobs.run_now(job_id)
    assert client.jobs.get_run(second.run_id).state.life_cycle_state is jobs.RunLifeCycleState.QUEUED
    third = client.jobs.run_now(job_id, queue=jobs.QueueSettings(False)).result(MINUTE)
    assert third.state.life_cycle_state is jobs.RunLifeCycleState.SKIPPED
    assert third.state.result_state is jobs.RunResultState.MAXIMUM_CONCURRENT_RUNS_REACHED
    marker.unlink()
    client.jobs.cancel_run(first.run_id).result(MINUTE)
    wait_for(marker.exists)
    assert [run.run_id for run in client.jobs.list_runs(job_id=job_id, active_only=True)] == [second.run_id]
    client.jobs.cancel_all_runs(job_id=job_id)
    wait_for(lambda: not list(client.jobs.list_runs(job_id=job_id, active_only=True)))


def test_a_task_runs_as_the_jobs_principal(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    robot = client.service_principals.create(display_name="jobs robot")
    job_id = create(cloud, task("one", "show"), run_as=jobs.JobRunAs(service_principal_name=robot.application_id))
    assert client.jobs.get(job_id).run_as_user_name == robot.application_id
    run = client.jobs.run_now(job_id).result(MINUTE)
    assert f"me {robot.application_id}" in client.jobs.get_run_output(run.tasks[0].run_id).logs


def test_a_schedule_starts_runs_until_it_is_paused(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    schedule = jobs.CronSchedule("* * * * * ?", "Europe/Zurich")
    job_id = create(cloud, task("one", "show"), schedule=schedule)
    run = wait_for(lambda: list(client.jobs.list_runs(job_id=job_id)))[-1]
    assert run.trigger is jobs.TriggerType.PERIODIC
    schedule.pause_status = jobs.PauseStatus.PAUSED
    client.jobs.update(job_id, new_settings=jobs.JobSettings(schedule=schedule))
    wait_for(lambda: not list(client.jobs.list_runs(job_id=job_id, active_only=True)), 60)
    count = len(list(client.jobs.list_runs(job_id=job_id)))
    time.sleep(3)  # three fires of the schedule, were it not paused
    assert len(list(client.jobs.list_runs(job_id=job_id))) == count
    client.jobs.delete(job_id)


def test_a_job_whose_principal_is_gone_stops_no_other_schedule(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    robot = client.service_principals.create(display_name="short-lived robot")
    schedule = jobs.CronSchedule("* * * * * ?", "UTC")
    orphan = create(
        cloud,
        task("one", "show"),
        name="orphan",
        schedule=schedule,
        run_as=jobs.JobRunAs(service_principal_name=robot.application_id),
    )
    client.service_principals.delete(robot.id)
    wait_for(lambda: f"the schedule of job {orphan} started no run" in cloud.log("workspace"))
    other = create(cloud, task("one", "show"), schedule=schedule)
    wait_for(lambda: list(client.jobs.list_runs(job_id=other)))
    for job_id in (orphan, other):
        client.jobs.delete(job_id)


def test_a_run_that_has_ended_is_not_stopped(tmp_path: Path) -> None:
    here = Workspace(LocalSettings(tmp_path), Store(tmp_path / "workspace.sqlite"))
    settings = {"tasks": [], "timeout_seconds": 0}
    document = {"run_id": 1, "settings": settings, "attempts": [], "repair_history": [], "start_time": 0}
    run = JobRun(here, Slots(1), document, [], {}, tmp_path)
    run.run()
    run.stop(CANCELED)
    stored = here.store.get("runs", "1")
    assert stored is not None
    assert (stored["state"]["life_cycle_state"], stored["state"]["result_state"]) == ("TERMINATED", "SUCCESS")


def test_settings_are_reset_updated_listed_and_deleted(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(cloud, task("a", "show"), task("b", "show"), name="settings", tags={"team": "churn"})
    client.jobs.update(
        job_id,
        new_settings=jobs.JobSettings(description="new", tasks=[task("b", "fail"), task("c", "show")]),
        fields_to_remove=["tags", "tasks/a"],
    )
    settings = client.jobs.get(job_id).settings
    assert (settings.description, settings.tags, settings.name) == ("new", None, "settings")
    assert {item.task_key: item.python_wheel_task.entry_point for item in settings.tasks} == {"b": "fail", "c": "show"}
    client.jobs.reset(job_id, jobs.JobSettings(name="settings", description="reset"))
    assert client.jobs.get(job_id).settings.tasks in (None, [])
    assert [job.job_id for job in client.jobs.list(name="settings")] == [job_id]
    client.jobs.delete(job_id)
    with pytest.raises(NotFound, match=f"Job {job_id} does not exist"):
        client.jobs.get(job_id)
    with pytest.raises(NotFound):
        client.jobs.run_now(job_id)


ONE = {"task_key": "a", "python_wheel_task": {"package_name": "p", "entry_point": "e"}, "environment_key": "default"}
WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"nme": "x"}, 400, "nme"),
    ({"tasks": [{**ONE, "notebok_task": {}}]}, 400, "tasks[0].notebok_task"),
    ({"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}]}, 501, "tasks[0].notebook_task"),
    ({"tasks": [{**ONE, "depends_on": [{"task_key": "z"}]}]}, 400, "tasks[0].depends_on[0].task_key"),
    ({"tasks": [{**ONE, "environment_key": "other"}]}, 400, "tasks[0].environment_key"),
    ({"tasks": [ONE, ONE]}, 400, "tasks[1].task_key"),
    ({"tasks": [{**ONE, "depends_on": [{"task_key": "a"}]}]}, 400, "cycle"),
    ({"tasks": [{**ONE, "max_retries": "many"}]}, 400, "tasks[0].max_retries"),
    ({"schedule": {"quartz_cron_expression": "0 0 5 * *", "timezone_id": "UTC"}}, 400, "schedule"),
    ({"schedule": {"quartz_cron_expression": "0 0 5 * * ?", "timezone_id": "Mars"}}, 400, "Mars"),
    ({"run_as": {"service_principal_name": "nobody"}}, 400, "run_as"),
    ({"continuous": {}}, 501, "continuous"),
    (
        {"tasks": [{"task_key": "a", "pipeline_task": {"pipeline_id": "gone"}}]},
        400,
        "tasks[0].pipeline_task.pipeline_id",
    ),
    ({"parameters": [{"name": "day", "default": "{{jobs.id}}"}]}, 400, "parameters[0].default"),
]


@pytest.mark.parametrize(("settings", "status", "named"), WRONG, ids=[named for _, _, named in WRONG])
def test_wrong_settings_are_refused_by_name(
    cloud: LocalWorkspace, settings: dict[str, Any], status: int, named: str
) -> None:
    sent = {"name": "wrong", "environments": [{"environment_key": "default"}], **settings}
    answer = cloud.http().post("/api/2.2/jobs/create", json=sent)
    assert answer.status_code == status
    assert named in answer.json()["message"]


def test_a_missing_wheel_fails_the_task_and_names_it(cloud: LocalWorkspace) -> None:
    environment = jobs.JobEnvironment("default", compute.Environment(dependencies=["/Workspace/Shared/none.whl"]))
    created = cloud.client().jobs.create(name="none", tasks=[task("a", "show")], environments=[environment])
    waiter = cloud.client().jobs.run_now(created.job_id)
    assert "/Workspace/Shared/none.whl" in failed(lambda: waiter.result(MINUTE))
    details = cloud.client().jobs.get_run(waiter.run_id).tasks[0].status.termination_details
    assert details.code is jobs.TerminationCodeCode.LIBRARY_INSTALLATION_ERROR


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_no_run_hangs_after_a_restart(cloud: LocalWorkspace, tmp_path: Any, kill: bool) -> None:
    client = cloud.client()
    marker = tmp_path / "pid"
    waiter = client.jobs.run_now(create(cloud, task("slow", "sleep", parameters={"marker": str(marker)})))
    process = psutil.Process(int(wait_for(lambda: marker.exists() and marker.read_text())))
    if kill:
        cloud.processes["workspace"].kill()
    cloud.stop("workspace")
    cloud.start()
    assert "workspace was stopped while this ran" in failed(lambda: waiter.result(MINUTE))
    run = client.jobs.get_run(waiter.run_id)
    assert run.state.life_cycle_state is jobs.RunLifeCycleState.INTERNAL_ERROR
    assert results(run) == {"slow": "FAILED"}
    assert not process.is_running()
