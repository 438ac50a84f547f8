"""MLflow under the workspace's address: its API for clients with a token, its pages under `/mlflow/` for a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.background import BackgroundTask

from local.workspace.core.context import current_workspace
from local.workspace.core.errors import ApiError

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# Headers of one connection (RFC 9110, section 7.6.1), and those that are for the workspace alone: its host and token.
_DROPPED = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
    *("transfer-encoding", "upgrade", "host", "authorization"),
}


@asynccontextmanager
async def _client(_: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with httpx.AsyncClient(timeout=httpx.Timeout(600, connect=5)) as client:
        yield {"mlflow": client}


router = APIRouter(lifespan=_client)
pages = APIRouter()


@router.api_route("/api/{version}/mlflow/{path:path}", methods=_METHODS)
@router.api_route("/api/{version}/mlflow-artifacts/{path:path}", methods=_METHODS)
async def api(request: Request) -> StreamingResponse:
    """Forwards MLflow's API."""
    return await _forward(request, request.url.path)


@pages.get("/mlflow")
def to_pages() -> RedirectResponse:
    """Leads to MLflow's start page."""
    return RedirectResponse("/mlflow/")


@pages.api_route("/mlflow/{path:path}", methods=_METHODS)
async def page(request: Request, path: str) -> StreamingResponse:
    """Forwards MLflow's pages, which use relative addresses only; like MLflow itself they need no token."""
    return await _forward(request, f"/{path}")


async def _forward(request: Request, path: str) -> StreamingResponse:
    settings = current_workspace(request).settings
    client: httpx.AsyncClient = request.state.mlflow
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _DROPPED]
    if request.headers.get("origin") == f"http://{request.headers.get('host')}":
        # MLflow would take the workspace's own pages for another site; the origin of other sites is kept.
        headers = [(name, value) for name, value in headers if name.lower() != "origin"]
    url = httpx.URL(settings.mlflow_url + path, query=request.url.query.encode())
    outgoing = client.build_request(request.method, url, headers=headers, content=request.stream())
    try:
        answer = await client.send(outgoing, stream=True)
    except httpx.TransportError as error:
        message = f"MLflow at {settings.mlflow_url} does not answer; is it running? ({error})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _DROPPED}
    return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose))
