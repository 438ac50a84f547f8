"""Calls of functions in a query: those of Unity Catalog become their bodies, those on the caller become values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from local.workspace.authorisation.dialect import function_body, function_name, refused
from local.workspace.authorisation.masks import Column
from local.workspace.authorisation.scope import Scope
from local.workspace.core.errors import ApiError
from local.workspace.secrets import readable
from local.workspace.unity_catalog.documents import FUNCTIONS, FunctionDocument

if TYPE_CHECKING:
    from local.workspace.authorisation.masks import Call
    from local.workspace.authorisation.reader import Reader

DEEPEST = 5  # functions that call functions
_MEMBERSHIP = ("is_account_group_member", "is_member")
_USER = (exp.CurrentUser, exp.SessionUser)


class Calls:
    """The calls of one statement.

    Attributes:
        secrets: Values of secrets that the statement has; no message may show them.
    """

    def __init__(self) -> None:
        self.secrets: set[str] = set()

    def resolve(self, tree: exp.Expr, reader: Reader, depth: int = 0) -> exp.Expr:
        """Replaces the calls in a tree, which it changes; returns it, or what replaces it whole.

        Raises:
            ApiError: The reader may not execute a function, or what it is cannot be known before the query runs.
        """
        holder = exp.Paren(this=tree)
        for node in reversed(list(tree.walk())):  # inner calls first
            new = self._resolved(node, reader, depth)
            if new is not None:
                node.replace(new)
        resolved: exp.Expr = holder.this
        resolved.pop()
        return resolved

    def applied(self, call: Call, reader: Reader) -> exp.Expr:
        """Returns the call of a mask or filter as an expression; its reader needs no right on the function."""
        function = reader.workspace.store.get(FUNCTIONS, call.function)
        if function is None:
            raise refused(f"the function {call.function}, which masks or filters a table, does not exist")
        arguments: list[exp.Expr] = [
            exp.column(argument, quoted=True) if isinstance(argument, Column) else exp.Literal.string(argument)
            for argument in call.arguments
        ]
        return self._body(function, arguments, reader, 0)

    def _resolved(self, node: exp.Expr, reader: Reader, depth: int) -> exp.Expr | None:
        if isinstance(node, _USER):
            return exp.Literal.string(reader.user.name)
        if isinstance(node, exp.CurrentCatalog | exp.CurrentSchema | exp.CurrentDatabase):
            named = reader.scope.catalog if isinstance(node, exp.CurrentCatalog) else reader.scope.schema
            return exp.Literal.string(named)
        if isinstance(node, exp.Dot):
            return self._dotted(node, reader, depth)
        if isinstance(node, exp.Anonymous):
            return self._anonymous(node, reader, depth)
        return None

    def _anonymous(self, node: exp.Anonymous, reader: Reader, depth: int) -> exp.Expr | None:
        name = function_name(node)
        if name in _MEMBERSHIP:
            if len(node.expressions) != 1:
                raise refused(f"{name} takes the name of one group")
            groups = [exp.Literal.string(group) for group in sorted(reader.groups | {"account users"})]
            return exp.Paren(this=exp.In(this=exp.Paren(this=node.expressions[0].copy()), expressions=groups))
        if name in ("secret", "try_secret"):
            return self._secret(node, reader)
        if name in ("current_user", "session_user", "user"):
            return exp.Literal.string(reader.user.name)
        if name in ("current_catalog", "current_schema", "current_database"):
            return exp.Literal.string(reader.scope.catalog if name == "current_catalog" else reader.scope.schema)
        if isinstance(node.parent, exp.Dot | exp.Table):
            return None  # of the dotted name, and of the table function
        full_name = reader.scope.full([name]) if name.isidentifier() else ""
        function = reader.workspace.store.get(FUNCTIONS, full_name)
        return self._called(function, node.expressions, reader, depth) if function else None

    def _dotted(self, node: exp.Dot, reader: Reader, depth: int) -> exp.Expr | None:
        """A call such as `c.s.f(x)`; None for a field of a structure, and for a dot within a longer name."""
        if not isinstance(node.expression, exp.Func) or isinstance(node.expression, exp.Bracket):
            return None
        parts, left = [function_name(node.expression)], node.this
        while isinstance(left, exp.Dot):
            parts.insert(0, left.expression.name)
            left = left.this
        if isinstance(left, exp.Column):
            parts = [part.name for part in left.parts] + parts
        elif isinstance(left, exp.Identifier | exp.Var):
            parts.insert(0, left.name)
        else:
            raise refused("a call after a dot cannot be checked")
        full_name = reader.scope.full(parts)
        function = reader.workspace.store.get(FUNCTIONS, full_name)
        if function is None or not isinstance(node.expression, exp.Anonymous):
            reader.check("function", full_name, "EXECUTE")
            raise refused(f"Routine '{full_name}' does not exist")
        return self._called(function, node.expression.expressions, reader, depth)

    def _called(self, function: FunctionDocument, arguments: list[exp.Expr], reader: Reader, depth: int) -> exp.Expr:
        reader.check("function", function["full_name"], "EXECUTE")
        return self._body(function, arguments, reader, depth)

    def _body(self, function: FunctionDocument, arguments: list[exp.Expr], reader: Reader, depth: int) -> exp.Expr:
        """The body of a function over its arguments, in the types that the function declares."""
        parameters = function["input_params"]["parameters"]
        if len(parameters) != len(arguments):
            raise refused(f"Routine '{function['full_name']}' takes {len(parameters)} arguments, not {len(arguments)}")
        if depth == DEEPEST:
            raise refused(f"Routine '{function['full_name']}' is called by {DEEPEST} functions within each other")
        given: dict[str, exp.Expr] = {
            parameter["name"]: exp.cast(argument.copy(), parameter["type_text"], dialect="databricks")
            for parameter, argument in zip(parameters, arguments, strict=True)
        }
        inside = reader.as_owner(function["owner"], Scope(function["catalog_name"], function["schema_name"]))
        body = self.resolve(function_body(function["routine_definition"], tuple(given)).copy(), inside, depth + 1)
        body = body.transform(lambda node: _substituted(node, given))
        return exp.cast(exp.Paren(this=body), function["full_data_type"], dialect="databricks")

    def _secret(self, node: exp.Anonymous, reader: Reader) -> exp.Expr:
        if len(node.expressions) != 2 or not all(argument.is_string for argument in node.expressions):
            raise refused("secret takes a scope and a key, as texts")
        scope, key = node.expressions
        try:
            value = readable(reader.workspace, set(reader.names), scope.name, key.name).decode(errors="replace")
        except ApiError:
            if function_name(node) == "secret":
                raise
            return exp.Null()
        self.secrets.add(value)
        return exp.Literal.string(value)


def _substituted(node: exp.Expr, given: dict[str, exp.Expr]) -> exp.Expr:
    """A parameter's argument in place of its name, and a field of one in place of `parameter.field`."""
    if not isinstance(node, exp.Column):
        return node
    first, *fields = node.parts
    found: exp.Expr = given[first.name.lower()].copy()
    for name in fields:
        found = exp.Dot(this=exp.Paren(this=found), expression=name.copy())
    return found
