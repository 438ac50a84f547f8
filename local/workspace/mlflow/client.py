"""Calls MLflow's REST API for the areas that keep something there."""

from typing import Any

import httpx

from local.workspace.core.context import Workspace
from local.workspace.core.errors import ApiError
from local.workspace.core.store import Document


def call_mlflow(here: Workspace, method: str, route: str, sent: dict[str, Any]) -> Document:
    """The answer to one request; MLflow's error codes are Databricks' own.

    Args:
        here: The workspace.
        method: HTTP method.
        route: Below `/api/2.0/mlflow/`.
        sent: Parameters of a GET, the body of any other.

    Raises:
        ApiError: MLflow refuses, or does not answer.
    """
    url = f"{here.settings.mlflow_url}/api/2.0/mlflow/{route}"
    try:
        if method == "GET":
            answer = httpx.get(url, params=sent, timeout=60)
        else:
            answer = httpx.request(method, url, json=sent, timeout=60)
    except httpx.TransportError as error:
        message = f"MLflow at {here.settings.mlflow_url} does not answer; is it running? ({error})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    document: Document = answer.json()
    if answer.is_error:
        raise ApiError(answer.status_code, document.get("error_code", "INTERNAL_ERROR"), document.get("message", ""))
    return document
