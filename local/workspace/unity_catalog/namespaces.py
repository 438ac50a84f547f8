"""Catalogs, schemas and tables in Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from local.workspace.core.context import Workspace

# The last is said of a name whose catalog Spark has not.
UNKNOWN = ("SCHEMA_NOT_FOUND", "NO_SUCH_NAMESPACE", "REQUIRES_SINGLE_PART_NAMESPACE")


def quoted(full_name: str) -> str:
    """Returns a name with each part in backticks."""
    return ".".join(f"`{part.replace('`', '``')}`" for part in full_name.split("."))


def create_catalog(workspace: Workspace, catalog: str, folder: Path) -> None:
    """Creates a catalog in Spark, as a schema of the catalog `catalogs`; its tables lie in the folder."""
    location = folder.as_uri().replace("'", "\\'")
    workspace.spark.session().sql(f"CREATE NAMESPACE IF NOT EXISTS catalogs.{quoted(catalog)} LOCATION '{location}'")


def drop_catalog(workspace: Workspace, catalog: str, force: bool) -> None:
    """Drops a catalog in Spark, with `force` also one that has schemas, together with their tables."""
    cascade = " CASCADE" if force else ""
    workspace.spark.session().sql(f"DROP NAMESPACE IF EXISTS catalogs.{quoted(catalog)}{cascade}")


def schemas(workspace: Workspace, catalog: str) -> list[str]:
    """Returns the names of a catalog's schemas, also of those made by SQL; empty if Spark has no such catalog."""
    try:
        rows = workspace.spark.session().sql(f"SHOW NAMESPACES IN {quoted(catalog)}").collect()
    except AnalysisException as error:
        if error.getCondition() in UNKNOWN:
            return []
        raise
    return sorted(row["namespace"].strip("`") for row in rows)  # Spark quotes numbers


def create(workspace: Workspace, schema: str) -> None:
    """Creates a schema, unless it exists."""
    workspace.spark.session().sql(f"CREATE NAMESPACE IF NOT EXISTS {quoted(schema)}")


def drop(workspace: Workspace, schema: str) -> None:
    """Drops a schema with its tables."""
    for table in tables(workspace, schema):
        workspace.spark.session().sql(f"DROP TABLE IF EXISTS {quoted(f'{schema}.{table}')}")
    workspace.spark.session().sql(f"DROP NAMESPACE IF EXISTS {quoted(schema)}")


def tables(workspace: Workspace, schema: str) -> list[str]:
    """Returns the names of a schema's tables; empty if Spark has no such schema."""
    try:
        rows = workspace.spark.session().sql(f"SHOW TABLES IN {quoted(schema)}").collect()
    except AnalysisException as error:
        if error.getCondition() in UNKNOWN:
            return []
        raise
    return sorted(row["tableName"] for row in rows if not row["isTemporary"])


def has_table(workspace: Workspace, full_name: str) -> bool:
    """Whether Spark has a table of this name."""
    try:
        return workspace.spark.session().catalog.tableExists(quoted(full_name))
    except AnalysisException as error:
        if error.getCondition() in UNKNOWN:
            return False
        raise


def table(workspace: Workspace, full_name: str) -> DataFrame | None:
    """Returns a table, or None if Spark has none of this name."""
    return workspace.spark.session().table(quoted(full_name)) if has_table(workspace, full_name) else None


def detail(workspace: Workspace, full_name: str) -> dict[str, object]:
    """Returns Delta's description of a table: format, location, createdAt, lastModified, properties."""
    return workspace.spark.session().sql(f"DESCRIBE DETAIL {quoted(full_name)}").collect()[0].asDict(recursive=True)


def drop_table(workspace: Workspace, full_name: str) -> None:
    """Drops a table."""
    workspace.spark.session().sql(f"DROP TABLE {quoted(full_name)}")
