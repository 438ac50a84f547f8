"""The model in MLflow: how it is logged, registered, tagged, and found by alias.

Which MLflow and which registry is the environment's affair (MLFLOW_TRACKING_URI, MLFLOW_REGISTRY_URI); on Databricks
both are the workspace's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import joblib
import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.types import ColSpec, DataType, Schema

from churn.core.label_window import LabelWindow
from churn.training.dataset import BY_CUSTOMER

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo
    from sklearn.base import BaseEstimator

    from churn.training.models import Columns

CHAMPION, CHALLENGER = "champion", "challenger"
FIRST = 1  # the version that `bootstrap` registers
# What the served model imports. Named, since MLflow would start the model in another process to find out.
REQUIREMENTS = [
    f"{name}=={version(name)}" for name in ("joblib", "mlflow", "numpy", "pandas", "scikit-learn", "xgboost")
]
SERVED = Path(__file__).with_name("served.py")


class UntaggedVersionError(ValueError):
    """A version lacks a tag that is needed of it; the text names version, tag and remedy."""


@dataclass(frozen=True)
class Version:
    """A registered version of the model.

    Attributes:
        model: Registered model's full name.
        number: Version, from 1.
        tags: What training wrote about it.
    """

    model: str
    number: int
    tags: dict[str, str]

    @property
    def uri(self) -> str:
        return f"models:/{self.model}/{self.number}"

    def tag(self, name: str) -> str:
        """What training wrote under a name.

        Raises:
            UntaggedVersionError: Nothing: the version was registered by hand.
        """
        if name not in self.tags:
            raise UntaggedVersionError(
                f"version {self.number} of {self.model} has no tag {name!r}, which `train` and `bootstrap` write: "
                "set it, or give the alias to another version"
            )
        return self.tags[name]

    @property
    def made(self) -> date:
        """Logical date of the run that registered it."""
        return date.fromisoformat(self.tag("date"))

    @property
    def window(self) -> LabelWindow:
        """Label window of the labels it learned from."""
        lead, horizon, settle = (int(self.tag(item.name)) for item in fields(LabelWindow))
        return LabelWindow(lead, horizon, settle)

    @property
    def learned_until(self) -> date:
        """Last day of which it may have learned who left."""
        return self.made if self.tag("split") == BY_CUSTOMER else date.fromisoformat(self.tag("holdout_date"))

    @property
    def bootstrap(self) -> bool:
        """Whether it is the base-rate model that stands in until a first training."""
        return self.tags.get("bootstrap") == "true"


def aliased(model: str, alias: str) -> Version | None:
    """The version that an alias points to, if there is one."""
    try:
        aliases: dict[str, str] = mlflow.MlflowClient().get_registered_model(model).aliases
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    if alias not in aliases:
        return None
    return numbered(model, aliases[alias])


def numbered(model: str, number: str | int) -> Version:
    """The version of a number, which must be there."""
    found = mlflow.MlflowClient().get_model_version(model, str(number))
    return Version(model, int(found.version), dict(found.tags))


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


def log(estimator: BaseEstimator, columns: Columns, example: pd.DataFrame, *, rated: bool) -> ModelInfo:
    """Logs a fitted classifier under the active run, as `churn.serving.served` serves it.

    Args:
        estimator: Has `predict_proba`; consists of scikit-learn's and XGBoost's classes alone.
        columns: What it reads; they become the signature.
        example: A few rows of them.
        rated: Whether scores differ between customers, so that bands mean something.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "estimator.joblib"
        joblib.dump(estimator, file)
        info: ModelInfo = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(SERVED),
            artifacts={"estimator": str(file)},
            model_config={"columns": columns.all, "rated": rated},
            signature=signature(columns),
            input_example=example[columns.all],
            pip_requirements=REQUIREMENTS,
        )
        return info


def signature(columns: Columns) -> ModelSignature:
    """Strings and doubles in, one record of `score` and `band` out."""
    return ModelSignature(
        Schema(
            [
                *(ColSpec(DataType.string, name) for name in columns.categorical),
                *(ColSpec(DataType.double, name) for name in columns.numeric),
            ]
        ),
        Schema([ColSpec(DataType.double, "score"), ColSpec(DataType.string, "band")]),
    )
