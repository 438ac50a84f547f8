"""Packaging of a fitted classifier as a model for MLflow: code, columns, bands, signature and requirements."""

from __future__ import annotations

from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import joblib
import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo
    from sklearn.base import BaseEstimator

    from churn.feature_engineering.feature import Columns

SERVED = Path(__file__).with_name("served_model.py")


def log(estimator: BaseEstimator, columns: Columns, example: pd.DataFrame, bands: dict[str, float]) -> ModelInfo:
    """Logs a fitted classifier under the active run, as `churn.serving.served_model` serves it.

    Args:
        estimator: Has `predict_proba`; consists of scikit-learn's and XGBoost's classes alone.
        columns: What it reads; they become the signature, and later days are scored with them.
        example: A few rows of them.
        bands: Lowest score of each band, by name (`churn.serving.bands`).
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "estimator.joblib"
        joblib.dump(estimator, file)
        info: ModelInfo = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(SERVED),
            artifacts={"estimator": str(file)},
            model_config={"columns": columns.all, "bands": bands},
            signature=signature(columns),
            input_example=example[columns.all],
            pip_requirements=requirements(),
        )
        return info


def requirements() -> list[str]:
    """Pins what the served model imports, in the versions that it was fitted with.

    They are named, since MLflow would start the model in another process to find out. XGBoost is installed as
    `xgboost-cpu` where that is built, else as `xgboost`.
    """
    names = ["joblib", "mlflow", "numpy", "pandas", "scikit-learn", *packages_distributions()["xgboost"]]
    return [f"{name}=={version(name)}" for name in names]


def signature(columns: Columns) -> ModelSignature:
    """Strings and doubles as input, one record of `score` and `band` as output."""
    return ModelSignature(
        Schema(
            [
                *(ColSpec(DataType.string, name) for name in columns.categorical),
                *(ColSpec(DataType.double, name) for name in columns.numeric),
            ]
        ),
        Schema([ColSpec(DataType.double, "score"), ColSpec(DataType.string, "band")]),
    )
