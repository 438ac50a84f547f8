"""Feature group: features that one function builds, with their types, units, windows and meanings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame

CATEGORY = "STRING"  # the type of a category; a feature of any other type is a number


@dataclass(frozen=True)
class Feature:
    """One feature of a customer.

    Attributes:
        name: Its column.
        type: Its Spark type: `STRING` for a category, `INT` or `DOUBLE` for a number.
        unit: What its values are: a category's values, or a number's unit.
        meaning: What it says of a customer.
        window_days: It counts what is dated within so many days up to the observation date; None: no window.
        default: Its value where the sources have no row of the customer; None: it stays NULL, as models allow.
    """

    name: str
    type: str
    unit: str
    meaning: str
    window_days: int | None = None
    default: float | None = None


@dataclass(frozen=True)
class Known:
    """Tables as known at the end of an observation date: of each row, its last report by then.

    Attributes:
        observed: The observation date.
        customers: silver.customer's columns of the customers active on the date, one row each.
        bills: silver.transactions' columns.
        tickets: silver.support's columns.
        contacts: silver.marketing's columns.
        usage: silver.usage's columns.
    """

    observed: date
    customers: DataFrame
    bills: DataFrame
    tickets: DataFrame
    contacts: DataFrame
    usage: DataFrame


@dataclass(frozen=True)
class FeatureGroup:
    """Features that come from the same sources by one function.

    Attributes:
        name: Name of the group and of its module in `churn.feature_engineering.groups`.
        meaning: What its features say of a customer.
        sources: Names of the silver tables that it reads.
        features: Its features.
        build: Adds the features' columns to a frame of the active customers and returns it, rows unchanged. A value may
            be NULL where the sources have no row: `Feature.default` is put there afterwards.
    """

    name: str
    meaning: str
    sources: tuple[str, ...]
    features: tuple[Feature, ...]
    build: Callable[[DataFrame, Known], DataFrame]


@dataclass(frozen=True)
class Columns:
    """Columns that a model reads.

    Attributes:
        categorical: Names of the columns of strings.
        numeric: Names of the columns of numbers: doubles, NaN where unknown.
    """

    categorical: tuple[str, ...]
    numeric: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """Names of all columns: categories, then numbers."""
        return [*self.categorical, *self.numeric]

    def __or__(self, other: Columns) -> Columns:
        """The columns of either, each once."""
        return Columns(
            tuple(dict.fromkeys(self.categorical + other.categorical)),
            tuple(dict.fromkeys(self.numeric + other.numeric)),
        )
