"""Inputs of a model: the columns that it reads, out of gold.churn_features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from churn.feature_engineering.feature import Columns


def inputs(features: DataFrame, columns: Columns, *keys: str) -> DataFrame:
    """Selects what a model reads, in its types: strings and doubles.

    Args:
        features: gold.churn_features.
        columns: What the model reads. A column that the table does not have is NULL for every customer.
        keys: Names of the columns to put before these.
    """
    there = set(features.columns)

    def typed(name: str, kind: str) -> Column:
        value = sf.col(name) if name in there else sf.lit(None)
        return value.cast(kind).alias(name)

    categorical = [typed(name, "string") for name in columns.categorical]
    numeric = [typed(name, "double") for name in columns.numeric]
    return features.select(*keys, *categorical, *numeric)
