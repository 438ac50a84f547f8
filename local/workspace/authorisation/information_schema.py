"""`information_schema` of a catalog: rows on what the reader may see, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.authorisation.dialect import quoted, refused
from local.workspace.unity_catalog import access, namespaces
from local.workspace.unity_catalog.documents import CATALOGS, SCHEMAS, TAGS, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.workspace.authorisation.reader import Reader

Row = tuple[str | int | None, ...]
_COLUMNS = {
    "schemata": ("catalog_name", "schema_name", "schema_owner", "comment"),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type", "table_owner"),
    "columns": (
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "data_type",
        "comment",
    ),
    "views": ("table_catalog", "table_schema", "table_name", "view_definition"),
    "column_tags": ("catalog_name", "schema_name", "table_name", "column_name", "tag_name", "tag_value"),
    "table_privileges": ("grantee", "table_catalog", "table_schema", "table_name", "privilege_type"),
}


def query(reader: Reader, catalog: str, name: str) -> str:
    """Returns a query with the rows of a table of `information_schema` that a reader may see.

    Raises:
        ApiError: The reader may not use the catalog, or the table is none of those that the workspace has.
    """
    if name not in _COLUMNS or reader.workspace.store.get(CATALOGS, catalog) is None:
        raise refused(f"User does not have SELECT on Table '{catalog}.information_schema.{name}'")
    reader.check("catalog", catalog, "USE_CATALOG")
    rows = list(_rows(reader, catalog, name))
    columns = _COLUMNS[name]
    if not rows:
        return f"SELECT {', '.join(f'CAST(NULL AS STRING) AS {column}' for column in columns)} WHERE FALSE"
    values = ", ".join(f"({', '.join(_literal(value) for value in row)})" for row in rows)
    return f"SELECT * FROM VALUES {values} AS `_rows`({', '.join(quoted(column) for column in columns)})"


def schemas(reader: Reader, catalog: str) -> list[str]:
    """Returns the full names of the schemas that a reader may enter."""
    names = [full_name for full_name, _ in reader.workspace.store.items(SCHEMAS, f"{catalog}.")]
    return [full_name for full_name in names if reader.holds("schema", full_name, "USE_SCHEMA")]


def tables(reader: Reader, schema: str) -> list[str]:
    """Returns the full names of the tables and views of a schema that a reader may know of."""
    views = [full_name for full_name, _ in reader.workspace.store.items(VIEWS, f"{schema}.")]
    found = [f"{schema}.{table}" for table in namespaces.tables(reader.workspace, schema)]
    return sorted(full_name for full_name in [*found, *views] if access.sees(reader.workspace, reader.names, full_name))


def _rows(reader: Reader, catalog: str, name: str) -> Iterator[Row]:
    store = reader.workspace.store
    for schema in schemas(reader, catalog):
        if name == "schemata":
            document = store.get(SCHEMAS, schema)
            yield (*schema.split("."), str(document and document["owner"]), document and document.get("comment"))
            continue
        for full_name in tables(reader, schema):
            yield from _rows_of(reader, full_name, name)


def _rows_of(reader: Reader, full_name: str, name: str) -> Iterator[Row]:
    store, parts = reader.workspace.store, tuple(full_name.split("."))
    view = store.get(VIEWS, full_name)
    if name == "tables":
        yield (*parts, "VIEW" if view else "MANAGED", access.owner_of(reader.workspace, "table", full_name))
    elif name == "views" and view:
        yield (*parts, view["definition"] if view["owner"] in reader.names else None)
    elif name == "columns" and not view:
        yield from _columns(reader, full_name)
    elif name == "column_tags":
        for _, tag in store.items(TAGS, f"columns/{full_name}."):
            yield (*parts, tag["entity_name"].split(".", 3)[3], tag["tag_key"], tag.get("tag_value", ""))
    elif name == "table_privileges":
        for grantee, privileges in access.granted(reader.workspace, "table", full_name).items():
            yield from ((grantee, *parts, privilege) for privilege in privileges)


def _columns(reader: Reader, full_name: str) -> Iterator[Row]:
    table = namespaces.table(reader.workspace, full_name)
    for position, column in enumerate(table.schema.fields if table is not None else []):
        kind = column.dataType.simpleString().upper()
        yield (*full_name.split("."), column.name, position, kind, column.metadata.get("comment"))


def _literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
