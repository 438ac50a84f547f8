"""The served model as an earlier release packaged it, with the bands in its code; registered versions hold this."""

from __future__ import annotations

import joblib
import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

# lowest score of each band; a model that tells no customer from another rates none
BANDS = {"high": 0.6, "medium": 0.3, "low": 0.0}
UNRATED = "unrated"
# Sums inside a matrix product differ in their last bits (1e-16) with the rows around a customer, so scores end here:
# a customer's is the same in any batch and at the endpoint.
DECIMALS = 6


class Scorer:
    """A fitted classifier, from columns to scores and bands."""

    def __init__(self, estimator: object, columns: list[str], rated: bool) -> None:
        self.estimator = estimator
        self.columns = columns
        self.rated = rated

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Scores customers.

        Returns:
            In the input's order and index: `score`, the calibrated probability of leaving in `DECIMALS` digits, and
            `band`.
        """
        probabilities = self.estimator.predict_proba(frame[self.columns])  # type: ignore[attr-defined]  # any estimator of two classes has it
        scores = probabilities[:, 1].astype(float).round(DECIMALS)
        if self.rated:
            bands = np.select([scores >= lowest for lowest in BANDS.values()], list(BANDS), default=UNRATED)
        else:
            bands = np.full(len(scores), UNRATED)
        return pd.DataFrame({"score": scores, "band": bands.astype(object)}, index=frame.index)


class ChurnModel(PythonModel):
    """Answers with one record per customer: `score` and `band`."""

    def load_context(self, context: PythonModelContext) -> None:
        config = context.model_config
        self.scorer = Scorer(joblib.load(context.artifacts["estimator"]), config["columns"], config["rated"])

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:  # type: ignore[override]  # MLflow takes this too
        return self.scorer.score(model_input)


mlflow.models.set_model(ChurnModel())
