"""The two kinds of model, their fit and their cross-validation. No Spark, no MLflow, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from churn.training.metrics import evaluate

if TYPE_CHECKING:
    from churn.feature_engineering.feature import Columns

SEED = 20_240_229
Rows = npt.NDArray[np.intp]


def logistic_regression(columns: Columns) -> Pipeline:
    """One-hot categories, scaled numbers with the median where unknown, L2 regression."""
    numeric = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    return Pipeline(
        [("encode", _encode(columns, numeric)), ("model", LogisticRegression(max_iter=2_000, random_state=SEED))]
    )


def xgboost(columns: Columns) -> Pipeline:
    """One-hot categories, numbers as they are (trees take NaN), shallow boosted trees.

    Depth, rate and rounds were chosen by 5 x 3 folds on Telco, where deeper trees gain nothing. One thread: sums in
    another order would give other trees.
    """
    model = XGBClassifier(
        n_estimators=250,
        max_depth=3,
        learning_rate=0.05,
        min_child_weight=5,
        subsample=0.8,
        colsample_bytree=0.8,
        tree_method="hist",
        n_jobs=1,
        random_state=SEED,
    )
    return Pipeline([("encode", _encode(columns, "passthrough")), ("model", model)])


KINDS: dict[str, Callable[[Columns], Pipeline]] = {"logistic_regression": logistic_regression, "xgboost": xgboost}


def fit_calibrated(kind: str, frame: pd.DataFrame, columns: Columns) -> CalibratedClassifierCV:
    """Fits a kind, and calibrates its scores to probabilities by a sigmoid, fitted on out-of-fold scores (Platt, 1999).

    One sigmoid over all folds and one model fitted on everything (`ensemble=False`), so serving costs one model.

    Args:
        kind: Name out of `KINDS`.
        frame: `customer_id`, the model's columns, and the label `churned` (0 or 1).
        columns: What the model reads.
    """
    folds = list(customer_folds(frame, repeats=1))
    model = CalibratedClassifierCV(KINDS[kind](columns), method="sigmoid", cv=folds, ensemble=False)
    model.fit(frame[columns.all], frame["churned"])
    return model.set_params(cv=None)  # the row numbers of the folds do not belong into a served model


def customer_folds(frame: pd.DataFrame, repeats: int) -> Iterator[tuple[Rows, Rows]]:
    """Deals customers into 5 folds, stratified by outcome; all rows of a customer fall into the same one.

    Yields:
        Positions of the rows to fit on, and of those to test on; 5 pairs a repeat.
    """
    customers = frame.groupby("customer_id")["churned"].max()
    for _, test in RepeatedStratifiedKFold(n_splits=5, n_repeats=repeats, random_state=SEED).split(
        customers, customers
    ):
        tested = frame["customer_id"].isin(customers.index[test]).to_numpy()
        yield np.flatnonzero(~tested), np.flatnonzero(tested)


def cross_validate(
    frame: pd.DataFrame, columns: Columns, kinds: Sequence[str] = tuple(KINDS), repeats: int = 3
) -> pd.DataFrame:
    """Measures each kind by 5 stratified folds, repeated.

    Args:
        frame: `customer_id`, the model's columns, and the label `churned` (0 or 1).
        columns: What the model reads.
        kinds: Names out of `KINDS`.
        repeats: Number of times that the customers are dealt into folds.

    Returns:
        One row per kind and fold (5 a repeat): `kind`, `fold`, and the metrics of `churn.training.metrics.evaluate`.
    """
    inputs, labels = frame[columns.all], frame["churned"].to_numpy(np.int64)
    rows = []
    for fold, (train, test) in enumerate(customer_folds(frame, repeats)):
        for kind in kinds:
            pipeline = KINDS[kind](columns).fit(inputs.iloc[train], labels[train])
            scores = pipeline.predict_proba(inputs.iloc[test])[:, 1]
            rows.append({"kind": kind, "fold": fold, **evaluate(labels[test], scores)})
    return pd.DataFrame(rows)


def importances(model: CalibratedClassifierCV) -> pd.Series[float]:
    """Weights of the inputs of a fitted model, by encoded column: coefficients of scaled inputs, or XGBoost's gain."""
    pipeline = model.calibrated_classifiers_[0].estimator
    final = pipeline.named_steps["model"]
    weights = final.coef_[0] if isinstance(final, LogisticRegression) else final.feature_importances_
    return pd.Series(weights, index=pipeline.named_steps["encode"].get_feature_names_out(), dtype="float64")


def _encode(columns: Columns, numeric: Pipeline | str) -> ColumnTransformer:
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [("category", categories, list(columns.categorical)), ("number", numeric, list(columns.numeric))],
        verbose_feature_names_out=False,
    )
