"""Registers the source `cloudFiles` with a Connect session, and makes `.schema(...)` work as with Auto Loader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyspark.sql.connect.streaming.readwriter import DataStreamReader as ConnectDataStreamReader

from local.spark.cloud_files import USER_SCHEMA, CloudFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


def register(spark: SparkSession) -> None:
    """Registers `cloudFiles` with a session; `.schema(...)` of its readers then keeps the source's own columns."""
    spark.dataSource.register(CloudFiles)
    ConnectDataStreamReader.load = _load  # type: ignore[method-assign, assignment]  # Spark has no hook here


_spark_load = ConnectDataStreamReader.load


def _load(
    reader: ConnectDataStreamReader,
    path: str | None = None,
    format: str | None = None,  # noqa: A002 (Spark's name)
    schema: StructType | str | None = None,
    **options: Any,
) -> DataFrame:
    """Hands the user's schema to the source, which adds columns; Spark would take it for the source's whole schema."""
    if format is not None:
        reader.format(format)
    if schema is not None:
        reader.schema(schema)
    if (reader._format or "").lower() == "cloudfiles" and reader._schema:  # noqa: SLF001 (no public way to read it)
        reader.option(USER_SCHEMA, _ddl(reader._schema))  # noqa: SLF001 (as above)
        reader._schema = ""  # noqa: SLF001 (nor to clear it)
    return _spark_load(reader, path, **options)


def _ddl(schema: str) -> str:
    """DDL of a schema that is DDL, or JSON as StructType.json() writes it."""
    from pyspark.sql.types import StructType

    if not schema.lstrip().startswith("{"):
        return schema
    fields = StructType.fromJson(json.loads(schema)).fields
    return ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in fields)
