"""Named parameter markers of SQL statements (`:name`).

Spark binds markers while parsing. Delta's parser, which runs before Spark's, loses them (seen with Delta 4.4.0 on Spark
4.2.0: UNBOUND_SQL_PARAMETER). This module therefore replaces markers by typed literals.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.workspace.core.store import Document

# A marker is not inside a text, a quoted name or a comment. `::` is a cast; `a:b`, after a name, is not a marker.
_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*` | --[^\n]* | /\*.*?\*/
    | ::
    | [\w)\]]:+
    | :(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_CHECKS: dict[str, Callable[[str], object]] = {
    "BIGINT": int,
    "BOOLEAN": _boolean,
    "DATE": date.fromisoformat,
    "DECIMAL": Decimal,
    "DOUBLE": float,
    "FLOAT": float,
    "INT": int,
    "STRING": str,
    "TIMESTAMP": datetime.fromisoformat,
}


def bound(statement: str, parameters: list[Document]) -> str:
    """Returns a statement with its markers replaced.

    Args:
        statement: The SQL.
        parameters: `name`, `type` (STRING if left out) and `value` (NULL if left out) of each.

    Raises:
        ApiError: A marker has no parameter, a value is not of its type, or the type is unknown.
    """
    literals = {parameter["name"]: _literal(parameter) for parameter in parameters}

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in literals:
            raise ApiError(400, "BAD_REQUEST", f"[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {name}.")
        return literals[name]

    return _TOKEN.sub(replace, statement)


def _literal(parameter: Document) -> str:
    name, kind, text = parameter["name"], parameter.get("type", "STRING").upper(), parameter.get("value")
    check = _CHECKS.get("DECIMAL" if re.fullmatch(r"DECIMAL\(\d+(, ?\d+)?\)", kind) else kind)
    if check is None:
        allowed = ", ".join(sorted(_CHECKS))
        raise ApiError(400, "BAD_REQUEST", f"parameter {name} is of type {kind}; allowed: {allowed}")
    if text is None:
        return f"CAST(NULL AS {kind})"
    try:
        check(text)
    except (ArithmeticError, ValueError) as error:
        raise ApiError(400, "BAD_REQUEST", f"parameter {name}: {text!r} is not of type {kind}") from error
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"CAST('{quoted}' AS {kind})"
