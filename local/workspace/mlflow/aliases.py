"""Aliases of models through MLflow's API: Unity Catalog, which keeps the models, ignores the case of an alias."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from local.workspace.core.context import WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.store import Document
from local.workspace.mlflow.client import call_mlflow

router = APIRouter()


@router.api_route("/api/2.0/mlflow/registered-models/alias", methods=["GET", "POST", "DELETE"])
async def alias(request: Request, workspace: WorkspaceDep) -> Document:
    """Reads, sets or deletes an alias, written in lower case."""
    arguments: dict[str, Any] = dict(request.query_params)
    if content := await request.body():
        try:
            arguments |= json.loads(content)
        except ValueError as error:
            raise bad_request(f"the body is not JSON: {error}", "MALFORMED_REQUEST") from error
    if isinstance(arguments.get("alias"), str):
        arguments["alias"] = arguments["alias"].lower()
    return await run_in_threadpool(call_mlflow, workspace, request.method, "registered-models/alias", arguments)
