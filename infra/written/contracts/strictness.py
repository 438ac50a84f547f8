"""Whether a condition on rows is looser or stricter than another, as far as their SQL shows it."""

from __future__ import annotations

from enum import StrEnum

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from infra.written.contracts.conditions import DIALECT


class Strictness(StrEnum):
    """How a condition has changed: which rows it lets pass."""

    SAME = "the same"
    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    OTHER = "changed"


def compare(before: str, now: str) -> Strictness:
    """Compares two conditions.

    Args:
        before: The earlier one, SQL.
        now: The later one.

    Returns:
        `LOOSENED` or `TIGHTENED` where one lets pass all rows of the other and more: a further alternative or
        requirement, a wider or narrower range, values more or fewer in a list. `OTHER` where the SQL does not show it.
    """
    try:
        one, other = (sqlglot.parse_one(text, read=DIALECT) for text in (before, now))
    except SqlglotError:
        return Strictness.OTHER
    return _compare(_bare(one), _bare(other))


def _compare(before: exp.Expr, now: exp.Expr) -> Strictness:
    if before == now:
        return Strictness.SAME
    for outer, kind, inside, outside in (
        (now, exp.Or, before, Strictness.LOOSENED),
        (now, exp.And, before, Strictness.TIGHTENED),
        (before, exp.Or, now, Strictness.TIGHTENED),
        (before, exp.And, now, Strictness.LOOSENED),
    ):
        if isinstance(outer, kind) and _parts(inside, kind) < _parts(outer, kind):
            return outside
    for kind in (exp.Or, exp.And):
        if isinstance(before, kind) and isinstance(now, kind):
            return _one_part(before, now, kind)
    if isinstance(before, exp.Between) and isinstance(now, exp.Between) and before.this == now.this:
        return _ranges(before, now)
    if isinstance(before, exp.In) and isinstance(now, exp.In) and before.this == now.this:
        return _sets(set(before.expressions), set(now.expressions))
    return Strictness.OTHER


def _one_part(before: exp.Expr, now: exp.Expr, kind: type[exp.Connector]) -> Strictness:
    """Compares two conditions of several parts, of which one is another."""
    (gone, come) = (_parts(before, kind) - _parts(now, kind), _parts(now, kind) - _parts(before, kind))
    return _compare(gone.pop(), come.pop()) if len(gone) == len(come) == 1 else Strictness.OTHER


def _ranges(before: exp.Between, now: exp.Between) -> Strictness:
    """Compares two ranges of one column by their bounds."""
    try:
        low, high, new_low, new_high = (
            float(each.args[bound].sql()) for each in (before, now) for bound in ("low", "high")
        )
    except ValueError:  # dates, columns
        return Strictness.OTHER
    if new_low <= low and new_high >= high:
        return Strictness.LOOSENED
    return Strictness.TIGHTENED if new_low >= low and new_high <= high else Strictness.OTHER


def _sets(before: set[exp.Expr], now: set[exp.Expr]) -> Strictness:
    """Compares two lists of values of one column."""
    if before < now:
        return Strictness.LOOSENED
    return Strictness.TIGHTENED if now < before else Strictness.OTHER


def _parts(condition: exp.Expr, kind: type[exp.Connector]) -> set[exp.Expr]:
    """The parts that a condition joins by AND or by OR; the condition itself if it joins none."""
    return {_bare(part) for part in condition.flatten()} if isinstance(condition, kind) else {condition}


def _bare(condition: exp.Expr) -> exp.Expr:
    """A condition without brackets around it."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    return condition
