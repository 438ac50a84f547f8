"""The application: all areas of the API, authentication, and the form of errors."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from local.workspace import (
    account,
    alerts,
    dashboards,
    home,
    jobs,
    lakebase,
    pipelines,
    secrets,
    serving,
    sql,
    unity_catalog,
)
from local.workspace.compute import cluster_policies, clusters, warehouses
from local.workspace.core import web_pages
from local.workspace.core.context import Workspace, authenticated
from local.workspace.core.errors import ApiError, not_built
from local.workspace.core.store import Store
from local.workspace.dashboards import page as dashboard_page
from local.workspace.files import volume_files, workspace_files
from local.workspace.identity import assignments, credentials, permissions, rule_sets
from local.workspace.identity import routes as directory
from local.workspace.mlflow import experiments, proxy, registry
from local.workspace.programs import runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import ModuleType

    from local.settings import LocalSettings

# Each module has a `router` and, if its area runs something, `start(workspace)` and `stop(workspace)`.
AREAS: tuple[ModuleType, ...] = (
    directory,
    assignments,
    rule_sets,
    credentials,
    account,
    unity_catalog,
    workspace_files,
    volume_files,
    cluster_policies,
    warehouses,
    secrets,
    permissions,
    clusters,
    sql,
    lakebase,
    pipelines,
    jobs,
    serving,
    dashboards,
    alerts,
    experiments,
    registry,
    proxy,
)


def create_app(settings: LocalSettings) -> FastAPI:
    """Builds the application of the workspace whose state is in `settings.home`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        workspace: Workspace = app.state.workspace
        await run_in_threadpool(runner.end_leftovers, workspace)
        await run_in_threadpool(_start, workspace)
        yield
        await run_in_threadpool(_stop, workspace)
        workspace.spark.stop()
        workspace.store.close()

    app = FastAPI(title="Databricks workspace", lifespan=lifespan, openapi_url=None)
    app.state.workspace = Workspace(settings, Store(settings.home / "workspace.sqlite"))
    for area in AREAS:
        app.include_router(area.router, dependencies=[Depends(authenticated)])
    app.include_router(directory.discovery)
    app.include_router(credentials.discovery)
    app.include_router(home.pages)
    app.include_router(dashboard_page.pages)
    app.include_router(proxy.pages, dependencies=[Depends(web_pages.local_only)])
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(Exception, _fault)
    return app


def _start(workspace: Workspace) -> None:
    for area in AREAS:
        if hasattr(area, "start"):
            area.start(workspace)


def _stop(workspace: Workspace) -> None:
    for area in reversed(AREAS):
        if hasattr(area, "stop"):
            area.stop(workspace)


def _answer(status: int, error_code: str, message: str) -> JSONResponse:
    return JSONResponse({"error_code": error_code, "message": message}, status)


async def _api_error(_: Request, error: Any) -> JSONResponse:
    return JSONResponse(error.as_dict(), error.status)


async def _no_route(request: Request, error: Any) -> JSONResponse:
    if error.status_code not in (404, 405):
        return _answer(error.status_code, "BAD_REQUEST", str(error.detail))
    return await _api_error(request, not_built(f"{request.method} {request.url.path}"))


async def _bad_parameter(_: Request, error: Any) -> JSONResponse:
    faults = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors())
    return _answer(400, "INVALID_PARAMETER_VALUE", faults)


async def _fault(request: Request, error: Any) -> JSONResponse:
    # Starlette raises the error again after this answer, so that the server's log has the traceback.
    return _answer(500, "INTERNAL_ERROR", f"{request.method} {request.url.path}: {type(error).__name__}: {error}")
