"""Routes of the Jobs API 2.2."""

from typing import Annotated

from databricks.sdk.service import jobs as sdk
from fastapi import APIRouter

from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity.run_as import check_run_as
from local.workspace.jobs import answers, settings, tasks
from local.workspace.jobs.documents import JOBS, RUNS, TASK_RUNS, AttemptDocument, JobDocument, RunDocument
from local.workspace.jobs.runtime import JobRuns
from local.workspace.jobs.states import is_active

router = APIRouter()
_API = "/api/2.2/jobs"

# Fields of `run-now` and `repair`; the SDK can also send parameters of kinds of tasks that are not built.
_RUN_NOW = ("job_id", "job_parameters", "queue", "idempotency_token", "performance_target")
_REPAIR = (
    "run_id",
    "job_parameters",
    "latest_repair_id",
    "rerun_all_failed_tasks",
    "rerun_dependent_tasks",
    "rerun_tasks",
    "performance_target",
)


_PAGE = 100  # jobs of a page at most
_RUNS_PAGE = 26


def start(workspace: Workspace) -> None:
    """Starts the area: ends the runs that an earlier process left active, and starts the scheduler."""
    workspace.add_service(JobRuns(workspace))
    _runs(workspace).start()


def stop(workspace: Workspace) -> None:
    """Stops all runs, and waits until they have ended."""
    _runs(workspace).close()


def _runs(workspace: Workspace) -> JobRuns:
    return workspace.service(JobRuns)


def _job(workspace: Workspace, job_id: int) -> JobDocument:
    return workspace.find(JOBS, str(job_id), f"Job {job_id} does not exist.")


def _check_fields(request: Document, known: tuple[str, ...]) -> None:
    for name in request:
        if name not in known:
            raise not_built(f"{name} of a run")


@router.post(f"{_API}/create")
def create(
    request: Annotated[Document, body(sdk.JobsAPI.create, {"access_control_list": list})],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    if request.pop("access_control_list", None):
        raise not_built("access_control_list of a job (use /api/2.0/permissions/jobs)")
    checked = settings.checked(workspace, request)
    check_run_as(workspace, caller, request, any_user=caller.admin)
    job_id = workspace.store.next_id(JOBS)
    job: JobDocument = {
        "job_id": job_id,
        "creator_user_name": caller.name,
        "created_time": now_ms(),
        "settings": checked,
    }
    workspace.store.put(JOBS, str(job_id), job)
    return {"job_id": job_id}


@router.get(f"{_API}/get")
def get(workspace: WorkspaceDep, job_id: int) -> Document:
    return _shown(_job(workspace, job_id))


def _shown(job: JobDocument) -> Document:
    run_as = job["settings"].get("run_as", {})
    name = run_as.get("service_principal_name") or run_as.get("user_name") or job["creator_user_name"]
    return {**job, "run_as_user_name": name}


@router.get(f"{_API}/list")
def list_jobs(
    workspace: WorkspaceDep, name: str = "", limit: int = 20, page_token: str = "", expand_tasks: bool = False
) -> Document:
    jobs = [_shown(job) for _, job in workspace.store.items(JOBS)]
    jobs = [job for job in reversed(jobs) if not name or job["settings"]["name"].lower() == name.lower()]
    if not expand_tasks:
        for job in jobs:
            job["settings"] = {key: value for key, value in job["settings"].items() if key != "tasks"}
    return _with_more(page(jobs, "jobs", limit, page_token, most=_PAGE))


@router.post(f"{_API}/reset")
def reset(request: Annotated[Document, body(sdk.JobsAPI.reset)], workspace: WorkspaceDep, caller: Caller) -> Document:
    with workspace.store.transaction():
        job = _job(workspace, request["job_id"])
        job["settings"] = settings.checked(workspace, request["new_settings"], "new_settings.")
        check_run_as(workspace, caller, request["new_settings"], "new_settings.", any_user=caller.admin)
        workspace.store.put(JOBS, str(request["job_id"]), job)
    _runs(workspace).settings_changed(job)
    return {}


@router.post(f"{_API}/update")
def update(request: Annotated[Document, body(sdk.JobsAPI.update)], workspace: WorkspaceDep, caller: Caller) -> Document:
    with workspace.store.transaction():
        job = _job(workspace, request["job_id"])
        new = settings.merged(job["settings"], request.get("new_settings", {}), request.get("fields_to_remove", []))
        job["settings"] = settings.checked(workspace, new, "new_settings.")
        check_run_as(workspace, caller, request.get("new_settings", {}), "new_settings.", any_user=caller.admin)
        workspace.store.put(JOBS, str(request["job_id"]), job)
    _runs(workspace).settings_changed(job)
    return {}


@router.post(f"{_API}/delete")
def delete(request: Annotated[Document, body(sdk.JobsAPI.delete)], workspace: WorkspaceDep) -> Document:
    _job(workspace, request["job_id"])
    workspace.store.delete(JOBS, str(request["job_id"]))
    _runs(workspace).cancel_all(request["job_id"])
    return {}


@router.post(f"{_API}/run-now")
def run_now(
    request: Annotated[Document, body(sdk.JobsAPI.run_now)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    _check_fields(request, _RUN_NOW)
    run = _runs(workspace).run_now(
        _job(workspace, request["job_id"]),
        caller.name,
        request.get("job_parameters"),
        queue=request["queue"]["enabled"] if "queue" in request else None,
        idempotency_token=request.get("idempotency_token"),
    )
    return {"run_id": run["run_id"], "number_in_job": run["number_in_job"]}


@router.get(f"{_API}/runs/get")
def get_run(workspace: WorkspaceDep, run_id: int, include_history: bool = False) -> Document:
    run, attempt = _find(workspace, run_id)
    if attempt is not None:
        return answers.of_attempt(workspace, run, attempt)
    return answers.of_run(workspace, run, history=include_history)


@router.get(f"{_API}/runs/list")
def list_runs(
    workspace: WorkspaceDep,
    job_id: int | None = None,
    active_only: bool = False,
    completed_only: bool = False,
    expand_tasks: bool = False,
    start_time_from: int = 0,
    start_time_to: int | None = None,
    run_type: sdk.RunType = sdk.RunType.JOB_RUN,
    limit: int = 25,
    page_token: str = "",
) -> Document:
    if active_only and completed_only:
        raise bad_request("active_only and completed_only cannot both be true")
    runs = [run for _, run in reversed(workspace.store.items(RUNS))]
    shown = [
        answers.of_run(workspace, run, expand_tasks=expand_tasks)
        for run in runs
        if (job_id is None or run["job_id"] == job_id)
        and not (active_only and not is_active(run))
        and not (completed_only and is_active(run))
        and start_time_from <= run["start_time"]
        and (start_time_to is None or run["start_time"] <= start_time_to)
        and run_type is sdk.RunType.JOB_RUN
    ]
    return _with_more(page(shown, "runs", limit, page_token, most=_RUNS_PAGE))


@router.get(f"{_API}/runs/get-output")
def get_output(workspace: WorkspaceDep, run_id: int) -> Document:
    run, attempt = _find(workspace, run_id)
    if attempt is None:
        if len(run["settings"]["tasks"]) != 1:
            raise bad_request(
                "Retrieving the output of runs with multiple tasks is not supported. "
                "Please retrieve the output of each individual task run instead."
            )
        attempt = run["attempts"][-1]
    answer = {"metadata": answers.of_attempt(workspace, run, attempt)}
    state = attempt["state"]
    if state.get("result_state") == "FAILED":
        answer["error"] = state["state_message"]
    return answer | tasks.output(workspace.settings.run_dir / str(attempt["run_id"]))


@router.post(f"{_API}/runs/cancel")
def cancel_run(request: Annotated[Document, body(sdk.JobsAPI.cancel_run)], workspace: WorkspaceDep) -> Document:
    _runs(workspace).cancel(request["run_id"])
    return {}


@router.post(f"{_API}/runs/cancel-all")
def cancel_all(request: Annotated[Document, body(sdk.JobsAPI.cancel_all_runs)], workspace: WorkspaceDep) -> Document:
    _check_fields(request, ("job_id",))
    if "job_id" not in request:
        raise bad_request("missing field job_id")
    _job(workspace, request["job_id"])
    _runs(workspace).cancel_all(request["job_id"])
    return {}


@router.post(f"{_API}/runs/repair")
def repair_run(request: Annotated[Document, body(sdk.JobsAPI.repair_run)], workspace: WorkspaceDep) -> Document:
    _check_fields(request, _REPAIR)
    return {"repair_id": _runs(workspace).repair(request["run_id"], request)}


def _find(workspace: Workspace, run_id: int) -> tuple[RunDocument, AttemptDocument | None]:
    """A run, or the run and its attempt of that id."""
    parent = workspace.store.get(TASK_RUNS, str(run_id))
    if parent is None:
        return _runs(workspace).get(run_id), None
    run = _runs(workspace).get(parent["run_id"])
    return run, next(attempt for attempt in run["attempts"] if attempt["run_id"] == run_id)


def _with_more(answer: Document) -> Document:
    return {**answer, "has_more": "next_page_token" in answer}
