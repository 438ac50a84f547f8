"""The application: all areas of the API, authentication, and answers to what is not there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from local.workspace import dashboards, home, jobs, pipelines, secrets, serving, sql, unity_catalog
from local.workspace.compute import cluster_policies, clusters, warehouses
from local.workspace.core import web_pages
from local.workspace.core.context import Workspace, principal
from local.workspace.core.errors import ApiError
from local.workspace.core.store import Store
from local.workspace.dashboards import page as dashboard_page
from local.workspace.files import volume_files, workspace_files
from local.workspace.identity import assignments, permissions, rule_sets
from local.workspace.identity import routes as directory
from local.workspace.mlflow import experiments, proxy
from local.workspace.programs import runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import ModuleType

    from local.settings import LocalSettings

# Each is a module with a `router` and, where it has something to run, `start(workspace)` and `stop(workspace)`.
AREAS: tuple[ModuleType, ...] = (
    directory,
    assignments,
    rule_sets,
    unity_catalog,
    workspace_files,
    volume_files,
    cluster_policies,
    warehouses,
    secrets,
    permissions,
    clusters,
    sql,
    pipelines,
    jobs,
    serving,
    dashboards,
    experiments,
    proxy,
)


def create_app(settings: LocalSettings) -> FastAPI:
    """Builds the workspace that keeps its state under `settings.home`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        here: Workspace = app.state.workspace
        await run_in_threadpool(runner.end_leftovers, here)
        await run_in_threadpool(_call, "start", here)
        yield
        await run_in_threadpool(_call, "stop", here)
        here.spark.stop()
        here.store.close()

    app = FastAPI(title="Databricks workspace", lifespan=lifespan, openapi_url=None)
    app.state.workspace = Workspace(settings, Store(settings.home / "workspace.sqlite"))
    for area in AREAS:
        app.include_router(area.router, dependencies=[Depends(principal)])
    app.include_router(directory.discovery)
    app.include_router(home.pages)
    app.include_router(dashboard_page.pages)
    app.include_router(proxy.pages, dependencies=[Depends(web_pages.local_only)])
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(Exception, _fault)
    return app


def _call(name: str, here: Workspace) -> None:
    for area in AREAS if name == "start" else reversed(AREAS):
        function = getattr(area, name, None)
        if function is not None:
            function(here)


def _answer(status: int, error_code: str, message: str) -> JSONResponse:
    return JSONResponse({"error_code": error_code, "message": message}, status)


async def _api_error(_: Request, error: Any) -> JSONResponse:
    return JSONResponse(error.as_dict(), error.status)


async def _no_route(request: Request, error: Any) -> JSONResponse:
    if error.status_code not in (404, 405):
        return _answer(error.status_code, "BAD_REQUEST", str(error.detail))
    return _answer(501, "NOT_IMPLEMENTED", f"{request.method} {request.url.path} is not part of the local workspace")


async def _bad_parameter(_: Request, error: Any) -> JSONResponse:
    faults = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors())
    return _answer(400, "INVALID_PARAMETER_VALUE", faults)


async def _fault(request: Request, error: Any) -> JSONResponse:
    # The server's log gets the traceback as well: Starlette raises it again after this answer.
    return _answer(500, "INTERNAL_ERROR", f"{request.method} {request.url.path}: {type(error).__name__}: {error}")
