"""Results of SQL statements: a manifest, and chunks of rows whose values are texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import ApiError, bad_request

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    from local.workspace.core.store import Document

ROWS_PER_CHUNK = 10_000
INLINE_LIMIT_BYTES = 26_214_400  # of Databricks, for disposition INLINE

_NAMES = {
    "bigint": "LONG",
    "smallint": "SHORT",
    "tinyint": "BYTE",
    "timestamp_ntz": "TIMESTAMP",
    "void": "NULL",
}


@dataclass(frozen=True)
class Result:
    """The result of a statement.

    Attributes:
        manifest: Columns and an outline of the chunks.
        table: All values as texts; None where there are no columns.
    """

    manifest: Document
    table: pa.Table | None

    @property
    def size(self) -> int:
        """Bytes of memory that the result takes."""
        return 0 if self.table is None else int(self.table.nbytes)

    def chunk(self, index: int) -> Document:
        """Returns a chunk, made anew for each request, since rows take many times the memory of the table.

        Raises:
            ApiError: There is no chunk of this index.
        """
        outlines = self.manifest["chunks"]
        if not 0 <= index < len(outlines):
            raise bad_request(f"chunk_index is {index}; the result has {len(outlines)} chunks")
        outline: Document = outlines[index]
        rows: list[list[str | None]] = []
        if self.table is not None:
            part = self.table.slice(outline["row_offset"], outline["row_count"])
            rows = [list(row) for row in zip(*(column.to_pylist() for column in part.columns), strict=True)]
        after = {} if index + 1 == len(outlines) else {"next_chunk_index": index + 1}
        return {**outline, "data_array": rows, **after}


NOTHING = Result(
    {
        "format": "JSON_ARRAY",
        "schema": {"column_count": 0, "columns": []},
        "total_chunk_count": 1,
        "total_row_count": 0,
        "truncated": False,
        "chunks": [{"chunk_index": 0, "row_offset": 0, "row_count": 0}],
    },
    None,
)


def collect(frame: DataFrame, row_limit: int | None) -> Result:
    """Runs a query and returns its result.

    Args:
        frame: The query, or the result of a command.
        row_limit: Largest number of rows; the manifest says whether there were more.

    Raises:
        ApiError: The result is larger than Databricks returns inline.
    """
    schema = frame.schema
    columns = [_column(index, field.name, field.dataType) for index, field in enumerate(schema)]
    texts = frame.toDF(*(f"c{index}" for index in range(len(columns))))
    texts = texts.select(*(_text(texts[f"c{index}"], field.dataType) for index, field in enumerate(schema)))
    table = _fetched(texts if row_limit is None else texts.limit(row_limit + 1)) if columns else None
    count = 0 if table is None else table.num_rows
    truncated = row_limit is not None and count > row_limit
    count = row_limit if truncated and row_limit is not None else count
    chunks = [
        {"chunk_index": index, "row_offset": offset, "row_count": min(ROWS_PER_CHUNK, count - offset)}
        for index, offset in enumerate(range(0, max(count, 1), ROWS_PER_CHUNK))
    ]
    manifest: Document = {
        "format": "JSON_ARRAY",
        "schema": {"column_count": len(columns), "columns": columns},
        "total_chunk_count": len(chunks),
        "total_row_count": count,
        "truncated": truncated,
        "chunks": chunks,
    }
    return Result(manifest, table)


def _fetched(frame: DataFrame) -> pa.Table | None:
    """The rows of a query; raises ApiError as soon as they are more than Databricks returns inline."""
    import pyarrow as pa

    connect: Any = frame
    client, plan = connect.sparkSession.client, connect._plan  # noqa: SLF001 (toArrow() reads all rows, however many)
    parts: list[pa.Table] = []
    size = 0
    for part in client.to_table_as_iterator(plan.to_proto(client), plan.observations):
        if isinstance(part, pa.Table):  # else the schema
            parts.append(part)
            size += part.nbytes
        if size > INLINE_LIMIT_BYTES:
            message = f"Inline byte limit exceeded: a result can have at most {INLINE_LIMIT_BYTES} bytes; select less."
            raise ApiError(400, "BAD_REQUEST", message)
    return pa.concat_tables(parts) if parts else None


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
    """A column as the texts of the format JSON_ARRAY."""
    from pyspark.sql.connect import functions as F  # noqa: N812 (the name by which everybody knows it)
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
