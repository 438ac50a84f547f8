"""Routes of the serving endpoints' API, and of the endpoints themselves."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from databricks.sdk.service import serving as sdk
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, already_exists, bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from .runtime import Endpoints
from .servers import deployment_state
from .settings import check_name, checked

_API = "/api/2.0/serving-endpoints"
_NOT_BUILT = ("rate_limits", "telemetry_config")
_TIMEOUT_SECONDS = 120  # of a prediction, as on Databricks


@asynccontextmanager
async def _client(_: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
        yield {"scoring": client}


router = APIRouter(lifespan=_client)


def start(here: Workspace) -> None:
    here.running[Endpoints] = Endpoints(here)
    _endpoints(here).open()


def stop(here: Workspace) -> None:
    _endpoints(here).close()


def _endpoints(here: Workspace) -> Endpoints:
    found: Endpoints = here.running[Endpoints]
    return found


@router.post(_API)
def create(
    sent: Annotated[dict[str, Any], Depends(body(sdk.ServingEndpointsAPI.create))], here: Here, caller: Caller
) -> Document:
    for name in _NOT_BUILT:
        if name in sent:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{name} of an endpoint is not part of the local workspace")
    if "config" not in sent:
        raise bad_request("missing field config")
    check_name(sent["name"], "name")
    endpoints = _endpoints(here)
    if any(endpoint["name"] == sent["name"] for _, endpoint in here.store.items("serving_endpoints")):
        raise already_exists(f"Endpoint with name '{sent['name']}' already exists.")
    config = checked(here, sent["config"], caller.name, "config.")
    given = {name: value for name, value in sent.items() if name != "config"}
    endpoint = {
        **given,
        "id": uuid.uuid4().hex,
        "creator": caller.name,
        "creation_timestamp": int(time.time() * 1000),
        "state": {},
    }
    endpoints.update(endpoint, config)
    return _shown(here, endpoint)


@router.get(_API)
def list_endpoints(here: Here) -> Document:
    return {"endpoints": [_shown(here, endpoint) for _, endpoint in here.store.items("serving_endpoints")]}


@router.get(f"{_API}/{{name}}")
def get(name: str, here: Here) -> Document:
    return _shown(here, _endpoints(here).find(name))


def _shown(here: Workspace, endpoint: Document) -> Document:
    name, endpoints = endpoint["name"], _endpoints(here)
    states, unknown = endpoints.states(name), deployment_state("CREATING", "")
    shown = {**endpoint}
    for part in ("config", "pending_config"):
        if part in endpoint:
            entities = [
                {**entity, "state": states.get(entity["name"], unknown)} for entity in endpoint[part]["served_entities"]
            ]
            shown[part] = {**endpoint[part], "served_entities": entities}
    ready = "READY" if endpoints.ready(name) else "NOT_READY"
    return {
        **shown,
        "state": {**endpoint["state"], "ready": ready},
        "permission_level": "CAN_MANAGE",
        "endpoint_url": f"{here.settings.workspace_url}/serving-endpoints/{name}/invocations",
    }


@router.put(f"{_API}/{{name}}/config")
def update_config(
    name: str,
    sent: Annotated[dict[str, Any], Depends(body(sdk.ServingEndpointsAPI.update_config, {"name": str}))],
    here: Here,
    caller: Caller,
) -> Document:
    endpoint = _endpoints(here).find(name)
    if endpoint["state"]["config_update"] == "IN_PROGRESS":
        message = f"Endpoint '{name}' is being updated; wait until its state is NOT_UPDATING."
        raise ApiError(409, "RESOURCE_CONFLICT", message)
    _endpoints(here).update(endpoint, checked(here, sent, caller.name, ""))
    return _shown(here, endpoint)


@router.put(f"{_API}/{{name}}/ai-gateway")
def put_ai_gateway(
    name: str, sent: Annotated[dict[str, Any], Depends(body(sdk.ServingEndpointsAPI.put_ai_gateway))], here: Here
) -> Document:
    if set(sent) - {"usage_tracking_config"}:
        unknown = ", ".join(sorted(set(sent) - {"usage_tracking_config"}))
        raise ApiError(501, "NOT_IMPLEMENTED", f"ai-gateway: {unknown} is not part of the local workspace")
    with here.store.transaction():
        endpoint = _endpoints(here).find(name)
        endpoint["ai_gateway"] = sent
        _endpoints(here).save(endpoint)
    return sent


@router.patch(f"{_API}/{{name}}/tags")
def patch_tags(
    name: str, sent: Annotated[dict[str, Any], Depends(body(sdk.ServingEndpointsAPI.patch))], here: Here
) -> Document:
    with here.store.transaction():
        endpoint = _endpoints(here).find(name)
        tags = {tag["key"]: tag for tag in endpoint.get("tags", []) if tag["key"] not in sent.get("delete_tags", [])}
        tags |= {tag["key"]: tag for tag in sent.get("add_tags", [])}
        endpoint["tags"] = list(tags.values())
        _endpoints(here).save(endpoint)
    return {"tags": endpoint["tags"]}


@router.delete(f"{_API}/{{name}}")
def delete(name: str, here: Here) -> Document:
    _endpoints(here).delete(name)
    return {}


@router.post("/serving-endpoints/{name}/invocations")
async def invoke(name: str, request: Request, here: Here) -> Response:
    server = await run_in_threadpool(_endpoints(here).pick, name)
    client: httpx.AsyncClient = request.state.scoring
    headers = {"content-type": request.headers.get("content-type", "application/json")}
    try:
        answer = await client.post(server.url, content=await request.body(), headers=headers)
    except httpx.TimeoutException as error:
        raise ApiError(
            504, "DEADLINE_EXCEEDED", f"Endpoint '{name}' gave no answer in {_TIMEOUT_SECONDS} s."
        ) from error
    except httpx.TransportError as error:
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"Endpoint '{name}' lost its server: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise _refused(answer)
    return Response(answer.content, media_type="application/json", headers={"served-model-name": server.entity["name"]})


def _refused(answer: httpx.Response) -> ApiError:
    """What the scoring server refused, without its stack trace; a wrong payload is a 400 that names the field."""
    of_server = {504: "DEADLINE_EXCEEDED"}.get(answer.status_code, "INTERNAL_ERROR")
    code = of_server if answer.is_server_error else "BAD_REQUEST"
    try:
        told = answer.json()
    except ValueError:
        return ApiError(answer.status_code, code, answer.text)
    return ApiError(answer.status_code, code, told.get("message", answer.text))
