"""A resource for a run that others depend on: one run of a job, or one update of a pipeline.

The provider runs in a process of its own, which imports this module by name. Credentials come from the environment of
that process (DATABRICKS_TOKEN or any other that the Databricks SDK knows) and never enter the state.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.errors import RunFailedError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run

POLL_SECONDS = 2.0
ENDED = ("COMPLETED", "FAILED", "CANCELED")  # states of an update
# A change of these properties asks for another run; a change of the others (address, timeout) does not.
REPLACING = ("job_id", "pipeline_id", "fingerprint")


@dataclass(frozen=True)
class RunOnceArgs:
    """Inputs of `RunOnce`: exactly one of `job_id` and `pipeline_id` is given.

    Attributes:
        host: URL of the workspace, from the settings.
        fingerprint: What the run depends on; another fingerprint asks for another run.
        job_id: The job to run.
        pipeline_id: The pipeline to update.
        timeout_minutes: Minutes to wait for the end.
    """

    host: str
    fingerprint: str
    job_id: pulumi.Input[str] | None = None
    pipeline_id: pulumi.Input[str] | None = None
    timeout_minutes: int = 30


class RunOnceProvider(ResourceProvider):
    """Provider whose resources are runs: to create one is to run."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Runs the job or updates the pipeline, and waits for the end.

        Args:
            props: The resource's inputs.

        Raises:
            RunFailedError: The run did not succeed, or not in time.
        """
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(host=props["host"])
        timeout = timedelta(minutes=float(props["timeout_minutes"]))
        if "job_id" in props:
            run_id, url = _run_job(client, int(props["job_id"]), timeout)
        else:
            run_id, url = _update_pipeline(client, props["pipeline_id"], timeout)
        return CreateResult(run_id, {**props, "run_url": url})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compares the state with the inputs; see `REPLACING`."""
        changed = [key for key in (*REPLACING, "host", "timeout_minutes") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key in REPLACING])

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Keeps the run, and takes over the address and the timeout."""
        return UpdateResult({**news, "run_url": olds["run_url"]})


class RunOnce(Resource, module="churn", name="RunOnce"):
    """One finished run. Deleting the resource undoes nothing."""

    run_url: pulumi.Output[str]

    def __init__(self, name: str, args: RunOnceArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the run.

        Raises:
            ValueError: Neither a job nor a pipeline is given, or both.
        """
        if (args.job_id is None) == (args.pipeline_id is None):
            raise ValueError(f"RunOnce {name}: give either job_id or pipeline_id")
        properties: dict[str, Any] = {
            "host": args.host,
            "fingerprint": args.fingerprint,
            "timeout_minutes": args.timeout_minutes,
            "run_url": None,  # declares the output; the engine drops inputs that are None
        }
        properties |= {"pipeline_id": args.pipeline_id} if args.job_id is None else {"job_id": args.job_id}
        super().__init__(RunOnceProvider(), name, properties, opts)


def _run_job(client: WorkspaceClient, job_id: int, timeout: timedelta) -> tuple[str, str]:
    """Runs a job to its end, and gives the id and the page of the run."""
    from databricks.sdk.errors import OperationFailed

    # The token makes the service start one run even if the request is sent twice.
    waiter = client.jobs.run_now(job_id=job_id, idempotency_token=uuid.uuid4().hex)
    run_id = waiter.run_id
    try:
        run = waiter.result(timeout=timeout)
    except (OperationFailed, TimeoutError):
        run = client.jobs.get_run(run_id)
    url = run.run_page_url or f"{client.config.host}/jobs/{job_id}/runs/{run_id}"
    state = run.state.result_state.value if run.state and run.state.result_state else "not finished"
    if state != "SUCCESS":
        raise RunFailedError(f"job {job_id}, run {run_id}: {state} ({url}){_failed_tasks(client, run)}")
    return str(run_id), url


def _failed_tasks(client: WorkspaceClient, run: Run) -> str:
    """Writes a line for each task that failed: what the task itself says, else what the service says of it."""
    text = ""
    for task in run.tasks or []:
        result = task.state.result_state.value if task.state and task.state.result_state else ""
        if result in ("FAILED", "TIMEDOUT", "CANCELED") and task.run_id is not None:
            error = client.jobs.get_run_output(task.run_id).error
            text += f"\n  task {task.task_key}: {result}: {error or (task.state and task.state.state_message)}"
    return text


def _update_pipeline(client: WorkspaceClient, pipeline_id: str, timeout: timedelta) -> tuple[str, str]:
    """Updates a pipeline, waits for the end, and gives the id and the page of the update that succeeded."""
    deadline = time.monotonic() + timeout.total_seconds()
    update_id: str | None = _start_update(client, pipeline_id, deadline)
    while update_id:
        url = f"{client.config.host}/pipelines/{pipeline_id}/updates/{update_id}"
        state = _end_of_update(client, pipeline_id, update_id, deadline)
        if state == "COMPLETED":
            return update_id, url
        failed, update_id = update_id, _retry(client, pipeline_id, update_id, deadline) if state == "FAILED" else None
    errors = [
        f"\n  {event.origin.flow_name or event.origin.dataset_name or 'pipeline'}: {event.message}"
        for event in client.pipelines.list_pipeline_events(pipeline_id, filter="level='ERROR'", max_results=25)
        if event.origin and event.origin.update_id == failed
    ]
    raise RunFailedError(f"pipeline {pipeline_id}, update {failed}: {state} ({url}){''.join(errors)}")


def _start_update(client: WorkspaceClient, pipeline_id: str, deadline: float) -> str:
    """Starts an update as soon as no other one is active: the service refuses a second one."""
    from databricks.sdk.errors import ResourceConflict

    while True:
        try:
            return str(client.pipelines.start_update(pipeline_id).update_id)
        except ResourceConflict as conflict:
            if time.monotonic() > deadline:
                raise RunFailedError(f"pipeline {pipeline_id}: not started in time: {conflict}") from conflict
        time.sleep(POLL_SECONDS)


def _end_of_update(client: WorkspaceClient, pipeline_id: str, update_id: str, deadline: float) -> str:
    """Waits for the end of an update, and gives its last state."""
    state = "not started"
    while time.monotonic() < deadline:
        update = client.pipelines.get_update(pipeline_id, update_id).update
        state = update.state.value if update and update.state else state
        if state in ENDED:
            break
        time.sleep(POLL_SECONDS)
    return state


def _retry(client: WorkspaceClient, pipeline_id: str, failed: str, deadline: float) -> str | None:
    """Finds the update by which the service itself retries a failed one; None when it gives up."""
    from databricks.sdk.service.pipelines import PipelineState, UpdateInfoCause

    while time.monotonic() < deadline:
        pipeline = client.pipelines.get(pipeline_id)
        newest = pipeline.latest_updates[0].update_id if pipeline.latest_updates else failed
        if newest and newest != failed:
            update = client.pipelines.get_update(pipeline_id, newest).update
            return newest if update and update.cause is UpdateInfoCause.RETRY_ON_FAILURE else None
        if pipeline.state in (PipelineState.IDLE, PipelineState.FAILED):
            return None
        time.sleep(POLL_SECONDS)
    return None
