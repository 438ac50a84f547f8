"""MLflow under the workspace's address: its API for clients with a token, its pages under `/mlflow/` for a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.background import BackgroundTask

from local.workspace.core.context import workspace
from local.workspace.core.errors import ApiError

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# Headers of one connection (RFC 9110, 7.6.1), and those that must not reach MLflow: its host is another, and the
# token is the workspace's.
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
    return await _forward(request, request.url.path)


@pages.get("/mlflow")
def to_pages() -> RedirectResponse:
    return RedirectResponse("/mlflow/")


@pages.api_route("/mlflow/{path:path}", methods=_METHODS)
async def page(request: Request, path: str) -> StreamingResponse:
    """MLflow's pages, which use relative addresses only. Like MLflow itself they are open on this machine."""
    return await _forward(request, f"/{path}")


async def _forward(request: Request, path: str) -> StreamingResponse:
    settings = workspace(request).settings
    client: httpx.AsyncClient = request.state.mlflow
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _DROPPED]
    if request.headers.get("origin") == f"http://{request.headers.get('host')}":
        # To MLflow the workspace's own pages would be another site; those of other sites stay recognisable.
        headers = [(name, value) for name, value in headers if name.lower() != "origin"]
    url = httpx.URL(settings.mlflow_url + path, query=request.url.query.encode())
    sent = client.build_request(request.method, url, headers=headers, content=request.stream())
    try:
        answer = await client.send(sent, stream=True)
    except httpx.TransportError as error:
        message = f"MLflow at {settings.mlflow_url} does not answer; is it running? ({error})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _DROPPED}
    return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose))
