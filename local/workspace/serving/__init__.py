"""Model serving: endpoints whose served entities are real MLflow scoring servers."""

from local.workspace.serving.routes import router, start, stop

__all__ = ["router", "start", "stop"]
