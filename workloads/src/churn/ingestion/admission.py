"""Examination of a delivered file before anything reads it: whether it is whole, with its contract's columns.

A file that fails is quarantined whole, since its rows do not show what the file lacks: an empty column and one that was
not delivered look the same in a row. Silver's rules examine what shows row by row (a missing value, text in a number).

Sources differ in what they call a table: in encoding, line ends, compression, spelling of names. What means the same is
read, with a remark. Auto Loader reads one form, so a file of another is written anew in it; nothing else of it changes.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from churn.ingestion import csv_files, json_files, parquet_files
from churn.ingestion.kinds import GZIP, WORDS, Kind, check_kind, head_of, kind_of
from churn.ingestion.readable import UnreadableFileError, check_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from churn.core.contract import Contract
    from churn.core.erased import Erased

CHUNK_BYTES = 2**20
MAXIMUM_BYTES = 16 * 2**30  # of an unpacked file: a small one may unpack to more than the disk holds
READERS: dict[Kind, ModuleType] = {"csv": csv_files, "json": json_files, "parquet": parquet_files}


@dataclass(frozen=True)
class Finding:
    """Result of the examination of a file.

    Attributes:
        rows: Records in it; None if they cannot be counted.
        fault: Why the file is quarantined; None if it is admitted.
        remarks: What is odd about an admitted file.
        kind: Format of an admitted file.
        readable: Path of an admitted file as bronze reads it: the file itself, or one that was written anew from it.
        erased: Records of erased customers, by the hash of each: the readable file has none of them.
    """

    rows: int | None
    fault: str | None = None
    remarks: tuple[str, ...] = ()
    kind: Kind | None = None
    readable: Path | None = None
    erased: Mapping[str, int] = field(default_factory=dict)


def examine(file: Path, contract: Contract, erased: Erased | None = None) -> Finding:
    """Examines one file, in one pass and in memory that does not depend on its size.

    Args:
        file: Its path on this machine. What is made of it is written beside it.
        contract: Of the domain that it was delivered to.
        erased: Customers whose records are left out; None if there are none.
    """
    try:
        return _examined(file, contract, erased)
    except UnreadableFileError as error:
        return Finding(None, str(error))


def _examined(file: Path, contract: Contract, erased: Erased | None) -> Finding:
    head = head_of(file)
    if not head.strip():
        raise UnreadableFileError("the file is empty")
    unpacked, remarks = file, list[str]()
    if head.startswith(GZIP):
        unpacked = file.with_name(f"{file.name}.unpacked")
        _unpack(file, unpacked)
        remarks.append("was compressed with gzip")
    kind = _kind(unpacked, contract)
    contents = READERS[kind].read(unpacked, contract, erased)
    fault, of_columns = check_columns(contents, contract)
    if fault:
        return Finding(contents.rows, fault)
    readable = unpacked
    if contents.rewrite:
        readable = file.with_name(f"{file.name}.rewritten")
        READERS[kind].rewrite(unpacked, readable, contract, erased)
    remarks += [*of_columns, *contents.remarks, *([] if contents.rows else ["no rows"])]
    if theirs := sum(contents.erased.values()):
        remarks.append(f"{theirs} rows of erased customers were left out")
    return Finding(contents.rows, None, tuple(remarks), kind, readable, contents.erased)


def _kind(file: Path, contract: Contract) -> Kind:
    """Kind of a file, which its contract lists.

    Raises:
        UnreadableFileError: It is of another kind.
    """
    if contract.typed:
        check_kind(file)
        return "parquet"  # its reader knows best what is damaged
    kind = kind_of(file)
    if kind not in contract.formats:
        listed = " or ".join(WORDS[each] for each in READERS if each in contract.formats)
        raise UnreadableFileError(f"is {WORDS[kind]} where the contract lists {listed}")
    return kind


def _unpack(file: Path, target: Path) -> None:
    """Writes what a gzip file holds.

    Raises:
        UnreadableFileError: It is damaged, or holds too much.
    """
    size = 0
    try:
        with gzip.open(file) as packed, target.open("wb") as unpacked:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                if size > MAXIMUM_BYTES:
                    raise UnreadableFileError(f"unpacks to more than {MAXIMUM_BYTES // 2**30} GiB: deliver it in parts")
                unpacked.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFileError(f"damaged gzip: {error}") from error
