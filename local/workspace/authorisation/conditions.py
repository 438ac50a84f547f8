"""Conditions of policies: `hasTagValue('classification', 'pii.email') AND NOT hasTag('public')`.

Source: Databricks' documentation, "Create and manage attribute-based access control policies", conditions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = 256  # conditions that were read
_FUNCTIONS = {"hastag": 1, "has_tag": 1, "hastagvalue": 2, "has_tag_value": 2}


def check_condition(text: str, field: str) -> None:
    """Checks that a condition can be judged.

    Raises:
        ApiError: It has something beside calls of `hasTag` and `hasTagValue`, joined by AND, OR, NOT and brackets.
    """
    _judged(_read(text, field), {}, field)


def holds_for(text: str, tags: Mapping[str, str]) -> bool:
    """Whether a condition holds for an object or a column that has these tags."""
    return _judged(_read(text, "condition"), tags, "condition")


@lru_cache(maxsize=KEPT)
def _read(text: str, field: str) -> exp.Expr:
    try:
        return parse_one(text, dialect="databricks")
    except SqlglotError as error:
        raise bad_request(f"{field} is {text!r}: not a condition") from error


def _judged(node: exp.Expr, tags: Mapping[str, str], field: str) -> bool:
    if isinstance(node, exp.Paren):
        return _judged(node.this, tags, field)
    if isinstance(node, exp.Not):
        return not _judged(node.this, tags, field)
    if isinstance(node, exp.And | exp.Or):
        left, right = (_judged(side, tags, field) for side in (node.this, node.expression))
        return (left and right) if isinstance(node, exp.And) else (left or right)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Anonymous) and _FUNCTIONS.get(node.name.lower()) == len(node.expressions):
        values = [str(argument.this) for argument in node.expressions if argument.is_string]
        if len(values) == len(node.expressions):
            return values[0] in tags and (len(values) == 1 or tags[values[0]] == values[1])
    raise bad_request(
        f"{field} has {node.sql('databricks')!r}; allowed: hasTag('key'), hasTagValue('key', 'value'), AND, OR, NOT, "
        "brackets"
    )
