"""Small wheels for tests of jobs and pipelines."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def build(path: Path, package: str, source: str, entry_points: Mapping[str, str]) -> None:
    """Writes a wheel with one module.

    Args:
        path: The wheel's file.
        package: Name of the distribution and of its one package.
        source: Text of the package's `__init__.py`.
        entry_points: Name to `module:function`, in the group `packages`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    points = "".join(f"{name} = {target}\n" for name, target in entry_points.items())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{package}/__init__.py", source)
        archive.writestr(f"{package}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{package}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{package}-1.0.dist-info/entry_points.txt", f"[packages]\n{points}")
        archive.writestr(f"{package}-1.0.dist-info/RECORD", "")
