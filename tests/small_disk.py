"""A small disk under a folder, which a test can fill."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Puts a folder on a disk of its own for the block, and what the disk then has back into the folder.

    Nothing may use the folder when the block begins and when it ends. Where nothing can be mounted, which root alone
    can, the test is skipped.

    Args:
        folder: The folder; what it has stays.
        megabytes: Size of the disk.
    """
    kept = folder.rename(folder.with_name(f"{folder.name}-kept"))
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "test", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    try:
        if mounted.returncode:
            pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
        _copy(kept, folder)
        yield
        shutil.rmtree(kept)
        kept.mkdir()
        _copy(folder, kept)
    finally:
        if not mounted.returncode:
            # Lazily: what still uses it after a failed assertion would hide that by a failure of its own.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
        kept.rename(folder)


def fill(folder: Path) -> Path:
    """Fills the disk of a folder to its last byte.

    Returns:
        The file that does it, to be deleted.
    """
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as full:
        while True:
            full.write(bytes(4096))
    return filler


def _copy(source: Path, target: Path) -> None:
    """Copies what a folder has, with owners and rights."""
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
