"""Kind of a delivered file, by its first bytes: what it is counts, whatever its name says."""

from __future__ import annotations

import codecs
import zipfile
from typing import TYPE_CHECKING, Literal

from churn.ingestion.readable import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["csv", "json", "parquet"]
HEAD_BYTES = 4096
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
TAR = (257, b"ustar")  # the magic's place in a tar archive
# First bytes, and what they show: formats that nobody can read here.
OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook (xls): save it as CSV",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: deliver the files in it",
    b"Rar!\x1a\x07": "a RAR archive: deliver the files in it",
    b"BZh": "compressed with bzip2: compress it with gzip, or not at all",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard: compress it with gzip, or not at all",
    b"\xfd7zXZ\x00": "compressed with xz: compress it with gzip, or not at all",
    b"%PDF": "a PDF document: deliver its table",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"<": "XML or HTML, perhaps the error page of a download",
    codecs.BOM_UTF32_LE: "in another encoding, UTF-32: save it as UTF-8",
    codecs.BOM_UTF32_BE: "in another encoding, UTF-32: save it as UTF-8",
}
WORDS: dict[Kind, str] = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}
# Byte order marks, with the codec that reads what follows.
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def kind_of(file: Path) -> Kind:
    """Kind of a file that is not compressed.

    Raises:
        UnreadableFileError: It is of a kind that is not read; the text says of which.
    """
    check_kind(file)
    head = head_of(file)
    if head.startswith(PARQUET):
        return "parquet"
    text = head.decode(encoding_of(head), errors="ignore").lstrip()
    return "json" if text.startswith(("{", "[")) else "csv"


def check_kind(file: Path) -> None:
    """Checks that a file begins as none of a format that is not read.

    Raises:
        UnreadableFileError: It does; the text says what it is.
    """
    head = head_of(file)
    place, magic = TAR
    if head.startswith(ZIP):
        raise UnreadableFileError(_zipped(file))
    if head.startswith(GZIP):
        raise UnreadableFileError("is compressed twice: compress it once, or not at all")
    if head[place:].startswith(magic):
        raise UnreadableFileError("is a tar archive: deliver the files in it")
    for first, what in OTHERS.items():
        if head.startswith(first):
            raise UnreadableFileError(f"is {what}")


def encoding_of(head: bytes) -> str:
    """Codec that reads a text file.

    Args:
        head: Its first bytes.

    Raises:
        UnreadableFileError: It is text in another encoding.
    """
    marked = next((codec for mark, codec in MARKS.items() if head.startswith(mark)), None)
    if marked is None and b"\0" in head:
        raise UnreadableFileError(
            "is in another encoding, perhaps UTF-16 without a byte order mark, or no text: save it as UTF-8"
        )
    return marked or "utf-8"


def head_of(file: Path) -> bytes:
    """First bytes of a file."""
    with file.open("rb") as opened:
        return opened.read(HEAD_BYTES)


def _zipped(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        names = []
    if any(name.startswith("xl/") for name in names):
        return "is an Excel workbook (xlsx): save it as CSV"
    return "is a zip archive: deliver the files in it"
