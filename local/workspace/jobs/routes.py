"""Routes of the Jobs API 2.2."""

import time
from typing import Annotated, Any

from databricks.sdk.service import jobs as sdk
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import settings, tasks
from .runtime import JobRuns
from .states import is_active

router = APIRouter()
_API = "/api/2.2/jobs"

# What `run-now` and `repair` of the SDK can send, and this does not know: parameters of other kinds of tasks.
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


def start(here: Workspace) -> None:
    runs = here.running[JobRuns] = JobRuns(here)
    runs.start()


def stop(here: Workspace) -> None:
    here.running[JobRuns].close()


def _runs(here: Workspace) -> JobRuns:
    found: JobRuns = here.running[JobRuns]
    return found


def _job(here: Workspace, job_id: int) -> Document:
    job = here.store.get("jobs", str(job_id))
    if job is None:
        raise not_found(f"Job {job_id} does not exist.")
    return job


def _only(sent: Document, known: tuple[str, ...]) -> None:
    for name in sent:
        if name not in known:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{name} is not part of the local workspace")


@router.post(f"{_API}/create")
def create(
    sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.create, {"access_control_list": list}))],
    here: Here,
    caller: Caller,
) -> Document:
    if sent.pop("access_control_list", None):
        raise ApiError(501, "NOT_IMPLEMENTED", "access_control_list of a job: use /api/2.0/permissions/jobs")
    job_id = here.store.next_id("jobs")
    job = {
        "job_id": job_id,
        "creator_user_name": caller.name,
        "created_time": int(time.time() * 1000),
        "settings": settings.checked(here, sent),
    }
    here.store.put("jobs", str(job_id), job)
    return {"job_id": job_id}


@router.get(f"{_API}/get")
def get(here: Here, job_id: int) -> Document:
    return _shown(_job(here, job_id))


def _shown(job: Document) -> Document:
    run_as = job["settings"].get("run_as", {})
    name = run_as.get("service_principal_name") or run_as.get("user_name") or job["creator_user_name"]
    return {**job, "run_as_user_name": name}


@router.get(f"{_API}/list")
def list_jobs(
    here: Here, name: str = "", limit: int = 20, page_token: str = "", expand_tasks: bool = False
) -> Document:
    found = [_shown(job) for _, job in here.store.items("jobs")]
    found = [job for job in reversed(found) if not name or job["settings"]["name"].lower() == name.lower()]
    if not expand_tasks:
        for job in found:
            job["settings"] = {key: value for key, value in job["settings"].items() if key != "tasks"}
    return _with_more(page(found, "jobs", limit, page_token))


@router.post(f"{_API}/reset")
def reset(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.reset))], here: Here) -> Document:
    with here.store.transaction():
        job = _job(here, sent["job_id"])
        job["settings"] = settings.checked(here, sent["new_settings"], "new_settings.")
        here.store.put("jobs", str(sent["job_id"]), job)
    return {}


@router.post(f"{_API}/update")
def update(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.update))], here: Here) -> Document:
    with here.store.transaction():
        job = _job(here, sent["job_id"])
        new = settings.merged(job["settings"], sent.get("new_settings", {}), sent.get("fields_to_remove", []))
        job["settings"] = settings.checked(here, new, "new_settings.")
        here.store.put("jobs", str(sent["job_id"]), job)
    return {}


@router.post(f"{_API}/delete")
def delete(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.delete))], here: Here) -> Document:
    _job(here, sent["job_id"])
    here.store.delete("jobs", str(sent["job_id"]))
    _runs(here).cancel_all(sent["job_id"])
    return {}


@router.post(f"{_API}/run-now")
def run_now(
    sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.run_now))], here: Here, caller: Caller
) -> Document:
    _only(sent, _RUN_NOW)
    run = _runs(here).run_now(
        _job(here, sent["job_id"]),
        caller.name,
        sent.get("job_parameters"),
        queue=sent["queue"]["enabled"] if "queue" in sent else None,
        idempotency_token=sent.get("idempotency_token"),
    )
    return {"run_id": run["run_id"], "number_in_job": run["number_in_job"]}


@router.get(f"{_API}/runs/get")
def get_run(here: Here, run_id: int, include_history: bool = False) -> Document:
    run, attempt = _find(here, run_id)
    if attempt is not None:
        return _task(here, run, attempt)
    return _run(here, run, history=include_history)


@router.get(f"{_API}/runs/list")
def list_runs(
    here: Here,
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
    found = [
        _run(here, run, expand_tasks=expand_tasks)
        for _, run in reversed(here.store.items("runs"))
        if (job_id is None or run["job_id"] == job_id)
        and not (active_only and not is_active(run))
        and not (completed_only and is_active(run))
        and start_time_from <= run["start_time"]
        and (start_time_to is None or run["start_time"] <= start_time_to)
        and run_type is sdk.RunType.JOB_RUN
    ]
    return _with_more(page(found, "runs", limit, page_token, most=26))


@router.get(f"{_API}/runs/get-output")
def get_output(here: Here, run_id: int) -> Document:
    run, attempt = _find(here, run_id)
    if attempt is None:
        if len(run["settings"]["tasks"]) != 1:
            raise bad_request(
                "Retrieving the output of runs with multiple tasks is not supported. "
                "Please retrieve the output of each individual task run instead."
            )
        attempt = run["attempts"][-1]
    answer = {"metadata": _task(here, run, attempt)}
    state = attempt["state"]
    if state.get("result_state") == "FAILED":
        answer["error"] = state["state_message"]
    return answer | tasks.output(here.settings.run_dir / str(attempt["run_id"]))


@router.post(f"{_API}/runs/cancel")
def cancel_run(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.cancel_run))], here: Here) -> Document:
    _runs(here).cancel(sent["run_id"])
    return {}


@router.post(f"{_API}/runs/cancel-all")
def cancel_all(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.cancel_all_runs))], here: Here) -> Document:
    _only(sent, ("job_id",))
    if "job_id" not in sent:
        raise bad_request("missing field job_id")
    _job(here, sent["job_id"])
    _runs(here).cancel_all(sent["job_id"])
    return {}


@router.post(f"{_API}/runs/repair")
def repair_run(sent: Annotated[dict[str, Any], Depends(body(sdk.JobsAPI.repair_run))], here: Here) -> Document:
    _only(sent, _REPAIR)
    return {"repair_id": _runs(here).repair(sent["run_id"], sent)}


def _find(here: Workspace, run_id: int) -> tuple[Document, Document | None]:
    """A job run, or the job run and the task run of that id."""
    parent = here.store.get("task_runs", str(run_id))
    if parent is None:
        return _runs(here).get(run_id), None
    run = _runs(here).get(parent["run_id"])
    return run, next(attempt for attempt in run["attempts"] if attempt["run_id"] == run_id)


def _run(here: Workspace, run: Document, *, expand_tasks: bool = True, history: bool = False) -> Document:
    given = run["settings"]
    hidden = ("settings", "attempts", "repair_history", "run_as", "idempotency_token")
    answer = {name: value for name, value in run.items() if name not in hidden}
    answer |= {
        "run_type": "JOB_RUN",
        "format": "MULTI_TASK",
        "run_page_url": _page_url(here, run),
        **{name: given[name] for name in ("job_clusters", "schedule") if name in given},
    }
    if expand_tasks:
        latest = {attempt["task_key"]: attempt for attempt in run["attempts"]}
        shown = run["attempts"] if history else list(latest.values())
        answer["tasks"] = [_task(here, run, attempt) for attempt in shown]
    if history:
        answer["repair_history"] = run["repair_history"]
    return answer


def _task(here: Workspace, run: Document, attempt: Document) -> Document:
    task: Document = next((task for task in run["settings"]["tasks"] if task["task_key"] == attempt["task_key"]), {})
    known = settings.values(run, attempt)
    shown = {kind: settings.resolved(task[kind], known) for kind in settings.TASK_KINDS if kind in task}
    return {
        **task,
        **shown,
        **attempt,
        "run_page_url": _page_url(here, run),
        "cleanup_duration": 0,
        "setup_duration": 0,
    }


def _with_more(answer: Document) -> Document:
    return {**answer, "has_more": "next_page_token" in answer}


def _page_url(here: Workspace, run: Document) -> str:
    return f"{here.settings.workspace_url}/?o={here.workspace_id}#job/{run['job_id']}/run/{run['run_id']}"
