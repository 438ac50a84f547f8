"""A client of MLflow's REST API, for the areas that keep objects in MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from local.workspace.core.errors import ApiError

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document


def call_mlflow(workspace: Workspace, method: str, route: str, arguments: dict[str, Any]) -> Document:
    """Sends one request to MLflow and returns the answer; MLflow's error codes are those of Databricks.

    Args:
        workspace: The workspace.
        method: HTTP method.
        route: Route below `/api/2.0/mlflow/`.
        arguments: Parameters of a GET, else the body.

    Raises:
        ApiError: MLflow refuses, or does not answer.
    """
    url = f"{workspace.settings.mlflow_url}/api/2.0/mlflow/{route}"
    try:
        if method == "GET":
            answer = httpx.get(url, params=arguments, timeout=60)
        else:
            answer = httpx.request(method, url, json=arguments, timeout=60)
    except httpx.TransportError as error:
        message = f"MLflow at {workspace.settings.mlflow_url} does not answer; is it running? ({error})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    document: Document = answer.json()
    if answer.is_error:
        raise ApiError(answer.status_code, document.get("error_code", "INTERNAL_ERROR"), document.get("message", ""))
    return document
