"""Reads CSV, JSON lines and Parquet files into Arrow batches of a schema, and rescues what does not fit.

The rules are Auto Loader's. Columns are matched by name, case sensitive; a missing column is null. A value of another
type is null in its column; in Parquet, any value of a column whose physical type is another. The rescued data column
keeps that value as delivered, with the columns that the schema lacks and `_file_path`, as one JSON object. A line with
too few or too many fields keeps the fields that it has. Where such a line shows is open, so both ways do: its surplus
fields are rescued; one that is too short or broken is `_corrupt_record`, in the column of that name if the schema has
one, and else in the rescued data column.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import from_arrow_type, to_arrow_type
from pyspark.sql.types import StructField, StructType

from local.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

METADATA = "_metadata"
CORRUPT = "_corrupt_record"
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Format:
    """Format of the files; `kind` is csv, json or parquet, the other fields are Spark's options of these formats."""

    kind: str
    header: bool
    separator: str
    quote: str
    encoding: str
    multi_line: bool
    ignore_corrupt: bool


@dataclass(frozen=True)
class FileInfo:
    """A file, with the values of its `_metadata`."""

    path: Path
    shown_path: str
    size: int
    modified: datetime


@dataclass
class Chunk:
    """Rows of a file as delivered: columns by name, and the data that fits no column by row number."""

    columns: dict[str, pa.Array | list[Any]]
    rows: int
    rescued: dict[int, dict[str, Any]]


def column_names(path: Path, file_format: Format) -> dict[str, str]:
    """Columns of a file and their types, as DDL."""
    if file_format.kind == "parquet":
        return {field.name: from_arrow_type(field.type).simpleString() for field in pq.read_schema(path)}
    names: dict[str, str] = {}
    for chunk in _chunks(path, file_format, []):
        names.update(dict.fromkeys(chunk.columns, "string"))
        if file_format.kind == "csv":
            break
    return names


def read(
    info: FileInfo, file_format: Format, schema: StructType, rescued_column: str | None
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of one file.

    Args:
        info: The file.
        file_format: How to parse it.
        schema: The columns to return, including the rescued data column and `_metadata`.
        rescued_column: Name of the rescued data column, or None to drop what does not fit.

    Raises:
        UnreadableFileError: The file is not of this format, and corrupt files are not to be ignored.
    """
    fields = [field for field in schema.fields if field.name not in (rescued_column, METADATA)]
    try:
        for chunk in _chunks(info.path, file_format, [field.name for field in fields]):
            yield _fitted(chunk, info, schema, fields, rescued_column)
    except (pa.ArrowInvalid, OSError, UnicodeError) as error:
        if not file_format.ignore_corrupt:
            raise UnreadableFileError(f"{info.shown_path} is no readable {file_format.kind} file: {error}") from error


def _chunks(path: Path, file_format: Format, names: list[str]) -> Iterator[Chunk]:
    if file_format.kind == "parquet":
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                yield Chunk(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows, {})
        return
    with path.open(encoding=file_format.encoding, errors="replace", newline="") as text:
        yield from _json_chunks(text) if file_format.kind == "json" else _csv_chunks(text, file_format, names)


def _csv_chunks(text: Iterable[str], file_format: Format, names: list[str]) -> Iterator[Chunk]:
    records = _csv_records(text, file_format)
    if file_format.header:
        _, names = next(records, ("", []))
    while batch := list(islice(records, BATCH_ROWS)):
        rescued: dict[int, dict[str, Any]] = {}
        values = []
        for number, (line, record) in enumerate(batch):
            if len(record) != len(names):
                extra = {f"_c{index}": value for index, value in enumerate(record) if index >= len(names)}
                rescued[number] = extra or {CORRUPT: line}
                record = (record + [""] * len(names))[: len(names)]
            values.append(record)
        columns: dict[str, pa.Array | list[Any]] = {}
        for name, column in zip(names, zip(*values, strict=True), strict=True):
            columns[name] = [value or None for value in column]  # an empty field is null, as in Spark
        yield Chunk(columns, len(batch), rescued)


def _csv_records(text: Iterable[str], file_format: Format) -> Iterator[tuple[str, list[str]]]:
    """Lines with their fields. An open quote ends with its line, unless values may span lines."""
    arguments: dict[str, Any] = {"delimiter": file_format.separator, "quotechar": file_format.quote}
    if file_format.multi_line:
        for record in csv.reader(text, **arguments):
            if record:
                yield file_format.separator.join(record), record
        return
    for line in text:
        bare = line.rstrip("\r\n")
        if bare:
            yield bare, next(csv.reader([bare], **arguments))


def _json_chunks(text: Iterable[str]) -> Iterator[Chunk]:
    lines = (line for line in text if line.strip())
    while batch := list(islice(lines, BATCH_ROWS)):
        rescued: dict[int, dict[str, Any]] = {}
        records: list[dict[str, Any]] = []
        for number, line in enumerate(batch):
            record = _json_object(line)
            if record is None:
                rescued[number] = {CORRUPT: line.rstrip("\r\n")}
            records.append(record or {})
        names = dict.fromkeys(name for record in records for name in record)
        yield Chunk({name: [record.get(name) for record in records] for name in names}, len(batch), rescued)


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _fitted(
    chunk: Chunk, info: FileInfo, schema: StructType, fields: list[StructField], rescued_column: str | None
) -> pa.RecordBatch:
    """Converts a chunk to a batch of the schema."""
    fitted: dict[str, pa.Array] = {}
    for field in fields:
        target = to_arrow_type(field.dataType, timezone="UTC")
        if field.name == CORRUPT:
            fitted[CORRUPT] = _corrupt(chunk, target)
            continue
        delivered = chunk.columns.pop(field.name, None)
        if delivered is None:
            fitted[field.name] = pa.nulls(chunk.rows, target)
        else:
            fitted[field.name], misfits = _converted(delivered, target)
            for number in misfits:
                chunk.rescued.setdefault(number, {})[field.name] = _plain(delivered[number])
    for name, delivered in chunk.columns.items():  # the remaining columns are not in the schema
        for number, value in enumerate(delivered):
            if (plain := _plain(value)) is not None:
                chunk.rescued.setdefault(number, {})[name] = plain
    if rescued_column is not None:
        texts: list[str | None] = [None] * chunk.rows
        for number, misfit in chunk.rescued.items():
            texts[number] = _json({**misfit, "_file_path": info.shown_path})
        fitted[rescued_column] = pa.array(texts, pa.string())
    fitted[METADATA] = _metadata(info, chunk.rows)
    return pa.RecordBatch.from_arrays([fitted[name] for name in schema.names], schema.names)


def _corrupt(chunk: Chunk, target: pa.DataType) -> pa.Array:
    """Lines that are no whole records, taken out of the rescued data."""
    lines = [chunk.rescued.get(number, {}).pop(CORRUPT, None) for number in range(chunk.rows)]
    chunk.rescued = {number: misfit for number, misfit in chunk.rescued.items() if misfit}
    return pa.array(lines, target)


def _metadata(info: FileInfo, rows: int) -> pa.StructArray:
    values = {
        "file_path": pa.scalar(info.shown_path),
        "file_name": pa.scalar(info.path.name),
        "file_size": pa.scalar(info.size, pa.int64()),
        "file_modification_time": pa.scalar(info.modified, pa.timestamp("us", "UTC")),
    }
    return pa.StructArray.from_arrays([pa.repeat(value, rows) for value in values.values()], names=list(values))


def _converted(values: pa.Array | list[Any], target: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Values as the target type, null where one does not fit, and the numbers of the rows that do not fit."""
    if isinstance(values, pa.Array) and _physical(values.type) != _physical(target):
        return pa.nulls(len(values), target), [number for number, value in enumerate(values) if value.is_valid]
    try:
        return _cast(values, target), []
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, TypeError, ValueError, OverflowError):
        pass  # at least one value does not fit: find out which
    known: dict[Any, Any] = {}
    fitted, misfits = [], []
    for number, value in enumerate(values):
        plain = _plain(value)
        key = plain if plain.__hash__ else repr(plain)
        if (type(plain), key) not in known:
            try:
                known[type(plain), key] = _cast([plain], target)[0]
            except (
                pa.ArrowInvalid,
                pa.ArrowNotImplementedError,
                pa.ArrowTypeError,
                TypeError,
                ValueError,
                OverflowError,
            ):
                known[type(plain), key] = None
        scalar = known[type(plain), key]
        if scalar is None:
            misfits.append(number)
        fitted.append(None if scalar is None else scalar.as_py())
    return pa.array(fitted, target), misfits


def _physical(kind: pa.DataType) -> str:
    """Physical type of Parquet, with its meaning, of a type of Arrow."""
    if pa.types.is_dictionary(kind):
        return _physical(kind.value_type)
    if pa.types.is_nested(kind):
        return "nested"
    if kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()):
        return "INT32"
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz else "timestamp without a zone"
    return "DATE" if pa.types.is_date(kind) else str(kind)


def _cast(values: pa.Array | list[Any], target: pa.DataType) -> pa.Array:
    if isinstance(values, list):
        if pa.types.is_string(target):
            return pa.array([v if v is None or isinstance(v, str) else _json(v) for v in values], target)
        if not all(value is None or isinstance(value, str) for value in values):
            return pa.array(values, target)
        values = pa.array(values, pa.string())
    if pa.types.is_string(values.type) and pa.types.is_timestamp(target) and target.tz:
        try:
            return values.cast(target)
        except pa.ArrowInvalid:  # without an offset: session time, which is UTC
            return pc.assume_timezone(values.cast(pa.timestamp(target.unit)), target.tz)
    if pa.types.is_timestamp(values.type) and pa.types.is_timestamp(target) and values.type.tz is None and target.tz:
        return pc.assume_timezone(values.cast(pa.timestamp(target.unit)), target.tz)
    return values.cast(target)


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    return value.as_py() if isinstance(value, pa.Scalar) else value
