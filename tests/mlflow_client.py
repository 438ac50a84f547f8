"""Points MLflow's client of this process at a server, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def mlflow_at(url: str, token: str | None = None) -> Iterator[None]:
    """Sets the address by the environment alone: what `mlflow.set_tracking_uri` sets would outlive the test.

    Args:
        url: Tracking server and registry.
        token: Bearer token, where the server asks for one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", url)
        patch.setenv("MLFLOW_REGISTRY_URI", url)
        if token:
            patch.setenv("MLFLOW_TRACKING_TOKEN", token)
        else:
            patch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
        yield
