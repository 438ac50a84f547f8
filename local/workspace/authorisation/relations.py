"""Tables of a query, replaced by what their reader may see of them.

A table becomes itself, its name in full, for a reader who sees all of it. It becomes a query that masks its columns and
filters its rows for others. Everything around it, such as conditions, joins and aggregates, works on what that gives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from local.workspace.authorisation import information_schema
from local.workspace.authorisation.columns import types_of
from local.workspace.authorisation.dialect import Text, check_nodes, function_name, quoted, read, refused, written
from local.workspace.authorisation.functions import Calls
from local.workspace.authorisation.masks import protection
from local.workspace.authorisation.reader import insufficient
from local.workspace.authorisation.scope import NOWHERE, Scope, not_there
from local.workspace.authorisation.volume_paths import check_path
from local.workspace.unity_catalog.documents import SCHEMAS, VIEWS, ViewDocument

if TYPE_CHECKING:
    from local.workspace.authorisation.reader import Reader

_JUDGED = "judged"
DEEPEST = 10  # views that read views
_FORMATS = {"avro", "binaryfile", "csv", "delta", "json", "orc", "parquet", "text", "xml"}
_TABLE_FUNCTIONS = {"explode", "explode_outer", "inline", "inline_outer", "posexplode", "posexplode_outer", "range"}
_SIMPLE_TYPE = re.compile(r"[a-z_]+(\(\d+(,\d+)?\))?")
_OF_A_TABLE = {"alias", "catalog", "db", "joins", "laterals", "pivots", "sample", "this", "version"}


class Relations:
    """The tables of one statement.

    Attributes:
        calls: The calls of functions of the statement.
        guarded: Whether some table or view was masked or filtered.
    """

    def __init__(self) -> None:
        self.calls = Calls()
        self.guarded = False

    def secure(self, tree: exp.Expr, reader: Reader, depth: int = 0, also: tuple[type[exp.Expr], ...] = ()) -> exp.Expr:
        """Replaces the tables and calls of a query, which it changes, and returns the query.

        Args:
            tree: The query, or a statement whose targets are judged.
            reader: Who reads.
            depth: Views that the query stands in.
            also: Kinds of nodes that the statement may have and no query has.

        Raises:
            ApiError: The reader may not do what the query does, or it cannot be judged.
        """
        check_nodes(tree, also)
        tables = [(table, _is_cte(table)) for table in tree.find_all(exp.Table) if _JUDGED not in table.meta]
        named = {_parts(table)[-1].lower(): _parts(table) for table, cte in tables if not cte and not table.alias}
        _shorten(tree, named)
        for table, cte in tables:
            _check_shape(table)
            table.meta[_JUDGED] = True
            if not isinstance(table.this, exp.Identifier):
                self._check_function(table, reader)
            elif not cte:
                self._replace(table, reader, depth)
        tree = self.calls.resolve(tree, reader)
        if any(_JUDGED not in table.meta for table in tree.find_all(exp.Table)):
            raise refused("a table of the statement was not checked")
        return tree

    def source(self, full_name: str, reader: Reader, version: str = "") -> str | None:
        """Returns a query that masks and filters a table for a reader; None where the reader sees all of it.

        Args:
            full_name: Full name of the table.
            reader: Who reads it.
            version: The clause of time travel, if there is one.
        """
        found = protection(reader.workspace, set(reader.names), full_name)
        if not found:
            return None
        self.guarded = True
        types = types_of(reader.workspace, full_name)
        steps = [f"SELECT * FROM {_written(full_name)}{version}"]
        steps += [f"WHERE {written(self.calls.applied(call, reader))}" for call in found.filters]
        # A column that a policy found by its tag and that is gone needs no mask.
        for name, kind, call in ((*types[column], call) for column, call in found.masks.items() if column in types):
            if not _SIMPLE_TYPE.fullmatch(kind):  # names of fields in a structure could be SQL
                raise refused(f"column '{name}' of Table '{full_name}' is of the type {kind[:60]}, which no mask gives")
            steps.append(f"SET {quoted(name)} = CAST({written(self.calls.applied(call, reader))} AS {kind})")
        return " |> ".join(steps)

    def target(self, table: exp.Table, reader: Reader) -> str:
        """Writes the name of a table that a statement changes in full, and returns it; the caller checks the rights.

        Raises:
            ApiError: It is a view, or lies where nothing can be changed.
        """
        _check_shape(table)
        if not isinstance(table.this, exp.Identifier) or table.args.get("version"):
            raise refused("what the statement changes is no table")
        full_name = reader.scope.full(_parts(table))
        check_known(reader, full_name)
        if reader.workspace.store.get(VIEWS, full_name):
            raise refused(f"View '{full_name}' cannot be changed")
        _name_in_full(table, full_name)
        table.meta[_JUDGED] = True
        return full_name

    def _check_function(self, table: exp.Table, reader: Reader) -> None:
        function = table.this
        name = function_name(function) if isinstance(function, exp.Func) else "a table function"
        if name == "table_changes":
            self._check_changes(function, reader)
        elif name not in _TABLE_FUNCTIONS:
            raise refused(f"the table function {name} cannot be checked")

    def _check_changes(self, function: exp.Anonymous, reader: Reader) -> None:
        """Checks who reads the change feed of a table, whose rows no mask reaches."""
        given = function.expressions
        if not given or not all(isinstance(each, exp.Literal) for each in given) or not given[0].is_string:
            raise refused("table_changes takes the name of a table as a text, and versions or times")
        full_name = reader.scope.full(_parts(exp.to_table(given[0].name, dialect="databricks")))
        check_known(reader, full_name)
        if reader.workspace.store.get(VIEWS, full_name):
            raise refused(f"View '{full_name}' has no changes")
        reader.check("table", full_name, "SELECT")
        if self.source(full_name, reader) is not None:
            raise refused(
                f"the changes of Table '{full_name}', which is masked or filtered for the reader, are not shown"
            )
        given[0].replace(exp.Literal.string(_written(full_name)))

    def _replace(self, table: exp.Table, reader: Reader, depth: int) -> None:
        parts = _parts(table)
        if len(parts) == 2 and parts[0].lower() in _FORMATS and "/" in parts[1]:
            check_path(reader, parts[1])
            self.guarded = True  # errors may show what the file has
            return
        full_name = reader.scope.full(parts)
        catalog, schema, name = full_name.split(".")
        version = _version(table)
        if schema == "information_schema" or catalog == "system":
            inner: str | None = information_schema.query(reader, catalog, name)
        elif view := reader.workspace.store.get(VIEWS, full_name):
            inner = self._view(view, reader, depth)
        else:
            check_known(reader, full_name)
            reader.check("table", full_name, "SELECT")
            inner = self.source(full_name, reader, version)
            version = ""
        if version:
            raise refused(f"View '{full_name}' has no versions")
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(parts[-1], quoted=True))
        if inner is None:
            _name_in_full(table, full_name)
            return
        kept = {name: table.args.get(name) for name in ("joins", "laterals", "pivots", "sample")}
        table.replace(exp.Subquery(this=Text(this=inner), alias=alias, **{k: v for k, v in kept.items() if v}))

    def _view(self, view: ViewDocument, reader: Reader, depth: int) -> str:
        """The query of a view, in which its owner's rights count."""
        reader.check("table", view["full_name"], "SELECT")
        if depth == DEEPEST:
            raise refused(f"View '{view['full_name']}' is read by {DEEPEST} views within each other")
        self.guarded = True
        inside = reader.as_owner(view["owner"], Scope(*view["scope"]))
        inner = written(self.secure(read(view["definition"]), inside, depth + 1))
        names = ", ".join(quoted(name) for name in view["columns"])
        return f"SELECT * FROM ({inner}) AS `_view`({names})" if names else inner


def _is_cte(table: exp.Table) -> bool:
    """Whether a name is that of a query of a WITH clause which is in force where the name stands."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier) or table.args.get("version"):
        return False
    below: exp.Expr = table
    name, node = table.name.lower(), table.parent
    while node is not None:
        clause, named = node.args.get("with_"), []
        if clause is not None and clause is not below:
            named = clause.expressions
        elif isinstance(node, exp.With):
            place = next(index for index, cte in enumerate(node.expressions) if cte is below)
            named = node.expressions[: place + bool(node.args.get("recursive"))]
        if any(cte.alias.lower() == name for cte in named):
            return True
        below, node = node, node.parent
    return False


def _parts(table: exp.Table) -> list[str]:
    return [part.name for part in table.parts]


def _check_shape(table: exp.Table) -> None:
    unknown = {name for name, value in table.args.items() if value} - _OF_A_TABLE
    if unknown:
        raise refused(f"{min(unknown)} of Table '{table.name}' cannot be checked")


def check_known(reader: Reader, full_name: str) -> None:
    """Refuses a schema that Unity Catalog does not have, in the words for one that the reader may not enter.

    Raises:
        ApiError: A 403, or a 400 where the schema is Spark's own.
    """
    catalog, schema, name = full_name.split(".")
    if catalog == NOWHERE:
        raise not_there(name)
    if reader.workspace.store.get(SCHEMAS, f"{catalog}.{schema}") is None:
        raise insufficient(f"User does not have USE SCHEMA on Schema '{catalog}.{schema}'")


def _version(table: exp.Table) -> str:
    """The clause of time travel of a table, as SQL."""
    version = table.args.get("version")
    if version is None:
        return ""
    if version.find(exp.Query, exp.Table, exp.Column):
        raise refused("a version that a query finds cannot be checked")
    return f" {written(version)}"


def _shorten(tree: exp.Expr, named: dict[str, list[str]]) -> None:
    """Takes catalog and schema from columns that have the full name of their table, as the table gets an alias."""
    for column in list(tree.find_all(exp.Column)):
        written_table = [part.name.lower() for part in column.parts[:-1]]
        table = [part.lower() for part in named.get(written_table[-1], [])] if written_table else []
        if len(written_table) > 1 and table[-len(written_table) :] == written_table:
            column.set("db", None)
            column.set("catalog", None)


def _name_in_full(table: exp.Table, full_name: str) -> None:
    for place, part in zip(("catalog", "db", "this"), full_name.split("."), strict=True):
        table.set(place, exp.to_identifier(part, quoted=True))


def _written(full_name: str) -> str:
    return ".".join(quoted(part) for part in full_name.split("."))
