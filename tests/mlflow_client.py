"""The address of this process's MLflow client, set for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def mlflow_at(url: str, token: str) -> Iterator[None]:
    """Sets the address in the environment: `mlflow.set_tracking_uri` would set it beyond the test.

    Args:
        url: Workspace, whose MLflow tracks runs and whose Unity Catalog registers models.
        token: Bearer token.
    """
    variables = {
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "DATABRICKS_HOST": url,
        "DATABRICKS_TOKEN": token,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
