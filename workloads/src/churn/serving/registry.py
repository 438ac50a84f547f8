"""Registration of the model's versions in MLflow, and their lookup by alias or number.

The registry is Unity Catalog, which MLflow calls `databricks-uc`: on Databricks by itself, elsewhere where the variable
MLFLOW_REGISTRY_URI says so. It keeps names and aliases in lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from churn.serving.model_version import Version

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

CHAMPION, CHALLENGER = "champion", "challenger"
FIRST = 1  # the version that `bootstrap` registers


def aliased(model: str, alias: str) -> Version | None:
    """The version that an alias points to, if there is one."""
    try:
        aliases = mlflow.MlflowClient().get_registered_model(model).aliases
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    if alias not in aliases:
        return None
    return numbered(model, aliases[alias])


def numbered(model: str, number: str | int) -> Version:
    """The version of a number, which must exist."""
    info = mlflow.MlflowClient().get_model_version(model, str(number))
    return Version(model, int(info.version), dict(info.tags))


def registered(model: str) -> bool:
    """Whether the model has any version."""
    return len(mlflow.MlflowClient().search_model_versions(f"name = '{model}'", max_results=1)) > 0


def set_alias(version: Version, alias: str) -> None:
    """Points an alias to a version, away from the one that had it."""
    mlflow.MlflowClient().set_registered_model_alias(version.model, alias, str(version.number))


def register(info: ModelInfo, model: str, tags: dict[str, str], description: str) -> Version:
    """Makes a logged model the newest version of a registered one, which is created if it is missing."""
    created = mlflow.register_model(info.model_uri, model, tags=tags)
    mlflow.MlflowClient().update_model_version(model, created.version, description)
    return numbered(model, created.version)
