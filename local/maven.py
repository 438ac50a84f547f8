"""Folders of jars that Maven brings, each with a list of its jars."""

from __future__ import annotations

import shutil
from pathlib import Path

LIST = "jars.txt"  # the names of the jars, beside them: shows whether one is lost


def complete(jars: Path) -> bool:
    """Whether a folder has all the jars that were installed there."""
    try:
        names = (jars / LIST).read_text().split()
    except OSError:
        return False
    return all((jars / name).is_file() for name in names)


def copy_dependencies(pom: Path, build: Path, jars: Path) -> list[str]:
    """The command that brings the jars of a project.

    Args:
        pom: The project's file.
        build: A folder for what Maven writes.
        jars: Folder that gets the jars.
    """
    copy = shutil.copy(pom, build / "pom.xml")  # a copy, since Maven writes beside it
    arguments = ["-q", "--batch-mode", "-f", str(copy), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
    return ["mvn", *arguments]


def publish(jars: Path, target: Path) -> None:
    """Puts a filled folder of jars in its place, whole or not at all."""
    (jars / LIST).write_text("".join(f"{path.name}\n" for path in sorted(jars.glob("*.jar"))))
    if not complete(target):  # another process may have been faster
        shutil.rmtree(target, ignore_errors=True)  # a damaged one
        jars.rename(target)
