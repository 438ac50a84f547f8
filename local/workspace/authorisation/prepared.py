"""What runs in the place of a caller's statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.workspace.authorisation.dialect import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _nothing() -> None:
    """What most statements do when Spark has run them."""


@dataclass(frozen=True)
class Prepared:
    """A judged statement.

    Attributes:
        sql: What Spark runs; empty where the workspace itself has done all.
        then: What the workspace does once Spark has run it.
        secrets: Values of secrets within it.
        guarded: Whether it reads anything masked or filtered, so that no message of Spark about a value may be shown.
    """

    sql: str = ""
    then: Callable[[], object] = _nothing
    secrets: set[str] = field(default_factory=set)
    guarded: bool = False

    def shown(self, message: str, condition: str | None) -> str:
        """Returns a message of Spark without what the caller may not see."""
        if self.secrets or (self.guarded and condition not in _OF_NAMES):
            return f"[{condition or 'INTERNAL_ERROR'}] The query failed on values that are masked, filtered or secret."
        return message


# Conditions of errors whose texts have names, and no values: https://spark.apache.org/docs/latest/sql-error-conditions.html
_OF_NAMES = (
    "AMBIGUOUS_REFERENCE",
    "TABLE_OR_VIEW_NOT_FOUND",
    "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    "UNRESOLVED_ROUTINE",
)


def rows(columns: Iterable[str], values: Iterable[Iterable[str | None]]) -> str:
    """Returns a query whose result is these rows of texts."""
    names = list(columns)
    listed = ["(" + ", ".join(_literal(value) for value in row) + ")" for row in values]
    if not listed:
        return f"SELECT {', '.join(f'CAST(NULL AS STRING) AS {quoted(name)}' for name in names)} WHERE FALSE"
    return f"SELECT * FROM VALUES {', '.join(listed)} AS `_rows`({', '.join(quoted(name) for name in names)})"


def _literal(value: str | None) -> str:
    if value is None:
        return "CAST(NULL AS STRING)"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
