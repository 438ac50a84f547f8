"""Names of tables, views and functions in full."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.workspace.core.errors import ApiError

NOWHERE = "spark_catalog"


@dataclass(frozen=True)
class Scope:
    """The catalog and the schema of names that come without them; Spark's own where a statement has none."""

    catalog: str = NOWHERE
    schema: str = "default"

    def full(self, parts: list[str]) -> str:
        """Returns a name in full and in small letters; one with @ would be a version of another table.

        Raises:
            ApiError: It has more than three parts, or one that no object can have.
        """
        if not 1 <= len(parts) <= 3 or any(not re.fullmatch(r"[^\s./`@\x00-\x1f\x7f]{1,255}", part) for part in parts):
            raise not_there(".".join(parts))
        return ".".join([*(self.catalog, self.schema)[: 3 - len(parts)], *parts]).lower()

    def schema_name(self, parts: list[str]) -> str:
        """Returns the name of a schema in full."""
        return ".".join([self.catalog, *parts][-2:]).lower()


def not_there(name: str) -> ApiError:
    """Returns the error of SQL for a name that is no table and no view."""
    text = f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{name}` cannot be found. SQLSTATE: 42P01"
    return ApiError(400, "BAD_REQUEST", text)
