"""Model that is served. MLflow copies this file into each version, so it imports no other module of the wheel."""

from __future__ import annotations

import joblib
import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

UNRATED = "unrated"  # the band of every customer where a version has no bands
# Sums inside a matrix product differ in their last bits (1e-16) with the rows around a customer, so scores are rounded
# to this many digits: a customer's is the same in any batch and at the endpoint.
DECIMALS = 6


class Scorer:
    """A fitted classifier, from columns to scores and bands.

    Attributes:
        estimator: Has `predict_proba`.
        columns: Names of the columns that it reads, in order.
        bands: Lowest score of each band, by name; none if scores do not differ between customers.
    """

    def __init__(self, estimator: object, columns: list[str], bands: dict[str, float]) -> None:
        self.estimator = estimator
        self.columns = columns
        self.bands = dict(sorted(bands.items(), key=lambda band: -band[1]))  # stored, they lose their order

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Scores customers.

        Args:
            frame: The model's columns, one row per customer.

        Returns:
            In the input's order and index: `score`, the calibrated probability of leaving in `DECIMALS` digits, and
            `band`.
        """
        probabilities = self.estimator.predict_proba(frame[self.columns])  # type: ignore[attr-defined]  # any estimator of two classes has it
        scores = probabilities[:, 1].astype(float).round(DECIMALS)
        if self.bands:
            bands = np.select([scores >= lowest for lowest in self.bands.values()], list(self.bands), default=UNRATED)
        else:
            bands = np.full(len(scores), UNRATED)
        return pd.DataFrame({"score": scores, "band": bands.astype(object)}, index=frame.index)


class ChurnModel(PythonModel):
    """Answers with one record per customer: `score` and `band`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Reads the fitted classifier, and the columns and bands that were logged with it."""
        config = context.model_config
        self.scorer = Scorer(joblib.load(context.artifacts["estimator"]), config["columns"], config["bands"])

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:  # type: ignore[override]  # MLflow takes this too
        """Scores customers, as `Scorer.score` does."""
        return self.scorer.score(model_input)


mlflow.models.set_model(ChurnModel())
