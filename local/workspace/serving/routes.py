"""Routes of the serving endpoints' API, and of the endpoints themselves."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from databricks.sdk.service import serving as sdk
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, already_exists, bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity.directory import check_entitlement
from local.workspace.serving.documents import ENDPOINTS, EndpointDocument
from local.workspace.serving.runtime import Endpoints
from local.workspace.serving.settings import check_name, checked
from local.workspace.serving.states import with_states

_API = "/api/2.0/serving-endpoints"
_NOT_BUILT = ("rate_limits", "telemetry_config")
_TIMEOUT_SECONDS = 120  # of a prediction, as on Databricks


@asynccontextmanager
async def _client(_: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
        yield {"scoring": client}


router = APIRouter(lifespan=_client)


def start(workspace: Workspace) -> None:
    """Starts all endpoints again."""
    workspace.add_service(Endpoints(workspace))
    _endpoints(workspace).open()


def stop(workspace: Workspace) -> None:
    """Stops all servers, and waits until they have ended."""
    _endpoints(workspace).close()


def _endpoints(workspace: Workspace) -> Endpoints:
    return workspace.service(Endpoints)


@router.post(_API)
def create(
    request: Annotated[Document, body(sdk.ServingEndpointsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    for name in _NOT_BUILT:
        if name in request:
            raise not_built(f"{name} of an endpoint")
    if "config" not in request:
        raise bad_request("missing field config")
    check_name(request["name"], "name")
    check_entitlement(workspace, caller, "workspace-access")
    endpoints = _endpoints(workspace)
    if any(endpoint["name"] == request["name"] for _, endpoint in workspace.store.items(ENDPOINTS)):
        raise already_exists(f"Endpoint with name '{request['name']}' already exists.")
    config = checked(workspace, request["config"], caller, "config.")
    fields = {name: value for name, value in request.items() if name != "config"}
    generated = {"id": uuid.uuid4().hex, "creator": caller.name, "creation_timestamp": now_ms(), "state": {}}
    endpoint = ENDPOINTS.document(fields | generated)
    endpoints.update(endpoint, config)
    return _shown(workspace, endpoint)


@router.get(_API)
def list_endpoints(workspace: WorkspaceDep) -> Document:
    return {"endpoints": [_shown(workspace, endpoint) for _, endpoint in workspace.store.items(ENDPOINTS)]}


@router.get(f"{_API}/{{name}}")
def get(name: str, workspace: WorkspaceDep) -> Document:
    return _shown(workspace, _endpoints(workspace).find(name))


def _shown(workspace: Workspace, endpoint: EndpointDocument) -> Document:
    name, endpoints = endpoint["name"], _endpoints(workspace)
    return {
        **with_states(endpoint, endpoints.states(name), endpoints.ready(name)),
        "permission_level": "CAN_MANAGE",
        # Nobody has asked for it: as on Databricks, a client finds what it did not write.
        "telemetry_config": {"telemetry_profile_id": endpoint["id"]},
        "endpoint_url": f"{workspace.settings.workspace_url}/serving-endpoints/{name}/invocations",
    }


@router.put(f"{_API}/{{name}}/config")
def update_config(
    name: str,
    request: Annotated[Document, body(sdk.ServingEndpointsAPI.update_config, {"name": str})],
    workspace: WorkspaceDep,
) -> Document:
    endpoint = _endpoints(workspace).find(name)
    if endpoint["state"].get("config_update") == "IN_PROGRESS":
        message = f"Endpoint '{name}' is being updated; wait until its state is NOT_UPDATING."
        raise ApiError(409, "RESOURCE_CONFLICT", message)
    creator = workspace.principal(endpoint["creator"])  # for ever, whoever changes the endpoint
    _endpoints(workspace).update(endpoint, checked(workspace, request, creator, ""))
    return _shown(workspace, endpoint)


@router.put(f"{_API}/{{name}}/ai-gateway")
def put_ai_gateway(
    name: str, request: Annotated[Document, body(sdk.ServingEndpointsAPI.put_ai_gateway)], workspace: WorkspaceDep
) -> Document:
    if set(request) - {"usage_tracking_config"}:
        unknown = ", ".join(sorted(set(request) - {"usage_tracking_config"}))
        raise not_built(f"{unknown} of an ai-gateway")
    with workspace.store.transaction():
        endpoint = _endpoints(workspace).find(name)
        endpoint["ai_gateway"] = request
        _endpoints(workspace).save(endpoint)
    return request


@router.patch(f"{_API}/{{name}}/tags")
def patch_tags(
    name: str, request: Annotated[Document, body(sdk.ServingEndpointsAPI.patch)], workspace: WorkspaceDep
) -> Document:
    with workspace.store.transaction():
        endpoint = _endpoints(workspace).find(name)
        tags = {tag["key"]: tag for tag in endpoint.get("tags", []) if tag["key"] not in request.get("delete_tags", [])}
        tags |= {tag["key"]: tag for tag in request.get("add_tags", [])}
        endpoint["tags"] = list(tags.values())
        _endpoints(workspace).save(endpoint)
    return {"tags": endpoint["tags"]}


@router.delete(f"{_API}/{{name}}")
def delete(name: str, workspace: WorkspaceDep) -> Document:
    _endpoints(workspace).delete(name)
    return {}


@router.post("/serving-endpoints/{name}/invocations")
async def invoke(name: str, request: Request, workspace: WorkspaceDep) -> Response:
    server = await run_in_threadpool(_endpoints(workspace).pick, name)
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
    """An answer of the scoring server other than success, without its stack trace.

    A wrong payload is a 400 that names the field.
    """
    if answer.status_code == httpx.codes.GATEWAY_TIMEOUT:
        code = "DEADLINE_EXCEEDED"
    else:
        code = "INTERNAL_ERROR" if answer.is_server_error else "BAD_REQUEST"
    try:
        message = answer.json().get("message", answer.text)
    except ValueError:
        message = answer.text
    return ApiError(answer.status_code, code, message)
