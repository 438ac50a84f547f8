"""Continuous jobs through the official SDK: one run is always active, whatever becomes of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import BadRequest
from databricks.sdk.service import jobs

from tests.local.conftest import LocalWorkspace, opened
from tests.local.job_tasks import create, task, wait_for, with_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAUSED, UNPAUSED = jobs.PauseStatus.PAUSED, jobs.PauseStatus.UNPAUSED


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace of its own, as it is killed."""
    with opened(tmp_path_factory.mktemp("continuous-jobs")) as made:
        yield with_tasks(made)


@pytest.fixture
def job(cloud: LocalWorkspace, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """A continuous job whose one task does what the test's parameter says, into a file `marker`."""
    name, more = request.param
    parameters = {"marker": str(tmp_path / "marker"), **more.pop("parameters", {})}
    continuous = jobs.Continuous(pause_status=UNPAUSED, **more)
    job_id = create(cloud, task("one", name, parameters=parameters), continuous=continuous)
    yield job_id
    cloud.client().jobs.delete(job_id)
    wait_for(lambda: not active(cloud, job_id))


def active(cloud: LocalWorkspace, job_id: int) -> list[jobs.BaseRun]:
    return list(cloud.client().jobs.list_runs(job_id=job_id, active_only=True))


def running(cloud: LocalWorkspace, job_id: int, other_than: int = 0) -> jobs.BaseRun:
    """Waits for a run whose task runs, and returns it."""

    def found() -> jobs.BaseRun | None:
        runs = [run for run in active(cloud, job_id) if run.run_id != other_than]
        return next((run for run in runs if run.state.life_cycle_state is jobs.RunLifeCycleState.RUNNING), None)

    run: jobs.BaseRun = wait_for(found, 60)
    return run


@pytest.mark.shows("jobs: continuous, restart by run-now, pause, cancel, restart", client="databricks-sdk")
@pytest.mark.parametrize("job", [("sleep", {})], indirect=True)
def test_one_run_is_always_active_until_the_job_is_paused(cloud: LocalWorkspace, job: int, tmp_path: Any) -> None:
    client = cloud.client()
    first = running(cloud, job)
    assert first.trigger is jobs.TriggerType.CONTINUOUS
    wait_for((tmp_path / "marker").exists)
    client.jobs.cancel_run(first.run_id)
    second = running(cloud, job, first.run_id)
    assert [run.run_id for run in active(cloud, job)] == [second.run_id]
    third = client.jobs.run_now(job).run_id
    wait_for(lambda: [run.run_id for run in active(cloud, job)] == [third], 60)
    assert running(cloud, job).trigger is jobs.TriggerType.CONTINUOUS_RESTART

    for kill in (False, True):
        before = running(cloud, job).run_id
        cloud.kill("workspace") if kill else cloud.stop("workspace")
        cloud.start()
        running(cloud, job, before)

    client.jobs.update(job, new_settings=jobs.JobSettings(continuous=jobs.Continuous(pause_status=PAUSED)))
    wait_for(lambda: not active(cloud, job), 60)
    once = client.jobs.run_now(job).run_id
    assert running(cloud, job).run_id == once
    client.jobs.cancel_run(once)
    wait_for(lambda: not active(cloud, job), 60)
    client.jobs.update(job, new_settings=jobs.JobSettings(continuous=jobs.Continuous(pause_status=UNPAUSED)))
    running(cloud, job)


@pytest.mark.shows("jobs: continuous, failed runs start again with growing pauses", client="databricks-sdk")
@pytest.mark.parametrize("job", [("fail-until", {"parameters": {"failures": "3"}})], indirect=True)
def test_failed_runs_start_again_with_growing_pauses(cloud: LocalWorkspace, job: int) -> None:
    client = cloud.client()

    def ended() -> list[jobs.BaseRun]:
        return list(client.jobs.list_runs(job_id=job, completed_only=True))[::-1]

    wait_for(lambda: len(ended()) >= 5, 90)
    results = [run.state.result_state.value for run in ended()[:5]]
    assert results == ["FAILED", "FAILED", "FAILED", "SUCCESS", "SUCCESS"], "a run that ends well is followed too"
    runs = ended()[:4]
    pauses = [later.start_time - earlier.end_time for earlier, later in itertools.pairwise(runs)]
    assert pauses[0] >= 1000
    assert pauses[1] >= 2000
    assert pauses[2] >= 4000


@pytest.mark.shows("jobs: continuous, task_retry_mode ON_FAILURE", client="databricks-sdk")
@pytest.mark.parametrize(
    "job",
    [("fail-until", {"parameters": {"failures": "1"}, "task_retry_mode": jobs.TaskRetryMode.ON_FAILURE})],
    indirect=True,
)
def test_a_failed_task_is_tried_again_within_its_run(cloud: LocalWorkspace, job: int) -> None:
    client = cloud.client()
    done = wait_for(lambda: list(client.jobs.list_runs(job_id=job, completed_only=True)), 60)
    first = client.jobs.get_run(done[-1].run_id, include_history=True)
    assert [item.attempt_number for item in first.tasks or []] == [0, 1]
    assert first.state.result_state is jobs.RunResultState.SUCCESS


@pytest.mark.parametrize(
    ("tasks", "settings", "text"),
    [
        ([task("one", "show"), task("two", "show", after=("one",))], {}, "depends_on"),
        ([task("one", "show", max_retries=2)], {}, "max_retries"),
        ([task("one", "show")], {"max_concurrent_runs": 2}, "max_concurrent_runs"),
        (
            [task("one", "show")],
            {"schedule": jobs.CronSchedule(quartz_cron_expression="0 0 4 * * ?", timezone_id="UTC")},
            "either continuous or schedule",
        ),
    ],
)
@pytest.mark.shows("jobs: continuous, no dependencies, retries or schedule", client="databricks-sdk")
def test_what_a_continuous_job_cannot_have_is_refused(
    cloud: LocalWorkspace, tasks: list[jobs.Task], settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadRequest, match=text):
        create(cloud, *tasks, continuous=jobs.Continuous(pause_status=PAUSED), **settings)
