"""Model serving: endpoints whose served entities are real MLflow scoring servers."""

from .routes import router, start, stop

__all__ = ["router", "start", "stop"]
