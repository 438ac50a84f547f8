"""Routes of the Pipelines API."""

import re
import time
import uuid
from shutil import rmtree
from typing import Annotated, Any

from databricks.sdk.service import pipelines as sdk
from fastapi import APIRouter, Depends, Query

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, already_exists, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import events
from .runtime import ACTIVE, PipelineUpdates, storage, updates

router = APIRouter()
_API = "/api/2.0/pipelines"

_OPTIONS = ("allow_duplicate_names", "dry_run", "expected_last_modified", "id", "pipeline_id", "run_as")
_NOT_BUILT = (
    "deployment",
    "event_log",
    "filters",
    "gateway_definition",
    "ingestion_definition",
    "parameters",
    "restart_window",
    "storage",
    "trigger",
)


def start(here: Workspace) -> None:
    here.running[PipelineUpdates] = PipelineUpdates(here)
    updates(here).open()


def stop(here: Workspace) -> None:
    updates(here).close()


def _pipeline(here: Workspace, pipeline_id: str) -> Document:
    pipeline = here.store.get("pipelines", pipeline_id)
    if pipeline is None:
        raise not_found(f"The specified pipeline {pipeline_id} was not found.")
    return pipeline


def _checked(here: Workspace, sent: Document, pipeline_id: str) -> Document:
    """The spec that a request asks for; raises a 400 or 501 that names the field."""
    for name in _NOT_BUILT:
        if name in sent:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{name} of a pipeline is not part of the local workspace")
    if sent.get("continuous"):
        raise ApiError(501, "NOT_IMPLEMENTED", "continuous pipelines are not part of the local workspace")
    for name in ("name", "catalog", "libraries"):
        if not sent.get(name):
            raise bad_request(f"missing field {name}")
    if bool(sent.get("schema")) == bool(sent.get("target")):
        raise bad_request("give either schema or target")
    for index, library in enumerate(sent["libraries"]):
        if list(library) not in (["file"], ["glob"]):
            message = f"libraries[{index}] has {sorted(library)}; the local workspace has file and glob"
            raise ApiError(501, "NOT_IMPLEMENTED", message)
    _check_name(here, sent, pipeline_id)
    spec = {name: value for name, value in sent.items() if name not in _OPTIONS}
    return {"id": pipeline_id, "continuous": False, **spec}


def _check_name(here: Workspace, sent: Document, pipeline_id: str) -> None:
    for other_id, other in here.store.items("pipelines"):
        if other["name"] == sent["name"] and other_id != pipeline_id and not sent.get("allow_duplicate_names"):
            raise already_exists(
                f"The pipeline name '{sent['name']}' is already used by another pipeline. "
                "This check can be skipped by setting `allow_duplicate_names = true` in the request.",
                "RESOURCE_CONFLICT",
            )


def _run_as(here: Workspace, sent: Document) -> str | None:
    run_as = sent.get("run_as", {})
    names = [run_as[field] for field in ("user_name", "service_principal_name") if run_as.get(field)]
    if "run_as" in sent and len(names) != 1:
        raise bad_request("run_as must have either user_name or service_principal_name")
    try:
        return here.principal(names[0]).name if names else None
    except ApiError as error:
        raise bad_request(f"run_as: {error.message}") from error


@router.post(_API)
def create(
    sent: Annotated[dict[str, Any], Depends(body(sdk.PipelinesAPI.create))], here: Here, caller: Caller
) -> Document:
    if sent.get("dry_run"):
        raise ApiError(501, "NOT_IMPLEMENTED", "dry_run of a pipeline is not part of the local workspace")
    pipeline_id = str(uuid.uuid4())
    pipeline = {
        "pipeline_id": pipeline_id,
        "name": sent.get("name"),
        "spec": _checked(here, sent, pipeline_id),
        "creator_user_name": caller.name,
        "run_as_user_name": _run_as(here, sent) or caller.name,
        "last_modified": int(time.time() * 1000),
    }
    here.store.put("pipelines", pipeline_id, pipeline)
    return {"pipeline_id": pipeline_id}


@router.get(f"{_API}/{{pipeline_id}}")
def get(pipeline_id: str, here: Here) -> Document:
    return {**_pipeline(here, pipeline_id), **_state(here, pipeline_id)}


def _state(here: Workspace, pipeline_id: str) -> Document:
    """State, health and latest updates of a pipeline, newest first."""
    latest = [update for _, update in here.store.items("pipeline_updates", f"{pipeline_id}/")][::-1]
    answer: Document = {"state": "IDLE"}
    if latest:
        if latest[0]["state"] in ACTIVE:
            answer["state"] = "STOPPING" if latest[0]["state"] == "STOPPING" else "RUNNING"
        answer["health"] = "UNHEALTHY" if latest[0]["state"] == "FAILED" else "HEALTHY"
        answer["latest_updates"] = [
            {
                "update_id": update["update_id"],
                "state": update["state"],
                "creation_time": events.timestamp(events.moment(update["creation_time"])),
            }
            for update in latest[:5]
        ]
    return answer


@router.put(f"{_API}/{{pipeline_id}}")
def edit(
    pipeline_id: str, sent: Annotated[dict[str, Any], Depends(body(sdk.PipelinesAPI.update))], here: Here
) -> Document:
    with here.store.transaction():
        pipeline = _pipeline(here, pipeline_id)
        expected = sent.get("expected_last_modified")
        if expected and expected != pipeline["last_modified"]:
            message = f"the pipeline was modified at {pipeline['last_modified']}, not at {expected}"
            raise ApiError(409, "RESOURCE_CONFLICT", message)
        pipeline |= {
            "name": sent.get("name"),
            "spec": _checked(here, sent, pipeline_id),
            "run_as_user_name": _run_as(here, sent) or pipeline["run_as_user_name"],
            "last_modified": int(time.time() * 1000),
        }
        here.store.put("pipelines", pipeline_id, pipeline)
    return {}


@router.delete(f"{_API}/{{pipeline_id}}")
def delete(pipeline_id: str, here: Here, cascade: bool = True) -> Document:
    """Deletes a pipeline and, unless `cascade` is false, the tables that it made."""
    _pipeline(here, pipeline_id)
    updates(here).stop(pipeline_id)
    for key, owned in here.store.items("pipeline_tables", f"{pipeline_id}/"):
        if cascade:
            name = ".".join(f"`{part}`" for part in owned["table"].split("."))
            here.spark.session().sql(f"DROP TABLE IF EXISTS {name}")
        here.store.delete("pipeline_tables", key)
    rmtree(storage(here, pipeline_id), ignore_errors=True)
    for kind in ("pipeline_updates", "pipeline_events", "pipeline_batches"):
        for key, _ in here.store.items(kind, f"{pipeline_id}/"):
            here.store.delete(kind, key)
    here.store.delete("pipelines", pipeline_id)
    return {}


@router.get(_API)
def list_pipelines(
    here: Here,
    name_filter: Annotated[str, Query(alias="filter")] = "",
    max_results: int = 25,
    page_token: str = "",
) -> Document:
    found = [pipeline for _, pipeline in here.store.items("pipelines")]
    if name_filter:
        field, _, pattern = name_filter.partition(" LIKE ")
        if field.strip() != "name" or not pattern.strip().startswith("'"):
            raise bad_request(f"filter: {name_filter!r} is not of the form name LIKE '<text>', where % is any text")
        expression = re.escape(pattern.strip().strip("'")).replace("%", ".*")
        found = [pipeline for pipeline in found if re.fullmatch(expression, pipeline["name"])]
    shown = ("pipeline_id", "name", "creator_user_name", "run_as_user_name")
    statuses = [{**{key: item[key] for key in shown}, **_state(here, item["pipeline_id"])} for item in found]
    return page(statuses, "statuses", max_results, page_token)


@router.post(f"{_API}/{{pipeline_id}}/updates")
def start_update(
    pipeline_id: str, sent: Annotated[dict[str, Any], Depends(body(sdk.PipelinesAPI.start_update))], here: Here
) -> Document:
    options = {name: value for name, value in sent.items() if name not in ("cause", "development", "pipeline_id")}
    return {"update_id": updates(here).start(pipeline_id, options, sent.get("cause", "API_CALL")).id}


@router.get(f"{_API}/{{pipeline_id}}/updates/{{update_id}}")
def get_update(pipeline_id: str, update_id: str, here: Here) -> Document:
    _pipeline(here, pipeline_id)
    update = here.store.get("pipeline_updates", f"{pipeline_id}/{update_id}")
    if update is None:
        raise not_found(f"Update {update_id} of pipeline {pipeline_id} was not found.")
    return {"update": update}


@router.get(f"{_API}/{{pipeline_id}}/updates")
def list_updates(pipeline_id: str, here: Here, max_results: int = 25, page_token: str = "") -> Document:
    _pipeline(here, pipeline_id)
    found = [update for _, update in here.store.items("pipeline_updates", f"{pipeline_id}/")][::-1]
    return page(found, "updates", max_results, page_token)


@router.post(f"{_API}/{{pipeline_id}}/stop")
def stop_update(pipeline_id: str, here: Here) -> Document:
    _pipeline(here, pipeline_id)
    updates(here).stop(pipeline_id)
    return {}


@router.get(f"{_API}/{{pipeline_id}}/events")
def list_events(
    pipeline_id: str,
    here: Here,
    text: Annotated[str, Query(alias="filter")] = "",
    order_by: Annotated[list[str] | None, Query()] = None,
    max_results: int = 100,
    page_token: str = "",
) -> Document:
    _pipeline(here, pipeline_id)
    found = events.matching([event for _, event in here.store.items("pipeline_events", f"{pipeline_id}/")], text)
    order = (order_by or ["timestamp desc"])[0]
    if order not in ("timestamp asc", "timestamp desc"):
        raise bad_request(f"order_by is {order!r}; allowed: timestamp asc, timestamp desc")
    found.sort(key=lambda event: event["timestamp"], reverse=order.endswith("desc"))
    return page(found, "events", max_results, page_token)
