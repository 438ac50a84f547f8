"""The environment variables of a client of the local cloud."""

from __future__ import annotations

import os
import shlex

from cli.errors import CommandError
from local.engine import engine_environment
from local.settings import LocalSettings, no_proxy_variables


def client_environment(settings: LocalSettings) -> dict[str, str]:
    """Variables for the official clients: Databricks' SDKs and CLI, Spark Connect, MLflow, Pulumi.

    Raises:
        CommandError: The local cloud was never started and has no token yet.
        EngineError: The engine is not installed.
    """
    if not settings.admin_token.exists():
        raise CommandError("the local cloud has no administrator yet: `platform local start` makes one")
    token = settings.admin_token.read_text().strip()
    return engine_environment(settings) | {
        "DATABRICKS_HOST": settings.workspace_url,
        "DATABRICKS_TOKEN": token,
        "DATABRICKS_AUTH_TYPE": "pat",  # whatever other credentials the shell holds
        "MLFLOW_TRACKING_URI": settings.workspace_url,
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "MLFLOW_TRACKING_TOKEN": token,
        "SPARK_REMOTE": settings.spark_remote,
        "PLATFORM_HOME": str(settings.home),
        "PLATFORM_PORT": str(settings.port),
        **no_proxy_variables(),
    }


def process_environment(settings: LocalSettings) -> dict[str, str]:
    """The variables of this process and of a client, for programs that the command line starts."""
    return {**os.environ, **client_environment(settings)}


def exports(settings: LocalSettings) -> str:
    """The variables of a client as shell exports, one a line."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in client_environment(settings).items())
