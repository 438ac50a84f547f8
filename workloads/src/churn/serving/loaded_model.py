"""Registered version in memory, with the columns of its own signature.

A version reads the features that it was trained on, whatever features are built today: one that was added since is not
read, and one that is no longer built is NULL, which trees take as it is, imputers replace by the median, and one-hot
encoders treat as an unknown category.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import mlflow
import numpy as np
import pandas as pd
from mlflow.types import DataType

from churn.feature_engineering.feature import Columns
from churn.feature_engineering.groups import COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from churn.serving.model_version import Version


class Scorer(Protocol):
    """Interface of `churn.serving.served_model.Scorer`, which is part of each logged model."""

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Scores customers: `score` and `band` in the input's order."""
        ...


@dataclass(frozen=True)
class LoadedModel:
    """A registered version in memory.

    Attributes:
        version: Which one.
        model: The model as MLflow loads it, a `PyFuncModel`.
        columns: What it reads, by its signature.
    """

    version: Version
    model: Any  # MLflow declares what it answers as any of ten types
    columns: Columns

    @property
    def missing(self) -> list[str]:
        """Features that it reads and that are no longer built."""
        return [name for name in self.columns.all if name not in COLUMNS.all]

    @property
    def warning(self) -> str | None:
        """Sentence about missing features; None if there are none."""
        if not self.missing:
            return None
        names = ", ".join(self.missing)
        return f"version {self.version.number} of {self.version.model} reads features no longer built as NULL: {names}"

    @property
    def scorer(self) -> Scorer:
        """Its scorer, which works without MLflow."""
        scorer: Scorer = self.model.unwrap_python_model().scorer
        return scorer

    def scores(self, customers: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Probabilities of leaving, in the input's order; the input has the model's columns and perhaps others."""
        answer = self.model.predict(customers[self.columns.all])
        scores: npt.NDArray[np.float64] = answer["score"].to_numpy(np.float64)
        return scores


def load(version: Version) -> LoadedModel:
    """Loads a version; it has a signature, without which Unity Catalog registers none."""
    model = mlflow.pyfunc.load_model(version.uri)
    schema = model.metadata.get_input_schema()
    categorical = [item.name for item in schema.inputs if item.type == DataType.string]
    numeric = [item.name for item in schema.inputs if item.type != DataType.string]
    return LoadedModel(version, model, Columns(tuple(categorical), tuple(numeric)))
