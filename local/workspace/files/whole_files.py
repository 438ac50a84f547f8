"""Writing a file such that it appears whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PREFIX = ".upload-"  # of files that are not whole yet


@contextmanager
def whole_file(target: Path, scratch: Path) -> Iterator[BinaryIO]:
    """Opens a file that becomes `target`, with the folders on the way to it, when the block ends without an error.

    Args:
        target: Where it is to be. A reader of the file that was there before is not disturbed.
        scratch: A folder on the same disk, where it grows.
    """
    handle, name = tempfile.mkstemp(dir=scratch, prefix=PREFIX)
    growing = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        growing.chmod(0o644)
        try:
            _place(growing, target)
        except FileNotFoundError:  # somebody has removed the empty folder in between
            _place(growing, target)
    finally:
        growing.unlink(missing_ok=True)


def _place(growing: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    growing.replace(target)
