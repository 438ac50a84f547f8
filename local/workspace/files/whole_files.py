"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = ".upload-"  # of files that are not whole yet


@contextmanager
def whole_file(target: Path, scratch: Path) -> Iterator[BinaryIO]:
    """Opens a file that becomes `target` when the block ends without an error; missing folders are made.

    Args:
        target: Path of the file. A reader of an earlier file of that path is not disturbed.
        scratch: Folder on the same disk in which the file grows.

    Yields:
        The growing file.
    """
    handle, name = tempfile.mkstemp(dir=scratch, prefix=PREFIX)
    growing = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        growing.chmod(0o644)
        try:
            _place(growing, target)
        except FileNotFoundError:  # another request removed the empty folder in between
            _place(growing, target)
    finally:
        growing.unlink(missing_ok=True)


def _place(growing: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    growing.replace(target)
