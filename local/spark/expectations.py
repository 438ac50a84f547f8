"""Expectations (`dp.expect*`) for open Spark's pipelines engine, which has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pyspark.sql import functions as sf

from local.errors import UnsupportedSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

Action = Literal["warn", "drop", "fail"]


@dataclass(frozen=True)
class Expectation:
    """One rule of a dataset.

    Attributes:
        name: Its name, unique within the dataset.
        condition: SQL condition that each row should meet.
        action: `warn` keeps a row that does not, `drop` drops the row, `fail` fails the update.
    """

    name: str
    condition: str
    action: Action

    @property
    def holds(self) -> Column:
        """Whether a row meets the condition; a condition that is NULL is not met."""
        return sf.coalesce(sf.expr(self.condition).cast("boolean"), sf.lit(False))


@dataclass(frozen=True)
class Declared:
    """Result of `@dp.table` and its like instead of None: a marker by which a decorator placed above is refused."""

    dataset: str


def expect(action: Action, rules: Mapping[str, str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Returns a decorator that adds rules to a query function, to be placed below `@dp.table`.

    Raises:
        UnsupportedSourceError: The decorator is placed above, where the dataset is already declared without the rules.
    """

    def decorate(function: Callable[..., Any] | Declared) -> Callable[..., Any]:
        if isinstance(function, Declared):
            raise UnsupportedSourceError(
                f"{function.dataset}: expectations {', '.join(rules)} stand above the decorator that declares the "
                "dataset, where they have no effect: put them below it"
            )
        added = [Expectation(name, condition, action) for name, condition in rules.items()]
        function.expectations = [*of(function), *added]  # type: ignore[attr-defined]  # functions carry them
        return function

    return decorate


def of(function: Callable[..., Any]) -> list[Expectation]:
    """Expectations of a query function."""
    return list(getattr(function, "expectations", []))


def checked(rows: DataFrame, metric: str, expectations: Sequence[Expectation]) -> DataFrame:
    """Adds the counting of rows, and then the dropping and failing, to a query.

    The filters come after the counting, and Spark pushes no filter below it, so that all rows of the query are counted.

    Args:
        rows: The flow's own query.
        metric: Name of the observation, which has `rows`, `dropped`, and `failed_<i>` for each expectation.
        expectations: The flow's rules.
    """
    keeps = [expectation.holds for expectation in expectations if expectation.action == "drop"]
    # not `a AND b AND …`: to negate some 25 rules, the optimizer would fill the heap
    keep = sf.forall(sf.array(*keeps), lambda holds: holds) if keeps else sf.lit(True)
    failed = [sf.count_if(~expectation.holds).alias(f"failed_{i}") for i, expectation in enumerate(expectations)]
    result = rows.observe(metric, sf.count(sf.lit(1)).alias("rows"), sf.count_if(~keep).alias("dropped"), *failed)
    for expectation in expectations:
        if expectation.action == "fail":
            text = f"[EXPECTATION_VIOLATION] {expectation.name}: {expectation.condition}; row: "
            error = sf.raise_error(sf.concat(sf.lit(text), sf.to_json(sf.struct("*")))).cast("boolean")
            result = result.filter(sf.when(expectation.holds, sf.lit(True)).otherwise(error))
    return result.filter(keep) if keeps else result


def quality(expectations: Sequence[Expectation], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Passed and failed rows of each expectation, from the observation that `checked` makes."""
    return [
        {
            "name": expectation.name,
            "action": expectation.action,
            "passed": counts["rows"] - counts[f"failed_{i}"],
            "failed": counts[f"failed_{i}"],
        }
        for i, expectation in enumerate(expectations)
    ]
