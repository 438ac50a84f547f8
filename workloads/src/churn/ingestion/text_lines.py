"""Lines of a text file, read one at a time whatever the file's size."""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from churn.ingestion.kinds import encoding_of, head_of
from churn.ingestion.readable import MAXIMUM_LETTERS, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

CHUNK_BYTES = 2**20
ENCODINGS = {"utf-8-sig": "began with a byte order mark", "utf-16": "was in UTF-16"}


def encoding_remarks(file: Path) -> tuple[str, ...]:
    """What is odd about the encoding of a file that can be read: nothing, or one remark."""
    remark = ENCODINGS.get(encoding_of(head_of(file)))
    return (remark,) if remark else ()


@contextmanager
def opened(file: Path) -> Iterator[TextIO]:
    """Opens a text file in its encoding, with line ends as they are.

    Raises:
        UnreadableFileError: It holds bytes that are no text in this encoding.
    """
    encoding = encoding_of(head_of(file))
    try:
        with io.TextIOWrapper(file.open("rb"), encoding, newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise UnreadableFileError(_no_text(file, encoding)) from error


def lines_of(text: TextIO) -> Iterator[str]:
    r"""Lines with their ends, which are `\n`, `\r\n` or `\r`.

    Raises:
        UnreadableFileError: A line is too long to be one.
    """
    number = 0
    while line := text.readline(MAXIMUM_LETTERS):
        number += 1
        if len(line) == MAXIMUM_LETTERS and end_of(line) == "":
            raise UnreadableFileError(f"line {number} is longer than {MAXIMUM_LETTERS:,} letters")
        yield line


def end_of(line: str) -> str:
    """How a line ends; empty if it has no end."""
    return next((end for end in ("\r\n", "\n", "\r") if line.endswith(end)), "")


def _no_text(file: Path, encoding: str) -> str:
    """Words for a file with bytes that its encoding does not have; the first is looked for."""
    decoder, done = codecs.getincrementaldecoder(encoding)(), 0
    with file.open("rb") as data:
        while True:
            chunk = data.read(CHUNK_BYTES)
            pending = decoder.getstate()[0]
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                byte = (pending + chunk)[error.start : error.start + 1]
                name = "UTF-16" if encoding == "utf-16" else "UTF-8"
                return (
                    f"no {name} text: byte {done - len(pending) + error.start} is 0x{byte.hex()}; if it is text, it is "
                    "in another encoding, such as Windows-1252: save it as UTF-8"
                )
            done += len(chunk)
