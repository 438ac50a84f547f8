"""The address of this process's MLflow client, set for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def mlflow_at(url: str, token: str | None = None) -> Iterator[None]:
    """Sets the address in the environment: `mlflow.set_tracking_uri` would set it beyond the test.

    Args:
        url: Tracking server and registry.
        token: Bearer token, if the server requires one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", url)
        patch.setenv("MLFLOW_REGISTRY_URI", url)
        if token:
            patch.setenv("MLFLOW_TRACKING_TOKEN", token)
        else:
            patch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
        yield
