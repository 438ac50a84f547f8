"""Judges a delivered file before anything reads it: is it whole, and is it what its contract says?

A file that fails is set aside whole, since what it lacks cannot be told from its rows. What can be told row by row (a
missing value, text in a number) is left to silver's rules. A text file must end with a line feed: without one, its last
line may have lost a part.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from churn.contract import Contract

OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}
LINES_SHOWN = 5


class UnreadableFileError(ValueError):
    """The file as a whole cannot be read as its contract says; the text is the reason."""


@dataclass(frozen=True)
class Finding:
    """What was found in a file.

    Attributes:
        rows: Records in it; None if they cannot be counted.
        fault: Why the file is set aside; None if it is admitted.
        remarks: What is odd about an admitted file.
    """

    rows: int | None
    fault: str | None = None
    remarks: tuple[str, ...] = ()


def examine(data: bytes, contract: Contract | None) -> Finding:
    """Judges one file.

    Args:
        data: Its content.
        contract: Of the domain that it was delivered to; None if there is none.
    """
    if contract is None:
        return Finding(None, "no contract has this domain")
    if not data.strip():
        return Finding(None, "the file is empty")
    try:
        rows, remarks = READERS[contract.format](data, contract)
    except UnreadableFileError as error:
        return Finding(None, str(error))
    return Finding(rows, remarks=tuple(remarks) if rows else (*remarks, "no rows"))


def _read_csv(data: bytes, contract: Contract) -> tuple[int, list[str]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"no UTF-8 text: byte {error.start} is {data[error.start]:#04x}") from error
    if not text.endswith("\n"):
        raise UnreadableFileError(f"truncated: line {text.count(chr(10)) + 1} has no end")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines)
        lengths = [(lines.line_num, len(record)) for record in lines if record]
    except csv.Error as error:
        raise UnreadableFileError(f"no CSV: line {lines.line_num}: {error}") from error
    if len(header) == 1 and (delimiter := max(OTHER_DELIMITERS, key=header[0].count)) in header[0]:
        raise UnreadableFileError(f"wrong delimiter: the header has {OTHER_DELIMITERS[delimiter]} where a comma is due")
    remarks = _compare(header, contract.sources)
    if uneven := [str(line) for line, length in lengths if length != len(header)]:
        shown = ", ".join(uneven[:LINES_SHOWN]) + (", …" if len(uneven) > LINES_SHOWN else "")
        remarks.append(f"{len(uneven)} records have not the header's {len(header)} fields: line {shown}")
    return len(lengths), remarks


def _read_parquet(data: bytes, contract: Contract) -> tuple[int, list[str]]:
    try:
        footer = pq.ParquetFile(io.BytesIO(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableFileError(f"truncated or no Parquet: {str(error).splitlines()[0]}") from error
    return footer.metadata.num_rows, _compare(footer.schema_arrow.names, contract.sources)


READERS: dict[str, Callable[[bytes, Contract], tuple[int, list[str]]]] = {"csv": _read_csv, "parquet": _read_parquet}


def _compare(found: list[str], expected: list[str]) -> list[str]:
    """Remarks on the columns of a file.

    Raises:
        UnreadableFileError: A column stands twice, or less than half of those expected are there.
    """
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise UnreadableFileError(f"columns stand twice: {', '.join(twice)}")
    missing = [name for name in expected if name not in found]
    if 2 * len(missing) > len(expected):
        raise UnreadableFileError(f"another table: {len(missing)} of {len(expected)} columns missing: {_join(missing)}")
    unknown = [name for name in found if name not in expected]
    return [f"{what} columns: {_join(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names]


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
