"""Results of SQL statements in the form of the statement API: a manifest, and chunks of rows whose values are texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ApiError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    from .store import Document

ROWS_PER_CHUNK = 10_000
INLINE_LIMIT_BYTES = 26_214_400  # of Databricks, for disposition INLINE

_NAMES = {
    "bigint": "LONG",
    "smallint": "SHORT",
    "tinyint": "BYTE",
    "timestamp_ntz": "TIMESTAMP",
    "void": "NULL",
}


def collect(frame: DataFrame, row_limit: int | None) -> tuple[Document, list[Document]]:
    """Runs a query.

    Args:
        frame: The query, or what a command returned.
        row_limit: Rows at most; the manifest says whether there were more.

    Returns:
        The manifest and the chunks.

    Raises:
        ApiError: The result is larger than Databricks returns inline.
    """
    schema = frame.schema
    columns = [_column(index, field.name, field.dataType) for index, field in enumerate(schema)]
    texts = frame.toDF(*(f"c{index}" for index in range(len(columns))))
    texts = texts.select(*(_text(texts[f"c{index}"], field.dataType) for index, field in enumerate(schema)))
    table = (texts if row_limit is None else texts.limit(row_limit + 1)).toArrow() if columns else None
    count = 0 if table is None else table.num_rows
    truncated = row_limit is not None and count > row_limit
    count = row_limit if truncated and row_limit is not None else count
    if table is not None and table.nbytes > INLINE_LIMIT_BYTES:
        message = f"Inline byte limit exceeded: a result can have at most {INLINE_LIMIT_BYTES} bytes; select less."
        raise ApiError(400, "BAD_REQUEST", message)
    chunks: list[Document] = []
    for offset in range(0, max(count, 1), ROWS_PER_CHUNK):
        part = None if table is None else table.slice(offset, min(ROWS_PER_CHUNK, count - offset))
        rows = [] if part is None else [list(row) for row in zip(*(c.to_pylist() for c in part.columns), strict=True)]
        chunks.append({"chunk_index": len(chunks), "row_offset": offset, "row_count": len(rows), "data_array": rows})
    for chunk in chunks[:-1]:
        chunk["next_chunk_index"] = chunk["chunk_index"] + 1
    outline = ("chunk_index", "row_offset", "row_count")
    manifest: Document = {
        "format": "JSON_ARRAY",
        "schema": {"column_count": len(columns), "columns": columns},
        "total_chunk_count": len(chunks),
        "total_row_count": count,
        "truncated": truncated,
        "chunks": [{name: chunk[name] for name in outline} for chunk in chunks],
    }
    return manifest, chunks


def failure(error: Exception) -> Document:
    """Status of a statement that Spark refused or could not run."""
    from pyspark.errors import PySparkException

    message = str(error).split("\n\nJVM stacktrace")[0]
    status: Document = {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": message}}
    if isinstance(error, PySparkException):
        if error.getSqlState():
            status["sql_state"] = error.getSqlState()
    else:
        status["error"] = {"error_code": "INTERNAL_ERROR", "message": f"{type(error).__name__}: {message}"}
    return status


def _column(position: int, name: str, kind: DataType) -> Document:
    from pyspark.sql.types import DecimalType

    simple = kind.simpleString()
    base = simple.partition("<")[0].partition("(")[0]
    column: Document = {
        "name": name,
        "position": position,
        "type_name": "INTERVAL" if base.startswith("interval") else _NAMES.get(base, base.upper()),
        "type_text": simple.upper(),
    }
    if isinstance(kind, DecimalType):
        column |= {"type_precision": kind.precision, "type_scale": kind.scale}
    return column


def _text(column: Column, kind: DataType) -> Column:
    """A column as the texts that JSON_ARRAY has."""
    from pyspark.sql.connect import functions as F  # noqa: N812
    from pyspark.sql.types import ArrayType, BinaryType, MapType, StructType, TimestampNTZType, TimestampType

    if isinstance(kind, ArrayType | MapType | StructType):
        return F.to_json(column)
    if isinstance(kind, BinaryType):
        return F.base64(column)
    if isinstance(kind, TimestampType):
        return F.date_format(F.to_utc_timestamp(column, F.current_timezone()), "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
    if isinstance(kind, TimestampNTZType):
        return F.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSS")
    return column.cast("string")
