"""Catalogs, schemas and tables as Spark has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from local.workspace.core.context import Workspace

UNKNOWN = ("SCHEMA_NOT_FOUND", "NO_SUCH_NAMESPACE")


def quoted(full_name: str) -> str:
    return ".".join(f"`{part.replace('`', '``')}`" for part in full_name.split("."))


def create_catalog(here: Workspace, catalog: str) -> None:
    """Makes a catalog known to Spark, whose own catalog `catalogs` has the others as schemas."""
    here.spark.session().sql(f"CREATE NAMESPACE IF NOT EXISTS catalogs.{quoted(catalog)}")


def drop_catalog(here: Workspace, catalog: str, force: bool) -> None:
    """Takes a catalog from Spark, which refuses while it holds schemas unless forced to drop them with their tables."""
    cascade = " CASCADE" if force else ""
    here.spark.session().sql(f"DROP NAMESPACE IF EXISTS catalogs.{quoted(catalog)}{cascade}")


def schemas(here: Workspace, catalog: str) -> list[str]:
    """Names of a catalog's schemas, those made by SQL included; empty where Spark does not know the catalog."""
    try:
        rows = here.spark.session().sql(f"SHOW NAMESPACES IN {quoted(catalog)}").collect()
    except AnalysisException as error:
        if error.getCondition() in UNKNOWN:
            return []
        raise
    return sorted(row["namespace"].strip("`") for row in rows)  # Spark quotes numbers


def create(here: Workspace, schema: str) -> None:
    here.spark.session().sql(f"CREATE NAMESPACE IF NOT EXISTS {quoted(schema)}")


def drop(here: Workspace, schema: str) -> None:
    """Drops a schema with its tables."""
    for table in tables(here, schema):
        here.spark.session().sql(f"DROP TABLE IF EXISTS {quoted(f'{schema}.{table}')}")
    here.spark.session().sql(f"DROP NAMESPACE IF EXISTS {quoted(schema)}")


def tables(here: Workspace, schema: str) -> list[str]:
    """Names of the tables in a schema; empty where Spark does not know the schema."""
    try:
        rows = here.spark.session().sql(f"SHOW TABLES IN {quoted(schema)}").collect()
    except AnalysisException as error:
        if error.getCondition() in UNKNOWN:
            return []
        raise
    return sorted(row["tableName"] for row in rows if not row["isTemporary"])


def has_table(here: Workspace, full_name: str) -> bool:
    return here.spark.session().catalog.tableExists(quoted(full_name))


def table(here: Workspace, full_name: str) -> DataFrame | None:
    """A table, or None where Spark has none of that name."""
    return here.spark.session().table(quoted(full_name)) if has_table(here, full_name) else None


def detail(here: Workspace, full_name: str) -> dict[str, object]:
    """What Delta tells of a table: format, location, createdAt, lastModified, properties."""
    return here.spark.session().sql(f"DESCRIBE DETAIL {quoted(full_name)}").collect()[0].asDict(recursive=True)


def drop_table(here: Workspace, full_name: str) -> None:
    here.spark.session().sql(f"DROP TABLE {quoted(full_name)}")
