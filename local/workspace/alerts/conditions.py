"""Conditions of alerts: a column of a result, perhaps aggregated, against a value or another column."""

from __future__ import annotations

import operator
import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.workspace.alerts.documents import State
    from local.workspace.core.store import Document

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
    "NOT_EQUAL": operator.ne,
}
OF_NULL = ("IS_NULL", "IS_NOT_NULL")  # operators without a threshold
_AGGREGATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "MAX": max,
    "MEDIAN": statistics.median,
    "MIN": min,
    "STDDEV": statistics.stdev,
    "SUM": sum,
}


class WrongColumnError(ValueError):
    """A result lacks a column of the condition, or its values are no numbers."""


def state_of(evaluation: Document, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> tuple[State, str]:
    """Judges a result.

    Args:
        evaluation: The SDK's `AlertV2Evaluation`.
        columns: Names of the result's columns.
        rows: Its values as texts.

    Returns:
        The state, and what was compared.

    Raises:
        WrongColumnError: The condition does not fit the result.
    """
    if not rows:
        empty: State = evaluation.get("empty_result_state", "UNKNOWN")
        return empty, "the result is empty"
    source, comparison = evaluation["source"], evaluation["comparison_operator"]
    value = _value(source, columns, rows)
    if comparison in OF_NULL:
        triggered = (value is None) == (comparison == "IS_NULL")
        return _state(triggered), f"{source['name']} is {value}"
    threshold = _threshold(evaluation["threshold"], columns, rows)
    if value is None or threshold is None:
        return "OK", f"{source['name']} is {value}, the threshold {threshold}"
    left, right = _alike(value, threshold)
    said = f"{source['name']} is {value}; {comparison.lower().replace('_', ' ')} {threshold}"
    return _state(_OPERATORS[comparison](left, right)), said


def _state(triggered: bool) -> State:
    return "TRIGGERED" if triggered else "OK"


def _threshold(threshold: Document, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str | None:
    if "column" in threshold:
        return _value(threshold["column"], columns, rows)
    (value,) = threshold["value"].values()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(operand: Document, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str | None:
    """A column's value: of the first row, or aggregated over all rows."""
    if operand["name"] not in columns:
        raise WrongColumnError(f"the result has no column {operand['name']!r}; it has {', '.join(columns)}")
    found = [row[columns.index(operand["name"])] for row in rows]
    aggregation = operand.get("aggregation")
    if aggregation is None:
        return found[0]
    known = [value for value in found if value is not None]
    if aggregation == "COUNT":
        return str(len(known))
    if aggregation == "COUNT_DISTINCT":
        return str(len({*known}))
    try:
        return str(_AGGREGATIONS[aggregation]([float(value) for value in known])) if known else None
    except (ValueError, statistics.StatisticsError) as error:
        raise WrongColumnError(f"{aggregation} of {operand['name']}: {error}") from error


def _alike(left: str, right: str) -> tuple[Any, Any]:
    """Both as numbers where both are, else as texts."""
    try:
        return float(left), float(right)
    except ValueError:
        return left, right
