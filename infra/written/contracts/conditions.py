"""Conditions of quality rules, parsed as Databricks would and compared with the columns of their contract.

What this finds would otherwise stop the silver pipeline after everything is deployed. The docstring of each function
below `broken_conditions` is the rule that it checks. A contract is read here as far as it can be: its other faults are
the reader's.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from churn.core.contract_terms import LISTED, VALUES
from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

DIALECT = "databricks"
# What a condition on one row cannot hold: Spark would refuse it, or read other rows.
BEYOND_A_ROW = {
    exp.Query: "a query",
    exp.Window: "a window over other rows",
    exp.AggFunc: "an aggregate over other rows",
}
COMPARED = (exp.EQ, exp.NEQ, exp.NullSafeEQ)
CONDITIONS = (exp.Column, exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Paren, exp.Func)


def broken_conditions(document: Document) -> Iterator[Fault]:
    """The faults of all conditions of a contract, each with file, line, field and remedy."""
    for number, table in enumerate(mappings(document.values.get("schema"))):
        columns = {str(column.get("name")): column for column in mappings(table.get("properties"))}
        for index, rule in enumerate(mappings(table.get("quality"))):
            place: Place = ("schema", number, "quality", index, "implementation")
            if isinstance(rule.get("implementation"), str):
                yield from _condition(document, place, rule["implementation"], columns)


def _condition(document: Document, place: Place, text: str, columns: dict[str, Any]) -> Iterator[Fault]:
    """Requires one condition in SQL."""
    try:
        statements = sqlglot.parse(text, read=DIALECT)
    except SqlglotError as error:
        found = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        at = f"at character {found['col']}: {found['description']}" if found.get("col") else "quotes do not match"
        remedy = f"correct it {at[0].lower()}{at[1:]}" if found.get("col") else f"close what is open; {at}"
        yield document.fault(place, received=shown(text), allowed="a condition in SQL", remedy=remedy)
        return
    (condition, *others) = statements
    if others or not isinstance(condition, CONDITIONS) or isinstance(condition, exp.Query):
        allowed, remedy = "one condition, which is true or false of a row", "write what each row has to meet"
        yield document.fault(place, received=shown(text), allowed=allowed, remedy=remedy)
        return
    yield from _names(document, place, condition, columns)
    yield from _reach(document, place, condition)
    yield from _functions(document, place, condition)
    yield from _literals(document, place, condition, columns)


def _names(document: Document, place: Place, condition: exp.Expr, columns: dict[str, Any]) -> Iterator[Fault]:
    """Requires of every name that it is a column of the contract."""
    arguments = {name.name for each in condition.find_all(exp.Lambda) for name in each.expressions}
    known = {name.lower() for name in columns}  # Spark's columns do not differ by capitals
    for name in dict.fromkeys(column.sql(dialect=DIALECT) for column in condition.find_all(exp.Column)):
        first = name.replace("`", "")
        if first not in arguments and first.lower() not in known:
            meant = nearest(first, columns)
            remedy = f"write {meant}" if meant else "name a column of this contract, or put text in single quotes"
            yield document.fault(place, received=f"the column {first}", allowed=choices(columns), remedy=remedy)


def _reach(document: Document, place: Place, condition: exp.Expr) -> Iterator[Fault]:
    """Requires a condition that looks at one row."""
    for kind, words in BEYOND_A_ROW.items():
        if condition.find(kind):
            allowed, remedy = (
                "a condition on the columns of one row",
                "put what needs other rows into a check of its own",
            )
            yield document.fault(place, received=words, allowed=allowed, remedy=remedy)


def _functions(document: Document, place: Place, condition: exp.Expr) -> Iterator[Fault]:
    """Requires functions that Spark has."""
    for function in condition.find_all(exp.Anonymous):
        name = function.name.lower()
        if name not in spark_functions():
            meant = nearest(name, spark_functions())
            remedy = f"write {meant}" if meant else "use another function"
            yield document.fault(place, received=f"the function {name}", allowed="Spark's own functions", remedy=remedy)


@cache
def spark_functions() -> frozenset[str]:
    """Names of Spark's functions, out of its sources, since importing them takes longer than the whole check."""
    spec = find_spec("pyspark")
    folder = Path(str(spec.origin)).parent if spec else Path()
    text = (folder / "sql" / "functions" / "builtin.py").read_text()
    return frozenset(re.findall(r"^def ([a-z]\w*)\(", text, re.MULTILINE))


def _literals(document: Document, place: Place, condition: exp.Expr, columns: dict[str, Any]) -> Iterator[Fault]:
    """Requires of a value that a condition compares a column with that it is one of the column's listed values."""
    for column, values in _comparisons(condition):
        listed = _listed(columns.get(column, {}))
        for value in values if listed else ():
            if value not in listed:
                meant = nearest(value, listed)
                remedy = f"write {meant}" if meant else f"correct it, or list it as a value of {column}"
                yield document.fault(
                    place, received=f"{column} compared with {shown(value)}", allowed=choices(listed), remedy=remedy
                )


def _comparisons(condition: exp.Expr) -> Iterator[tuple[str, list[str]]]:
    """The columns that are compared with texts, and the texts."""
    for each in condition.find_all(*COMPARED, exp.In):
        sides = [each.this, *each.expressions] if isinstance(each, exp.In) else [each.this, each.expression]
        texts = [side.this for side in sides if isinstance(side, exp.Literal) and side.is_string]
        for side in sides:
            if isinstance(side, exp.Column):
                yield side.name, texts


def _listed(column: dict[str, Any]) -> list[str]:
    """The texts that a column may have; none if it may have any."""
    for rule in mappings(column.get("quality")):
        arguments = rule.get("arguments")
        if rule.get("metric") == LISTED and isinstance(arguments, dict) and isinstance(arguments.get(VALUES), list):
            return [str(value) for value in arguments[VALUES]]
    return []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The elements of a list, those that are no mappings empty."""
    return [each if isinstance(each, dict) else {} for each in value] if isinstance(value, list) else []
