"""JSON: one object a line, or one array of objects; written anew as one object a line where it is anything else.

A line that is no object is a record too, which Auto Loader reports as corrupt. An array that breaks off is no file.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TextIO

from churn.ingestion.readable import MAXIMUM_LETTERS, Contents, Owners, Places, UnreadableFileError, spelled
from churn.ingestion.text_lines import encoding_remarks, end_of, lines_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from churn.core.contract import Contract
    from churn.core.erased import Erased

CHUNK_LETTERS = 2**16
MAXIMUM_NAMES = 1000  # of the columns of a file, and letters of each
SPELLINGS = 16  # of the names of a record that are remembered
BLANK = " \t\r\n"


class _Pairs(list[tuple[str, object]]):
    """Members of an object in their order; a name may stand twice."""


DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


class _Record(NamedTuple):
    """One record: its text on one line, and its names; None where it is no object."""

    text: str
    names: tuple[str, ...] | None


def read(file: Path, contract: Contract, erased: Erased | None = None) -> Contents:
    """Reads a file to its end, and finds the records of erased customers.

    Raises:
        UnreadableFileError: It cannot be read as JSON.
    """
    names: dict[str, None] = {}
    rows, broken, renamed, last = 0, Places(), False, ""
    meaning = lru_cache(SPELLINGS)(lambda delivered: spelled(delivered, contract))
    owners, theirs = Owners(contract, erased), Counter[str]()
    with opened(file) as text:
        array = _begins_array(text)
        for record in _array(text) if array else _lines(text):
            rows, last = rows + 1, record.text
            if owners and (owner := _owner(record, owners, contract)):
                theirs[owner] += 1
            if record.names is None:
                broken.add(rows)
                continue
            meant = meaning(record.names)
            if len(set(meant)) < len(meant):
                twice = ", ".join(sorted({name for name in meant if meant.count(name) > 1}))
                raise UnreadableFileError(f"columns stand twice: {twice}: record {rows}")
            renamed = renamed or meant != list(record.names)
            names.update(dict.fromkeys(record.names))
            if len(names) > MAXIMUM_NAMES or any(len(name) > MAXIMUM_NAMES for name in record.names):
                raise UnreadableFileError(f"more than {MAXIMUM_NAMES:,} names, or letters of one, by record {rows}")
    if rows and broken.count == rows:
        raise UnreadableFileError("no JSON: no line holds an object of its own")
    remarks = [*encoding_remarks(file), *(["was one array"] if array else [])]
    rewrite = bool(remarks or theirs) or renamed
    if not array and end_of(last) == "":
        remarks.append("the last line has no end, so that it may be cut")
    if broken.count:
        remarks.append(f"{broken.count} records are no JSON objects: record {broken}")
    columns = _once(names, contract) if rows else contract.sources  # an empty array names none
    return Contents(rows, columns, tuple(remarks), rewrite, theirs)


def rewrite(file: Path, target: Path, contract: Contract, erased: Erased | None = None) -> None:
    """Writes a file that `read` could read in UTF-8, one object a line, with the contract's names.

    Records of erased customers are left out.
    """
    owners = Owners(contract, erased)
    with opened(file) as text, target.open("w", encoding="utf-8", newline="") as written:
        for record in _array(text) if _begins_array(text) else _lines(text):
            if owners and _owner(record, owners, contract):
                continue
            line = record.text.strip(BLANK)
            if record.names is not None and spelled(record.names, contract) != list(record.names):
                line = _renamed(line, contract)
            written.write(f"{line}\n")


def _owner(record: _Record, owners: Owners, contract: Contract) -> str | None:
    """The erased customer whose record it is; None if it is nobody's of them."""
    customer = None
    if record.names is not None:
        values = [value for _, value in DECODER.decode(record.text)]
        by_name = dict(zip(spelled(record.names, contract), values, strict=True))
        value = by_name.get(owners.source)
        customer = None if value is None else str(value)
    return owners.of(customer, record.text, in_order=record.names is not None)


def _begins_array(text: TextIO) -> bool:
    """Whether the first letter that is not blank begins an array; the text is read from its beginning afterwards."""
    while (letter := text.read(1)) and letter in BLANK:
        pass
    text.seek(0)
    return letter == "["


def _lines(text: TextIO) -> Iterator[_Record]:
    for line in lines_of(text):
        if line.strip(BLANK):
            try:
                members = DECODER.decode(line)
            except (ValueError, RecursionError):
                members = None
            yield _Record(line, tuple(name for name, _ in members) if isinstance(members, _Pairs) else None)


def _array(text: TextIO) -> Iterator[_Record]:
    """Objects of an array, each of which alone is held in memory."""
    buffer, count = _filled(_filled("", text)[1:], text), 0
    while not buffer.startswith("]"):
        if count:
            if not buffer.startswith(","):
                raise UnreadableFileError(f"no JSON: the array breaks off after record {count}")
            buffer = _filled(buffer[1:], text)
        if not buffer.startswith("{"):
            raise UnreadableFileError(f"no JSON: record {count + 1} of the array is no object")
        members, end, buffer = _object(buffer, text, count)
        count += 1
        yield _Record(_one_line(buffer[:end]), tuple(name for name, _ in members))
        buffer = _filled(buffer[end:], text)
    if _filled(buffer[1:], text):
        raise UnreadableFileError("no JSON: something stands behind the array")


def _filled(buffer: str, text: TextIO) -> str:
    """A buffer that begins with a letter that is not blank; empty at the end of the text."""
    buffer = buffer.lstrip(BLANK)
    while not buffer and (more := text.read(CHUNK_LETTERS)):
        buffer = more.lstrip(BLANK)
    return buffer


def _object(buffer: str, text: TextIO, count: int) -> tuple[_Pairs, int, str]:
    """The object with which a buffer begins, its end, and the buffer, for which more text is read where it breaks off.

    Raises:
        UnreadableFileError: There is no such object.
    """
    while True:
        try:
            members, end = DECODER.raw_decode(buffer)
        except (ValueError, RecursionError) as error:
            more = text.read(CHUNK_LETTERS)
            if not more or len(buffer) > MAXIMUM_LETTERS:
                raise UnreadableFileError(f"no JSON: record {count + 1}: {str(error)[:200]}") from error
            buffer += more
        else:
            return members, end, buffer


def _one_line(text: str) -> str:
    """The text of an object on one line: line ends stand between its parts alone, where a blank means the same."""
    return text.replace("\r", " ").replace("\n", " ")


def _renamed(line: str, contract: Contract) -> str:
    """An object with its members named as the contract spells them, and their values in the very text."""
    members, place = [], line.index("{") + 1
    while True:
        name, end = DECODER.raw_decode(line, line.index('"', place))
        begin = line.index(":", end) + 1
        begin += len(line[begin:]) - len(line[begin:].lstrip(BLANK))
        _, place = DECODER.raw_decode(line, begin)
        members.append(f"{json.dumps(spelled([name], contract)[0], ensure_ascii=False)}:{line[begin:place]}")
        rest = line[place:].lstrip(BLANK)
        if not rest.startswith(","):
            return f"{{{','.join(members)}}}"


def _once(names: dict[str, None], contract: Contract) -> list[str]:
    """Names of the columns, one of each spelling that means the same column."""
    by_meaning: dict[str, str] = {}
    for name, meant in zip(names, spelled(names, contract), strict=True):
        if name != meant or meant not in by_meaning:
            by_meaning[meant] = name
    return list(by_meaning.values())
