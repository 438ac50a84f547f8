"""Pipelines: the Pipelines API, updates run by the pipeline runner, and event logs."""

from local.workspace.pipelines.routes import router, start, stop

__all__ = ["router", "start", "stop"]
