"""Hash of a build's inputs, by which the build is found again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def content_hash(root: Path, files: Iterable[Path], words: Iterable[str] = ()) -> str:
    """SHA-256, in hexadecimal, of the contents of files and their paths below a folder.

    Args:
        root: Folder that holds all the files; where it lies makes no difference.
        files: The files, in an order that is always the same.
        words: What else the build depends on, such as versions.
    """
    digest = hashlib.sha256("\0".join(words).encode())
    for file in files:
        digest.update(f"\0{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
