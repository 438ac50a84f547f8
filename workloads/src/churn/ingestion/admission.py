"""Examination of a delivered file before anything reads it: whether it is whole, with its contract's columns.

A file that fails is quarantined whole, since its rows do not show what the file lacks: an empty column and one that was
not delivered look the same in a row. Silver's rules examine what shows row by row (a missing value, text in a number).

A text file must end with a line feed: without one, its last line may have lost a part. All its records must end in the
same way, with a line feed or with a carriage return and a line feed: readers split other mixtures differently.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from churn.core.errors import FinalError

if TYPE_CHECKING:
    from churn.core.contract import Contract

OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}
LINES_SHOWN = 5
MIXED_ENDS = "line ends are mixed: save with one kind"
LONE_RETURN = "new-line character seen in unquoted field"  # in the csv module's words


class UnreadableFileError(FinalError):
    """The file as a whole cannot be read as its contract says; the text is the reason."""


@dataclass(frozen=True)
class Finding:
    """Result of the examination of a file.

    Attributes:
        rows: Records in it; None if they cannot be counted.
        fault: Why the file is quarantined; None if it is admitted.
        remarks: What is odd about an admitted file.
    """

    rows: int | None
    fault: str | None = None
    remarks: tuple[str, ...] = ()


def examine(data: bytes, contract: Contract) -> Finding:
    """Examines one file.

    Args:
        data: Its content.
        contract: Of the domain that it was delivered to.
    """
    if not data.strip():
        return Finding(None, "the file is empty")
    try:
        contents = READERS[contract.format](data)
    except UnreadableFileError as error:
        return Finding(None, str(error))
    columns, expected = contents.columns, contract.sources
    twice = sorted({name for name in columns if columns.count(name) > 1})
    missing = [name for name in expected if name not in columns]
    unknown = [name for name in columns if name not in expected]
    lists = {"columns stand twice": twice, "missing columns": missing, "unknown columns": unknown}
    remarks = [f"{what}: {', '.join(names)}" for what, names in lists.items() if names]
    if twice or missing:
        return Finding(contents.rows, "; ".join(remarks))  # a renamed column is both missing and unknown
    return Finding(contents.rows, remarks=(*remarks, *contents.remarks, *([] if contents.rows else ["no rows"])))


@dataclass(frozen=True)
class _Contents:
    """Contents of a file: number of records, names of columns, remarks."""

    rows: int
    columns: list[str]
    remarks: tuple[str, ...] = ()


def _read_csv(data: bytes) -> _Contents:
    if data.startswith(codecs.BOM_UTF8):
        raise UnreadableFileError("begins with a byte order mark: save it without")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"no UTF-8 text: byte {error.start} is {data[error.start]:#04x}") from error
    if not text.endswith("\n"):
        raise UnreadableFileError(f"truncated: line {text.count(chr(10)) + 1} has no end")
    lines = list(io.StringIO(text, newline="\n"))
    records = csv.reader(lines, strict=True)
    try:
        header = next(records)
        ends = [(records.line_num, len(header)), *((records.line_num, len(record)) for record in records)]
    except csv.Error as error:
        fault = MIXED_ENDS if LONE_RETURN in str(error) else f"no CSV: line {records.line_num}: {error}"
        raise UnreadableFileError(fault) from error
    # Spark ends records as the header ends, and merges those that end otherwise; within quotes it takes any line end
    if len({lines[number - 1].endswith("\r\n") for number, _ in ends}) > 1:
        raise UnreadableFileError(MIXED_ENDS)
    lengths = [(number, length) for number, length in ends[1:] if length]
    if len(header) == 1 and (delimiter := max(OTHER_DELIMITERS, key=header[0].count)) in header[0]:
        raise UnreadableFileError(f"wrong delimiter: the header has {OTHER_DELIMITERS[delimiter]} where a comma is due")
    uneven = [str(line) for line, length in lengths if length != len(header)]
    if not uneven:
        return _Contents(len(lengths), header)
    shown = ", ".join(uneven[:LINES_SHOWN]) + (", …" if len(uneven) > LINES_SHOWN else "")
    remark = f"{len(uneven)} records have not the header's {len(header)} fields: line {shown}"
    return _Contents(len(lengths), header, (remark,))


def _read_parquet(data: bytes) -> _Contents:
    try:
        file = pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True)
        columns = file.schema_arrow.names
        rows = 0
        for batch in file.iter_batches():  # reads every page: the footer knows none of them
            batch.validate(full=True)
            rows += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise UnreadableFileError(f"damaged or no Parquet: {str(error).partition(chr(10))[0]}") from error
    return _Contents(rows, columns)


READERS: dict[str, Callable[[bytes], _Contents]] = {"csv": _read_csv, "parquet": _read_parquet}
