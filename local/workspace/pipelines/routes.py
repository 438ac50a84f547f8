"""Routes of the Pipelines API."""

import re
import uuid
from datetime import UTC, datetime
from shutil import rmtree
from typing import Annotated, Any

from databricks.sdk.service import pipelines as sdk
from fastapi import APIRouter, Query

from local.workspace.core.clock import now_ms, timestamp
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.identity.run_as import check_run_as, run_as_name
from local.workspace.pipelines import events
from local.workspace.pipelines.documents import (
    BATCHES,
    EVENTS,
    PIPELINES,
    TABLES,
    UPDATES,
    PipelineDocument,
    UpdateDocument,
)
from local.workspace.pipelines.launch import storage
from local.workspace.pipelines.runtime import PipelineUpdates
from local.workspace.pipelines.settings import checked_spec
from local.workspace.pipelines.states import pipeline_state

router = APIRouter()
_API = "/api/2.0/pipelines"

_PAGE = 100  # items of a page at most


def start(workspace: Workspace) -> None:
    """Starts the area: ends the updates that an earlier process left active."""
    workspace.add_service(PipelineUpdates(workspace))
    _updates(workspace).open()


def stop(workspace: Workspace) -> None:
    """Stops all updates, and waits until they have ended."""
    _updates(workspace).close()


def _updates(workspace: Workspace) -> PipelineUpdates:
    return workspace.service(PipelineUpdates)


def _find(workspace: Workspace, pipeline_id: str) -> PipelineDocument:
    return workspace.find(PIPELINES, pipeline_id, f"The specified pipeline {pipeline_id} was not found.")


@router.post(_API)
def create(
    request: Annotated[Document, body(sdk.PipelinesAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    if request.get("dry_run"):
        raise not_built("dry_run of a pipeline")
    pipeline_id = str(uuid.uuid4())
    spec = checked_spec(workspace, request, pipeline_id)
    run_as = run_as_name(workspace, request)
    check_run_as(workspace, caller, request)
    pipeline: PipelineDocument = {
        "pipeline_id": pipeline_id,
        "name": spec["name"],
        "spec": spec,
        "creator_user_name": caller.name,
        "run_as_user_name": run_as or caller.name,
        "last_modified": now_ms(),
    }
    workspace.store.put(PIPELINES, pipeline_id, pipeline)
    if spec["continuous"]:
        _updates(workspace).start(pipeline_id, {}, "API_CALL")
    return {"pipeline_id": pipeline_id}


@router.get(f"{_API}/{{pipeline_id}}")
def get(pipeline_id: str, workspace: WorkspaceDep) -> Document:
    return {**_find(workspace, pipeline_id), **_state(workspace, pipeline_id)}


def _state(workspace: Workspace, pipeline_id: str) -> Document:
    """State, health and latest updates of a pipeline, newest first."""
    latest = _newest_first(workspace, pipeline_id)
    answer: Document = {**pipeline_state(latest)}
    if latest:
        answer["latest_updates"] = [
            {
                "update_id": update["update_id"],
                "state": update["state"],
                "creation_time": timestamp(datetime.fromtimestamp(update["creation_time"] / 1000, UTC)),
            }
            for update in latest[:5]
        ]
    return answer


def _newest_first(workspace: Workspace, pipeline_id: str) -> list[UpdateDocument]:
    return [update for _, update in reversed(workspace.store.items(UPDATES, f"{pipeline_id}/"))]


@router.put(f"{_API}/{{pipeline_id}}")
def edit(
    pipeline_id: str,
    request: Annotated[Document, body(sdk.PipelinesAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    with workspace.store.transaction():
        pipeline = _find(workspace, pipeline_id)
        expected = request.get("expected_last_modified")
        if expected and expected != pipeline["last_modified"]:
            message = f"the pipeline was modified at {pipeline['last_modified']}, not at {expected}"
            raise ApiError(409, "RESOURCE_CONFLICT", message)
        spec = checked_spec(workspace, request, pipeline_id)
        run_as = run_as_name(workspace, request)
        check_run_as(workspace, caller, request)
        pipeline |= {
            "name": spec["name"],
            "spec": spec,
            "run_as_user_name": run_as or pipeline["run_as_user_name"],
            "last_modified": now_ms(),
        }
        workspace.store.put(PIPELINES, pipeline_id, pipeline)
    _updates(workspace).changed(pipeline_id)
    return {}


@router.delete(f"{_API}/{{pipeline_id}}")
def delete(pipeline_id: str, workspace: WorkspaceDep, cascade: bool = True) -> Document:
    """Deletes a pipeline and, unless `cascade` is false, the tables that it made."""
    _find(workspace, pipeline_id)
    _updates(workspace).stop(pipeline_id)
    for key, owned in workspace.store.items(TABLES, f"{pipeline_id}/"):
        if cascade:
            name = ".".join(f"`{part}`" for part in owned["table"].split("."))
            workspace.spark.session().sql(f"DROP TABLE IF EXISTS {name}")
        workspace.store.delete(TABLES, key)
    rmtree(storage(workspace, pipeline_id), ignore_errors=True)
    kinds: tuple[DocumentKind[Any], ...] = (UPDATES, EVENTS, BATCHES)
    for kind in kinds:
        for key, _ in workspace.store.items(kind, f"{pipeline_id}/"):
            workspace.store.delete(kind, key)
    workspace.store.delete(PIPELINES, pipeline_id)
    return {}


@router.get(_API)
def list_pipelines(
    workspace: WorkspaceDep,
    name_filter: Annotated[str, Query(alias="filter")] = "",
    max_results: int = 25,
    page_token: str = "",
) -> Document:
    pipelines = [pipeline for _, pipeline in workspace.store.items(PIPELINES)]
    if name_filter:
        field, _, pattern = name_filter.partition(" LIKE ")
        if field.strip() != "name" or not pattern.strip().startswith("'"):
            raise bad_request(f"filter: {name_filter!r} is not of the form name LIKE '<text>', where % is any text")
        expression = re.escape(pattern.strip().strip("'")).replace("%", ".*")
        pipelines = [pipeline for pipeline in pipelines if re.fullmatch(expression, pipeline["name"])]
    shown = ("pipeline_id", "name", "creator_user_name", "run_as_user_name")
    statuses = [
        {**{key: value for key, value in item.items() if key in shown}, **_state(workspace, item["pipeline_id"])}
        for item in pipelines
    ]
    return page(statuses, "statuses", max_results, page_token, most=_PAGE)


@router.post(f"{_API}/{{pipeline_id}}/updates")
def start_update(
    pipeline_id: str, request: Annotated[Document, body(sdk.PipelinesAPI.start_update)], workspace: WorkspaceDep
) -> Document:
    options = {name: value for name, value in request.items() if name not in ("cause", "development", "pipeline_id")}
    return {"update_id": _updates(workspace).start(pipeline_id, options, request.get("cause", "API_CALL")).id}


@router.get(f"{_API}/{{pipeline_id}}/updates/{{update_id}}")
def get_update(pipeline_id: str, update_id: str, workspace: WorkspaceDep) -> Document:
    _find(workspace, pipeline_id)
    missing = f"Update {update_id} of pipeline {pipeline_id} was not found."
    return {"update": workspace.find(UPDATES, f"{pipeline_id}/{update_id}", missing)}


@router.get(f"{_API}/{{pipeline_id}}/updates")
def list_updates(pipeline_id: str, workspace: WorkspaceDep, max_results: int = 25, page_token: str = "") -> Document:
    _find(workspace, pipeline_id)
    return page(_newest_first(workspace, pipeline_id), "updates", max_results, page_token, most=_PAGE)


@router.post(f"{_API}/{{pipeline_id}}/stop")
def stop_update(pipeline_id: str, workspace: WorkspaceDep) -> Document:
    _find(workspace, pipeline_id)
    _updates(workspace).stop(pipeline_id)
    return {}


@router.get(f"{_API}/{{pipeline_id}}/events")
def list_events(
    pipeline_id: str,
    workspace: WorkspaceDep,
    text: Annotated[str, Query(alias="filter")] = "",
    order_by: Annotated[list[str] | None, Query()] = None,
    max_results: int = 100,
    page_token: str = "",
) -> Document:
    _find(workspace, pipeline_id)
    log = [event for _, event in workspace.store.items(EVENTS, f"{pipeline_id}/")]
    selected = events.matching(log, text)
    order = (order_by or ["timestamp desc"])[0]
    if order not in ("timestamp asc", "timestamp desc"):
        raise bad_request(f"order_by is {order!r}; allowed: timestamp asc, timestamp desc")
    selected.sort(key=lambda event: event["timestamp"], reverse=order.endswith("desc"))
    return page(selected, "events", max_results, page_token, most=_PAGE)
