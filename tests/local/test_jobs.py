"""Runs of jobs through the official SDK, against a running workspace; their tasks are real programs."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from databricks.sdk.errors import BadRequest, OperationFailed
from databricks.sdk.service import jobs

from local.settings import LocalSettings
from local.workspace.core.context import Workspace
from local.workspace.core.store import Store
from local.workspace.jobs import tasks
from local.workspace.jobs.active_run import ActiveRun, Slots
from local.workspace.jobs.repairs import tasks_to_run
from local.workspace.jobs.runtime import JobRuns
from local.workspace.jobs.states import CANCELED, SUCCESS
from tests.local.job_tasks import MINUTE, create, failed, results, task, wait_for, with_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from local.workspace.core.store import Document
    from tests.local.conftest import LocalWorkspace

LIMIT_SECONDS = 10  # in which a task must have started, on a busy machine too


@pytest.fixture(scope="module")
def cloud(workspace: LocalWorkspace) -> LocalWorkspace:
    return with_tasks(workspace)


@pytest.mark.shows("jobs: wheel tasks, job parameters, output of a run", client="databricks-sdk")
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


@pytest.mark.shows("jobs: dynamic value references", client="databricks-sdk")
def test_a_reference_in_a_parameters_default_is_resolved(cloud: LocalWorkspace) -> None:
    job_id = create(
        cloud,
        task("one", "show", parameters={"date": "{{job.parameters.date}}"}),
        parameters=[
            jobs.JobParameterDefinition("date", "{{job.start_time.iso_date}}"),
            jobs.JobParameterDefinition("moment", "{{job.trigger.time.iso_datetime}}[Asia/Tokyo]-1d"),
            jobs.JobParameterDefinition("clock", "{{job.trigger.time.hour}}:{{job.trigger.time.timestamp_ms}}"),
        ],
    )
    run = cloud.client().jobs.run_now(job_id).result(MINUTE)
    values = {parameter.name: parameter.value for parameter in run.job_parameters}
    begun = datetime.fromtimestamp(run.start_time / 1000, UTC)
    assert values["date"] == begun.date().isoformat()
    assert values["moment"] == f"{begun.isoformat(timespec='milliseconds')}[Asia/Tokyo]-1d"
    assert values["clock"] == f"{begun.hour}:{run.start_time}"


@pytest.mark.shows("jobs: parameters of the job reach each task with named parameters", client="databricks-sdk")
def test_job_parameters_reach_every_task_that_takes_named_ones(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(
        cloud,
        task("named", "show", parameters={"own": "1", "day": "of the task"}),
        task("none", "show"),
        parameters=[jobs.JobParameterDefinition("day", "{{job.id}}"), jobs.JobParameterDefinition("unused", "x")],
    )
    run = client.jobs.run_now(job_id, job_parameters={"unused": "y"}).result(MINUTE)
    logs = {item.task_key: client.jobs.get_run_output(item.run_id).logs or "" for item in run.tasks or []}
    assert f"arguments [('day', '{job_id}'), ('own', '1'), ('unused', 'y')]" in logs["named"]
    assert "arguments []" in logs["none"]
    shown = {item.task_key: item.python_wheel_task.named_parameters for item in run.tasks or []}
    assert shown == {"named": {"day": str(job_id), "own": "1", "unused": "y"}, "none": None}


@pytest.mark.shows("jobs: an unknown reference in the parameter of a run is refused", client="databricks-sdk")
def test_an_unknown_reference_in_a_runs_parameter_is_refused(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    job_id = create(cloud, task("one", "show"), parameters=[jobs.JobParameterDefinition("date", "2026-01-31")])
    said = r"job_parameters\.date: unknown reference \{\{start_date\}\}; allowed: job\.id"
    with pytest.raises(BadRequest, match=said):
        client.jobs.run_now(job_id, job_parameters={"date": "{{start_date}}"})
    run = client.jobs.run_now(job_id).result(MINUTE)
    with pytest.raises(BadRequest, match=said):
        client.jobs.repair_run(run.run_id, rerun_tasks=["one"], job_parameters={"date": "{{start_date}}"})


@pytest.mark.shows("jobs: dependencies between tasks; error and trace of a failed one", client="databricks-sdk")
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


@pytest.mark.shows("jobs: run_if", client="databricks-sdk")
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


def test_what_a_task_says_when_it_gives_up_is_its_error(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    waiter = client.jobs.run_now(create(cloud, task("one", "give-up")))
    said = "SystemExit: no scores on 2026-01-31: run `score` for that date"
    assert said in failed(lambda: waiter.result(MINUTE))
    run = client.jobs.get_run(waiter.run_id)
    assert said in run.tasks[0].state.state_message
    output = client.jobs.get_run_output(run.tasks[0].run_id)
    assert output.error == said
    assert 'sys.exit("no scores' in output.error_trace
    assert output.logs.index(said) < output.logs.index("Traceback")


def test_an_exit_with_a_number_is_named(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    tasks = [task("bad", "end-with", parameters={"code": "3"}), task("good", "end-with", parameters={"code": "0"})]
    waiter = client.jobs.run_now(create(cloud, *tasks))
    assert "exit code 3" in failed(lambda: waiter.result(MINUTE))
    assert results(client.jobs.get_run(waiter.run_id)) == {"bad": "FAILED", "good": "SUCCESS"}


@pytest.mark.shows("jobs: retries", client="databricks-sdk")
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


@pytest.mark.shows("jobs: repairs", client="databricks-sdk")
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


@pytest.mark.parametrize(
    ("request_", "chosen"),
    [
        ({"rerun_all_failed_tasks": True}, {"train"}),
        ({"rerun_all_failed_tasks": True, "rerun_dependent_tasks": True}, {"train", "score", "marts"}),
        ({"rerun_tasks": ["score"]}, {"score"}),
        ({"rerun_tasks": ["score"], "rerun_dependent_tasks": True}, {"score", "marts"}),
    ],
)
def test_a_repair_reaches_dependent_tasks_where_it_is_asked_to(request_: dict[str, Any], chosen: set[str]) -> None:
    needs = {"ingest": [], "train": ["ingest"], "score": ["train"], "marts": ["score"]}
    tasks = [{"task_key": key, "depends_on": [{"task_key": name} for name in names]} for key, names in needs.items()]
    latest = {key: {"state": {"result_state": "FAILED" if key == "train" else "SUCCESS"}} for key in needs}
    assert tasks_to_run(tasks, latest, request_) == chosen


@pytest.mark.shows("jobs: timeout of a task", client="databricks-sdk")
def test_a_timeout_ends_the_program(cloud: LocalWorkspace, tmp_path: Any) -> None:
    marker = tmp_path / "pid"
    job_id = create(cloud, task("slow", "sleep", parameters={"marker": str(marker)}, timeout_seconds=LIMIT_SECONDS))
    waiter = cloud.client().jobs.run_now(job_id)
    failed(lambda: waiter.result(MINUTE))
    assert results(cloud.client().jobs.get_run(waiter.run_id)) == {"slow": "TIMEDOUT"}
    assert not psutil.pid_exists(int(marker.read_text()))


@pytest.mark.shows("jobs: timeout of a job", client="databricks-sdk")
def test_a_jobs_timeout_ends_the_run(cloud: LocalWorkspace, tmp_path: Any) -> None:
    parameters = {"marker": str(tmp_path / "pid")}
    job_id = create(cloud, task("slow", "sleep", parameters=parameters), timeout_seconds=LIMIT_SECONDS)
    run = cloud.client().jobs.run_now(job_id).result(MINUTE)
    assert run.state.result_state is jobs.RunResultState.TIMEDOUT
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@pytest.mark.shows("jobs: cancellation", client="databricks-sdk")
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


@pytest.mark.shows("jobs: a killed task is a failure that says so", client="databricks-sdk")
def test_a_killed_program_is_a_failure_that_says_so(cloud: LocalWorkspace, tmp_path: Any) -> None:
    client = cloud.client()
    marker = tmp_path / "pid"
    waiter = client.jobs.run_now(create(cloud, task("slow", "sleep", parameters={"marker": str(marker)})))
    os.kill(int(wait_for(lambda: marker.exists() and marker.read_text())), signal.SIGKILL)
    assert "ended by signal 9" in failed(lambda: waiter.result(MINUTE))


def test_a_run_that_has_ended_is_not_stopped(tmp_path: Path) -> None:
    workspace = Workspace(LocalSettings(tmp_path), Store(tmp_path / "workspace.sqlite"))
    settings = {"tasks": [], "timeout_seconds": 0}
    document = {"run_id": 1, "settings": settings, "attempts": [], "repair_history": [], "start_time": 0}
    run = ActiveRun(workspace, Slots(1), document, [], {}, tmp_path)
    run.run()
    run.stop(CANCELED)
    stored = workspace.store.get("runs", "1")
    assert stored is not None
    assert (stored["state"]["life_cycle_state"], stored["state"]["result_state"]) == ("TERMINATED", "SUCCESS")


def test_a_run_that_has_ended_leaves_its_place_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(LocalSettings(tmp_path), Store(tmp_path / "workspace.sqlite"))
    noticed, released, follow = threading.Event(), threading.Event(), JobRuns._follow

    def later(self: JobRuns, run: ActiveRun) -> None:
        noticed.wait(60)
        follow(self, run)

    monkeypatch.setattr(JobRuns, "_follow", later)
    monkeypatch.setattr(tasks, "run", lambda *_: SUCCESS)
    only = {"task_key": "one", "python_wheel_task": {}, "run_if": "ALL_SUCCESS", "timeout_seconds": 0}
    limits = {"max_concurrent_runs": 1, "timeout_seconds": 0, "queue": {"enabled": False}}
    job = {"job_id": 1, "creator_user_name": "me", "settings": {"name": "job", "tasks": [only], **limits}}
    workspace.store.put("jobs", "1", job)
    runs = JobRuns(workspace)

    def state(run: Document) -> str:
        return str(runs.get(run["run_id"])["state"]["life_cycle_state"])

    first = runs.run_now(job, "me")
    wait_for(lambda: state(first) == "TERMINATED")
    monkeypatch.setattr(tasks, "run", lambda *_: SUCCESS if released.wait(60) else None)
    second = runs.run_now(job, "me")
    assert state(second) != "SKIPPED"
    third = runs.run_now(job, "me", queue=True)
    noticed.set()  # that the first has ended, which is no place for the third
    wait_for(lambda: first["run_id"] not in runs._active)
    with runs._slots.changed:
        assert state(third) == "QUEUED"
    released.set()
    wait_for(lambda: state(third) == "TERMINATED")


@pytest.mark.shows("jobs: no run hangs after a restart of the workspace", client="databricks-sdk")
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
