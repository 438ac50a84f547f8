"""Statements that change data or objects: what they change is checked, what they read is masked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from local.workspace.authorisation.dialect import refused, written
from local.workspace.authorisation.masks import protection
from local.workspace.authorisation.prepared import Prepared
from local.workspace.core.errors import bad_request
from local.workspace.unity_catalog import functions, namespaces, schemas
from local.workspace.unity_catalog.access import check_create, check_manage
from local.workspace.unity_catalog.documents import FUNCTIONS, SCHEMAS, TABLES, VIEWS, TableDocument, ViewDocument
from local.workspace.unity_catalog.securables import created, exists, find, forget, named
from local.workspace.unity_catalog.tables import forget_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.workspace.authorisation.reader import Reader
    from local.workspace.authorisation.relations import Relations
    from local.workspace.core.store import Document

_WRITE = (
    exp.Delete,
    exp.Insert,
    exp.Merge,
    exp.Partition,
    exp.Schema,
    exp.Update,
    exp.When,
    exp.Whens,
)
# Properties of a table that say where it lies; a prefix makes an option of a property.
PLACES = re.compile(r"^(option\.|path$|location$|provider$|external$)", re.IGNORECASE)
_TABLE_PROPERTIES = (exp.ClusterProperty, exp.FileFormatProperty, exp.PartitionedByProperty, exp.SchemaCommentProperty)


def _insert(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    written_to = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(written_to, exp.Table) or tree.args.get("source") or tree.expression is None:
        raise refused("this form of INSERT cannot be checked")
    full_name = relations.target(written_to, reader)
    reader.check("table", full_name, "MODIFY")
    if tree.args.get("where"):
        _check_whole(reader, full_name)
    return _ready(reader, tree, relations)


def _change(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    """UPDATE, DELETE and MERGE, whose conditions read what they change."""
    if not isinstance(tree.this, exp.Table):
        raise refused(f"this form of {tree.key.upper()} cannot be checked")
    full_name = relations.target(tree.this, reader)
    reader.check("table", full_name, "MODIFY")
    reader.check("table", full_name, "SELECT")
    _check_whole(reader, full_name)
    return _ready(reader, tree, relations)


def _truncate(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    if len(tree.expressions) != 1 or not isinstance(tree.expressions[0], exp.Table):
        raise refused("this form of TRUNCATE cannot be checked")
    full_name = relations.target(tree.expressions[0], reader)
    reader.check("table", full_name, "MODIFY")
    return Prepared(written(tree))


def _ready(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    text = written(relations.secure(tree, reader, also=_WRITE))
    return Prepared(text, secrets=relations.calls.secrets, guarded=relations.guarded)


def _check_whole(reader: Reader, full_name: str) -> None:
    """Refuses a table of which the reader sees a part, as a condition on it would tell of the rest."""
    if protection(reader.workspace, set(reader.names), full_name):
        raise refused(f"Table '{full_name}' is masked or filtered for the user, who can therefore only add rows to it")


def _create(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    made = _CREATED.get(str(tree.args.get("kind")).upper())
    if made is None or tree.args.get("clone") or tree.args.get("refresh"):
        raise refused(f"CREATE {tree.args.get('kind')} of this form cannot be checked")
    return made(reader, tree, relations)


def _create_table(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table):
        raise refused("this form of CREATE TABLE cannot be checked")
    _check_properties(tree)
    full_name = relations.target(table, reader)
    workspace, there = reader.workspace, namespaces.has_table(reader.workspace, full_name)
    if there and tree.args.get("replace"):
        reader.check("table", full_name, "MANAGE")
    elif not there:
        check_create(workspace, reader.user, "schema", full_name.rpartition(".")[0], "CREATE_TABLE")
    if isinstance(tree.this, exp.Schema) and tree.this.find(exp.Query):
        raise refused("a query in the columns of CREATE TABLE cannot be checked")
    if tree.expression is not None:
        if not isinstance(tree.expression, exp.Query):
            raise refused("this form of CREATE TABLE cannot be checked")
        tree.set("expression", relations.secure(tree.expression, reader))

    def own() -> None:
        if not there:
            workspace.store.put(TABLES, full_name, TableDocument(owner=reader.user.name))

    return Prepared(written(tree), own, relations.calls.secrets, relations.guarded)


def _check_properties(tree: exp.Expr) -> None:
    """Refuses a table that would lie, or read from, where no privilege on a schema reaches."""
    for item in _properties(tree):
        plain = type(item) is exp.Property and item.this.is_string and not PLACES.search(item.name)
        if not plain and not isinstance(item, _TABLE_PROPERTIES):
            raise refused(f"CREATE TABLE with {item.key} cannot be checked")
        if isinstance(item, exp.FileFormatProperty) and item.name.lower() != "delta":
            raise refused(f"tables of the format {item.name} are not part of the local workspace")


def _properties(tree: exp.Expr) -> list[exp.Expr]:
    properties = tree.args.get("properties")
    return properties.expressions if properties else []


def _create_view(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    named_by = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(named_by, exp.Table) or not isinstance(tree.expression, exp.Query):
        raise refused("this form of CREATE VIEW cannot be checked")
    comment = _comment(tree)
    columns = [column.name for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    full_name = reader.scope.full([part.name for part in named_by.parts])
    catalog, schema, name = full_name.split(".")
    workspace = reader.workspace
    find(workspace, SCHEMAS, f"{catalog}.{schema}")
    old = workspace.store.get(VIEWS, full_name)
    if namespaces.has_table(workspace, full_name) or (old and not tree.args.get("replace")):
        if old and tree.args.get("exists"):
            return Prepared()
        raise exists("table", full_name)
    if old:
        reader.check("table", full_name, "MANAGE")
    else:
        check_create(workspace, reader.user, "schema", f"{catalog}.{schema}", "CREATE_TABLE")
    document: ViewDocument = {
        **VIEWS.document(comment),
        **created(reader.user),
        "metastore_id": workspace.metastore_id,
        "name": name,
        "catalog_name": catalog,
        "schema_name": schema,
        "full_name": full_name,
        "definition": written(tree.expression.copy()),
        "scope": [reader.scope.catalog, reader.scope.schema],
        "columns": columns,
    }
    checked = written(relations.secure(tree.expression, reader))
    listed = f" AS `_view`({', '.join(f'`{column}`' for column in columns)})" if columns else ""
    return Prepared(
        f"SELECT * FROM ({checked}){listed} LIMIT 0",
        lambda: workspace.store.put(VIEWS, full_name, document),
        relations.calls.secrets,
        relations.guarded,
    )


def _comment(tree: exp.Expr) -> Document:
    """The comment of a new object, which has no other properties."""
    comment: Document = {}
    for item in _properties(tree):
        if not isinstance(item, exp.SchemaCommentProperty):
            raise refused(f"CREATE {tree.args.get('kind')} with {item.key} cannot be checked")
        comment = {"comment": item.this.name}
    return comment


def _create_function(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:  # noqa: ARG001 (as others)
    made, result = tree.this, tree.expression
    if not isinstance(made, exp.UserDefinedFunction) or not isinstance(result, exp.Return):
        raise refused("CREATE FUNCTION without RETURN and an expression cannot be checked")
    given: Document = {"routine_definition": written(result.this)}
    for item in _properties(tree):
        if isinstance(item, exp.ReturnsProperty) and isinstance(item.this, exp.DataType):
            given["full_data_type"] = written(item.this)
        elif isinstance(item, exp.SchemaCommentProperty):
            given["comment"] = item.this.name
        elif isinstance(item, exp.LanguageProperty) and item.name.upper() != "SQL":
            raise refused(f"functions in {item.name} are not part of the local workspace")
        elif not isinstance(item, exp.LanguageProperty | exp.StabilityProperty | exp.SqlReadWriteProperty):
            raise refused(f"CREATE FUNCTION with {item.key} cannot be checked")
    if "full_data_type" not in given:
        raise bad_request("CREATE FUNCTION: give the type after RETURNS")
    parameters = [{"name": column.name, "type_text": written(column.args["kind"])} for column in made.expressions]
    full_name = reader.scope.full([named(part.name) for part in made.this.parts])
    functions.add(reader.workspace, reader.user, full_name, parameters, given, bool(tree.args.get("replace")))
    return Prepared()


def _create_schema(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:  # noqa: ARG001 (as others)
    full_name = reader.scope.schema_name([part.name for part in tree.this.parts])
    catalog, _, name = full_name.rpartition(".")
    check_create(reader.workspace, reader.user, "catalog", catalog, "CREATE_SCHEMA")
    if not (tree.args.get("exists") and reader.workspace.store.get(SCHEMAS, full_name)):
        schemas.add(reader.workspace, reader.user, catalog, {"name": name, **_comment(tree)})
    return Prepared()


def _drop(reader: Reader, tree: exp.Expr, relations: Relations) -> Prepared:
    kind, dropped = str(tree.args.get("kind")).upper(), tree.args.get("tables") or []
    if len(dropped) != 1 or kind not in ("FUNCTION", "SCHEMA", "TABLE", "VIEW"):
        raise refused(f"DROP {kind} cannot be checked")
    workspace, parts = reader.workspace, [part.name for part in dropped[0].parts]
    if kind == "SCHEMA":
        name = find(workspace, SCHEMAS, reader.scope.schema_name(parts))["full_name"]
        check_manage(workspace, reader.user, "schema", name)
        schemas.remove(workspace, name, bool(tree.args.get("cascade")))
        return Prepared()
    full_name = reader.scope.full(parts)
    if kind == "FUNCTION":
        if tree.args.get("exists") and not workspace.store.get(FUNCTIONS, full_name):
            return Prepared()
        functions.remove(workspace, reader.user, full_name)
        return Prepared()
    if tree.args.get("exists") and kind == "VIEW" and not workspace.store.get(VIEWS, full_name):
        return Prepared()
    check_manage(workspace, reader.user, "table", full_name)
    if kind == "VIEW":
        find(workspace, VIEWS, full_name)
        workspace.store.delete(VIEWS, full_name)
        forget(workspace, "table", full_name)
        return Prepared()
    relations.target(dropped[0], reader)
    return Prepared(written(tree), lambda: forget_table(workspace, full_name))


_CREATED: dict[str, Callable[[Reader, exp.Expr, Relations], Prepared]] = {
    "FUNCTION": _create_function,
    "SCHEMA": _create_schema,
    "TABLE": _create_table,
    "VIEW": _create_view,
}
BY_KIND: dict[type[exp.Expr], Callable[[Reader, exp.Expr, Relations], Prepared]] = {
    exp.Create: _create,
    exp.Delete: _change,
    exp.Drop: _drop,
    exp.Insert: _insert,
    exp.Merge: _change,
    exp.TruncateTable: _truncate,
    exp.Update: _change,
}
