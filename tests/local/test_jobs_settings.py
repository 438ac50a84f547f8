"""Settings of jobs, their identity, and the start of their runs, through the official SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.service import compute, jobs

from tests.local.job_tasks import MINUTE, WHEEL, create, failed, robot, task, wait_for, with_tasks

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace


@pytest.fixture(scope="module")
def cloud(workspace: LocalWorkspace) -> LocalWorkspace:
    return with_tasks(workspace)


@pytest.mark.shows("jobs: queue, max_concurrent_runs, cancellation of all runs", client="databricks-sdk")
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


@pytest.mark.shows("jobs: run_as", client="databricks-sdk")
def test_a_task_runs_as_the_jobs_principal(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    application_id = robot(cloud, "jobs robot").application_id
    job_id = create(cloud, task("one", "show"), run_as=jobs.JobRunAs(service_principal_name=application_id))
    assert client.jobs.get(job_id).run_as_user_name == application_id
    run = client.jobs.run_now(job_id).result(MINUTE)
    assert f"me {application_id}" in client.jobs.get_run_output(run.tasks[0].run_id).logs


@pytest.mark.shows("jobs: Quartz schedules", client="databricks-sdk")
def test_a_schedule_starts_runs_until_it_is_paused(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    schedule = jobs.CronSchedule("* * * * * ?", "Europe/Zurich")
    due = jobs.JobParameterDefinition("due", "{{job.trigger.time.timestamp_ms}}")
    job_id = create(cloud, task("one", "show"), schedule=schedule, parameters=[due])
    run = wait_for(lambda: list(client.jobs.list_runs(job_id=job_id)))[-1]
    assert run.trigger is jobs.TriggerType.PERIODIC
    triggered_ms = int(run.job_parameters[0].value)  # a schedule's moment is rounded down to its minute
    assert (triggered_ms % 60_000, run.start_time - triggered_ms < 70_000) == (0, True)
    schedule.pause_status = jobs.PauseStatus.PAUSED
    client.jobs.update(job_id, new_settings=jobs.JobSettings(schedule=schedule))
    wait_for(lambda: not list(client.jobs.list_runs(job_id=job_id, active_only=True)), 60)
    count = len(list(client.jobs.list_runs(job_id=job_id)))
    time.sleep(3)  # three fires of the schedule, were it not paused
    assert len(list(client.jobs.list_runs(job_id=job_id))) == count
    client.jobs.delete(job_id)


def test_a_job_whose_principal_is_gone_stops_no_other_schedule(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    principal = robot(cloud, "short-lived robot")
    schedule = jobs.CronSchedule("* * * * * ?", "UTC")
    orphan = create(
        cloud,
        task("one", "show"),
        name="orphan",
        schedule=schedule,
        run_as=jobs.JobRunAs(service_principal_name=principal.application_id),
    )
    client.service_principals.delete(principal.id)
    wait_for(lambda: f"the schedule of job {orphan} started no run" in cloud.log("workspace"))
    other = create(cloud, task("one", "show"), schedule=schedule)
    wait_for(lambda: list(client.jobs.list_runs(job_id=other)))
    for job_id in (orphan, other):
        client.jobs.delete(job_id)


@pytest.mark.shows("jobs: settings are reset, updated, listed and deleted", client="databricks-sdk")
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
    ({"tasks": [{**ONE, "max_retries": -2}]}, 400, "tasks[0].max_retries is -2"),
    ({"tasks": [{**ONE, "timeout_seconds": -1}]}, 400, "tasks[0].timeout_seconds is -1"),
    ({"timeout_seconds": -1}, 400, "timeout_seconds is -1"),
    ({"environments": [{"environment_key": "default"}] * 2}, 400, "environments[1].environment_key"),
    ({"job_clusters": [{"job_cluster_key": "main", "new_cluster": {}}] * 2}, 400, "job_clusters[1].job_cluster_key"),
    ({"schedule": {"quartz_cron_expression": "0 0 5 * *", "timezone_id": "UTC"}}, 400, "schedule"),
    ({"schedule": {"quartz_cron_expression": "0 0 5 * * ?", "timezone_id": "Mars"}}, 400, "Mars"),
    ({"run_as": {"service_principal_name": "nobody"}}, 400, "run_as"),
    (
        {"continuous": {"maintenance_window": {"start_hour": 1, "day_of_week": "MONDAY", "timezone_id": "UTC"}}},
        501,
        "continuous.maintenance_window",
    ),
    (
        {"tasks": [{"task_key": "a", "pipeline_task": {"pipeline_id": "gone"}}]},
        400,
        "tasks[0].pipeline_task.pipeline_id",
    ),
    ({"parameters": [{"name": "day", "default": "{{jobs.id}}"}]}, 400, "parameters[0].default"),
]


@pytest.mark.shows("jobs: wrong settings are refused by name", client="httpx")
@pytest.mark.parametrize(("settings", "status", "named"), WRONG, ids=[named for _, _, named in WRONG])
def test_wrong_settings_are_refused_by_name(
    cloud: LocalWorkspace, settings: dict[str, Any], status: int, named: str
) -> None:
    sent = {"name": "wrong", "environments": [{"environment_key": "default"}], **settings}
    answer = cloud.http().post("/api/2.2/jobs/create", json=sent)
    assert answer.status_code == status
    assert named in answer.json()["message"]


@pytest.mark.shows("jobs: a missing library is named", client="databricks-sdk")
def test_a_missing_wheel_fails_the_task_and_names_it(cloud: LocalWorkspace) -> None:
    environment = jobs.JobEnvironment("default", compute.Environment(dependencies=["/Workspace/Shared/none.whl"]))
    created = cloud.client().jobs.create(name="none", tasks=[task("a", "show")], environments=[environment])
    waiter = cloud.client().jobs.run_now(created.job_id)
    assert "/Workspace/Shared/none.whl" in failed(lambda: waiter.result(MINUTE))
    details = cloud.client().jobs.get_run(waiter.run_id).tasks[0].status.termination_details
    assert details.code is jobs.TerminationCodeCode.LIBRARY_INSTALLATION_ERROR


@pytest.mark.shows("jobs: a requirement that the environment does not meet fails the task", client="databricks-sdk")
@pytest.mark.parametrize("on_cluster", [True, False])
def test_another_version_than_a_requirements_file_pins_fails_the_task(cloud: LocalWorkspace, on_cluster: bool) -> None:
    file = "/Workspace/Shared/requirements.txt"
    (cloud.settings.workspace_files / "Shared" / "requirements.txt").write_text("# pinned\npandas==1.5.3\n")
    asked = task("a", "show")
    environment = jobs.JobEnvironment("default", compute.Environment(dependencies=[f"-r {file}"]))
    if on_cluster:
        asked.environment_key = None
        asked.new_cluster = compute.ClusterSpec(spark_version="17.3.x-scala2.13", num_workers=1)
        asked.libraries = [compute.Library(requirements=file), compute.Library(whl=WHEEL)]
    created = cloud.client().jobs.create(name="pinned", tasks=[asked], environments=[environment])
    message = failed(lambda: cloud.client().jobs.run_now(created.job_id).result(MINUTE))
    assert f"{file}, line 2: dependency 'pandas==1.5.3' does not fit the local environment" in message
