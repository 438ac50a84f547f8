"""Databricks' SQL as trees: read, checked for what can be judged, and written again.

Spark runs what is written from the tree and never the caller's text: what the tree does not show does not run.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any, ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import SqlglotError
from sqlglot.generators.databricks import DatabricksGenerator
from sqlglot.parsers.databricks import DatabricksParser

from local.workspace.core.errors import ApiError, bad_request

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements that it does not read, which are refused

DEEPEST = 400  # brackets within brackets; deeper ones end Python's stack
KEPT = 256  # bodies of functions that were read
LONGEST = 1_000_000  # characters of a statement


class Text(exp.Expression):
    """A piece of SQL that is written already."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


_HINTS = ("BROADCAST", "BROADCASTJOIN", "MAPJOIN", "MERGE", "MERGEJOIN", "SHUFFLEMERGE", "SHUFFLE_HASH")
_WITH_WORDS = ("CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTR", "SUBSTRING", "TRIM", "TRY_CAST", *_HINTS)


class _Dialect(Databricks):
    class Tokenizer(Databricks.Tokenizer):
        STRING_ESCAPES: ClassVar[list[str]] = ["\\", "'", '"']  # a doubled quote is one, as in Spark 4
        # else 1.50BD would become CAST(1.50 AS DECIMAL), which is 2
        NUMERIC_LITERALS: ClassVar[dict[str, str]] = {**Databricks.Tokenizer.NUMERIC_LITERALS, "BD": "BIGDECIMAL"}

    class Parser(DatabricksParser):
        # Functions keep their names, and are not translated into others that are alike: only those are read in a way of
        # their own that have words between their arguments.
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        ARRAY_CONSTRUCTORS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in DatabricksParser.FUNCTION_PARSERS.items() if name in _WITH_WORDS
        }

    class Generator(DatabricksGenerator):
        TRANSFORMS: ClassVar[dict[Any, Any]] = {**DatabricksGenerator.TRANSFORMS, Text: lambda _, node: str(node.this)}


# What a query is made of beside conditions, which are all expressions that have a value.
_STRUCTURE = (
    exp.Alias,
    exp.Aliases,
    exp.Cluster,
    exp.ColumnDef,
    exp.CTE,
    exp.Cube,
    exp.DataType,
    exp.DataTypeParam,
    exp.Distinct,
    exp.Distribute,
    exp.Fetch,
    exp.Filter,
    exp.From,
    exp.Group,
    exp.GroupingSets,
    exp.Having,
    exp.HavingMax,
    exp.Identifier,
    exp.IgnoreNulls,
    exp.IntervalSpan,
    exp.Join,
    exp.Lambda,
    exp.Lateral,
    exp.Limit,
    exp.Offset,
    exp.Order,
    exp.Ordered,
    exp.Pivot,
    exp.PivotAlias,
    exp.PivotAny,
    exp.Qualify,
    exp.Query,
    exp.RespectNulls,
    exp.Rollup,
    exp.Sort,
    exp.Star,
    exp.TableAlias,
    exp.TableSample,
    exp.Tuple,
    exp.UnpivotColumns,
    exp.Values,
    exp.Var,
    exp.Version,
    exp.Where,
    exp.Window,
    exp.WindowSpec,
    exp.With,
    exp.WithinGroup,
    Text,
)
_CONDITIONS = (exp.Condition, exp.Interval, exp.Table)
_REFUSED = (exp.Command, exp.Parameter, exp.Placeholder, exp.SessionParameter)
# Functions of Spark that run code, or take the name of a table or function as a text.
_REFUSED_FUNCTIONS = {"identifier", "java_method", "reflect", "table", "try_reflect"}


def refused(what: str) -> ApiError:
    """Returns the error for a statement that cannot be judged, and therefore does not run."""
    message = f"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: {what}. SQLSTATE: 42501"
    return ApiError(403, "PERMISSION_DENIED", message)


def read(statement: str) -> exp.Expr:
    """Reads one statement.

    Raises:
        ApiError: It is none, or several, or cannot be read.
    """
    if len(statement) > LONGEST:
        raise bad_request(f"the statement has {len(statement)} characters; allowed: {LONGEST}")
    if "${" in statement:
        raise refused("${…} is replaced by Spark after the statement was judged; write the value")
    if _depth(statement) > DEEPEST:
        raise refused(f"the statement has more than {DEEPEST} brackets within brackets")
    try:
        trees: list[Any] = [tree for tree in parse(statement, dialect=_Dialect) if tree is not None]
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        place = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n", maxsplit=1)[0][:200]
        raise syntax_error(place) from error
    if len(trees) != 1:
        raise syntax_error(f"{len(trees)} statements; send one")
    tree: exp.Expr = trees[0]
    return tree


def syntax_error(message: str) -> ApiError:
    """Returns the error for a statement that cannot be read."""
    return ApiError(400, "BAD_REQUEST", f"[PARSE_SYNTAX_ERROR] Syntax error: {message} SQLSTATE: 42601")


def written(tree: exp.Expr) -> str:
    """Returns the SQL of a tree."""
    for cast in tree.find_all(exp.Cast):
        if cast.to.is_type(exp.DataType.Type.BIGDECIMAL):
            digits, _, places = cast.this.name.partition(".")
            cast.set(
                "to", exp.DataType.build(f"DECIMAL({max(len(digits + places), 1)}, {len(places)})", dialect=_Dialect)
            )
    return tree.sql(dialect=_Dialect, comments=False, normalize_functions=False)


def quoted(name: str) -> str:
    """Returns a name in backticks."""
    return f"`{name.replace('`', '``')}`"


def check_nodes(tree: exp.Expr, also: tuple[type[exp.Expr], ...] = ()) -> None:
    """Refuses a query that has anything beside what is known to read tables by their names alone.

    Args:
        tree: The query.
        also: Further kinds of nodes, where it is part of a statement.

    Raises:
        ApiError: A part of it is not among the known ones.
    """
    for hint in list(tree.find_all(exp.Hint)):
        hint.pop()
    for node in tree.walk():
        known = isinstance(node, (*_STRUCTURE, *_CONDITIONS, *also)) and not isinstance(node, _REFUSED)
        if not known:
            raise refused(f"{_spoken(node)} cannot be checked")
        if isinstance(node, exp.Func) and function_name(node) in _REFUSED_FUNCTIONS:
            raise refused(f"User does not have EXECUTE on Routine '{function_name(node)}'")


def function_name(node: exp.Func) -> str:
    """Returns the name of a function in a query, in small letters."""
    return (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()


@lru_cache(maxsize=KEPT)
def function_body(text: str, parameters: tuple[str, ...]) -> exp.Expr:
    """Reads the body of a SQL function: one expression over its parameters. The tree is kept; change a copy.

    Raises:
        ApiError: It is no such expression.
    """
    query = read(f"SELECT {text}")
    if not isinstance(query, exp.Select) or len(query.expressions) != 1 or set(_parts(query)) != {"expressions"}:
        raise bad_request(f"body {text[:100]!r}: the local workspace takes one expression without a query")
    body: exp.Expr = query.expressions[0].unalias()
    if body.find(exp.Query, exp.Table, exp.Star):
        raise bad_request(f"body {text[:100]!r}: the local workspace takes one expression without a query")
    check_nodes(body)
    for column in body.find_all(exp.Column):
        first = column.parts[0].name.lower()
        if first not in parameters:
            raise bad_request(f"body: {column.sql(_Dialect)} is no parameter; there: {', '.join(parameters) or 'none'}")
    return body


def type_name(text: str) -> str:
    """Returns the word of Unity Catalog's API for a type, such as LONG for BIGINT.

    Raises:
        ApiError: There is no such type.
    """
    try:
        kind = exp.DataType.build(text, dialect=_Dialect)
    except SqlglotError as error:
        raise bad_request(f"{text!r} is no type") from error
    word = kind.sql(dialect=_Dialect).partition("<")[0].partition("(")[0]
    return {"BIGINT": "LONG", "SMALLINT": "SHORT", "TINYINT": "BYTE"}.get(word, word)


def _parts(tree: exp.Expr) -> list[str]:
    return [name for name, value in tree.args.items() if value]


def _spoken(node: exp.Expr) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).upper()


def _depth(statement: str) -> int:
    depth = most = 0
    for character in statement:
        if character in "([":
            depth += 1
            most = max(most, depth)
        elif character in ")]":
            depth -= 1
    return most
