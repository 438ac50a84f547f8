"""Comma-separated text: counted record by record, and written anew where Auto Loader would read it otherwise.

Spark ends records as the header ends, and merges those that end otherwise; within quotes it takes any line end. So a
file whose records end in several ways is written anew, each record with a line feed and its text as it was.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from churn.ingestion.readable import MAXIMUM_LETTERS, Contents, Owners, Places, UnreadableFileError, spelled
from churn.ingestion.text_lines import encoding_remarks, end_of, lines_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from churn.core.contract import Contract
    from churn.core.erased import Erased

OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}


class _Records:
    """Records of a text, each with its fields, and with its text as long as it is the current one."""

    def __init__(self, text: TextIO) -> None:
        self._lines, self._record, self._letters = lines_of(text), list[str](), 0
        self._reader = csv.reader(self._remembered(), strict=True)

    def __iter__(self) -> Iterator[tuple[list[str], str]]:
        while True:
            self._record, self._letters = [], 0
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnreadableFileError(f"no CSV: line {self.line}: {error}") from error
            yield fields, "".join(self._record)

    @property
    def line(self) -> int:
        """Number of the line with which the current record ends."""
        return self._reader.line_num

    def _remembered(self) -> Iterator[str]:
        for line in self._lines:
            self._record.append(line)
            self._letters += len(line)
            if self._letters > MAXIMUM_LETTERS:
                raise UnreadableFileError(
                    f"the record before line {self.line + 1} is longer than {MAXIMUM_LETTERS:,} letters"
                )
            yield line


def read(file: Path, contract: Contract, erased: Erased | None = None) -> Contents:
    """Reads a file to its end, and finds the records of erased customers.

    Raises:
        UnreadableFileError: It cannot be read as CSV.
    """
    with opened(file) as text:
        records = _Records(text)
        numbered = iter(records)
        header, first = _header(numbered)
        ends, rows, uneven = Counter([end_of(first)]), 0, Places()
        owner_of, theirs = _owner_of(spelled(header, contract), Owners(contract, erased)), Counter[str]()
        for fields, record in numbered:
            ends[end_of(record)] += 1
            if fields:
                rows += 1
                if len(fields) != len(header):
                    uneven.add(records.line)
                if owner_of and (owner := owner_of(fields, record)):
                    theirs[owner] += 1
        last = records.line
    remarks = list(encoding_remarks(file))
    cut, kinds = ends.pop("", 0), len(ends)
    if cut:
        remarks.append(f"line {last} has no end, so that it may be cut")
    if kinds > 1:
        remarks.append("line ends are mixed")
    elif "\r" in ends:
        remarks.append("lines end with a carriage return alone")
    rewrite = bool(remarks or theirs) or spelled(header, contract) != header
    if uneven.count:
        remarks.append(f"{uneven.count} records have not the header's {len(header)} fields: line {uneven}")
    return Contents(rows, header, tuple(remarks), rewrite, theirs)


def rewrite(file: Path, target: Path, contract: Contract, erased: Erased | None = None) -> None:
    """Writes a file that `read` could read in UTF-8, with the contract's names, and with a line feed after a record.

    Records of erased customers are left out.
    """
    with opened(file) as text, target.open("w", encoding="utf-8", newline="") as written:
        records = iter(_Records(text))
        header, _ = next(records)
        owner_of = _owner_of(spelled(header, contract), Owners(contract, erased))
        csv.writer(written, lineterminator="\n").writerow(spelled(header, contract))
        for fields, record in records:
            if not (owner_of and fields and owner_of(fields, record)):
                written.write(f"{record.removesuffix(end_of(record))}\n")


def _header(records: Iterator[tuple[list[str], str]]) -> tuple[list[str], str]:
    """The first record, which names the columns.

    Raises:
        UnreadableFileError: There is none.
    """
    header, first = next(records, ([], ""))
    if not header:
        raise UnreadableFileError("the file is empty" if not first else "the first line, due as header, is empty")
    if len(header) == 1 and (delimiter := max(OTHER_DELIMITERS, key=header[0].count)) in header[0]:
        raise UnreadableFileError(f"wrong delimiter: the header has {OTHER_DELIMITERS[delimiter]} where a comma is due")
    return header, first


def _owner_of(header: Sequence[str], owners: Owners) -> Callable[[Sequence[str], str], str | None] | None:
    """Gives the erased customer whose record it is, by its fields and its text; None where nobody was erased."""
    if not owners:
        return None
    place = header.index(owners.source) if owners.source in header else len(header)

    def owner_of(fields: Sequence[str], record: str) -> str | None:
        customer = fields[place] if place < len(fields) else None
        return owners.of(customer, record, in_order=len(fields) == len(header))

    return owner_of
