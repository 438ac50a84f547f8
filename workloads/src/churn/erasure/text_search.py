"""Search for an id in a file that nobody can read by rows: in UTF-8 and UTF-16, as it is or unpacked.

A binary format that packs its values, such as a damaged Parquet file, may hide one; such a file goes by its age.
"""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TYPE_CHECKING, Any

from churn.ingestion.kinds import GZIP, head_of

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_BYTES = 2**20
MAXIMUM_CHUNKS = 16 * 2**10  # of an unpacked file, as `ingest` unpacks
LETTER = rb"[A-Za-z0-9_-]"  # that makes another word of an id that it stands beside


def names(file: Path, customer: str) -> bool:
    """Whether a file has an id as a word of its own."""
    words = [
        _word(customer.encode(), LETTER),
        _word(customer.encode("utf-16-le"), LETTER + rb"\0"),
        _word(customer.encode("utf-16-be"), rb"\0" + LETTER),
    ]
    overlap = 4 * len(customer.encode("utf-16")) + 8
    packed = head_of(file).startswith(GZIP)
    with gzip.open(file) if packed else file.open("rb") as opened:
        return _found(opened, words, overlap)


def _found(opened: Any, words: list[re.Pattern[bytes]], overlap: int) -> bool:
    tail, first = b"", True
    for _ in range(MAXIMUM_CHUNKS):
        try:
            chunk = opened.read(CHUNK_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return False
        text = tail + chunk
        # what begins the text again was looked at with what stands before it
        if any(first or match.start() for word in words for match in word.finditer(text)):
            return True
        if not chunk:
            return False
        tail, first = text[-overlap:], False
    return False


def _word(customer: bytes, letter: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?<!" + letter + b")" + re.escape(customer) + b"(?!" + letter + b")")
