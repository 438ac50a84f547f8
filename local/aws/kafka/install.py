"""Installs the broker's jars."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from local.content_hash import content_hash
from local.errors import InstallError
from local.maven import complete, copy_dependencies, publish
from local.progress import errors, step
from local.settings import cache_folder

POM = Path(__file__).with_name("pom.xml")


def jars_folder() -> Path:
    """Folder of the installed jars, named by the hash of the file that they are resolved from."""
    return cache_folder() / f"kafka-{content_hash(POM.parent, [POM])[:16]}"


def install() -> Path:
    """Installs the jars in the cache, unless all are there; prints its steps to standard error.

    Returns:
        The folder of the jars.

    Raises:
        InstallError: Maven is missing or failed.
    """
    target = jars_folder()
    if complete(target):
        return target
    if shutil.which("mvn") is None:
        raise InstallError("mvn is not on PATH: install Maven 3.8 or later")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        step("kafka: jars of the broker", errors),
        tempfile.TemporaryDirectory(dir=target.parent, prefix="kafka-") as folder,
    ):
        jars = Path(folder, "jars")
        command = copy_dependencies(POM, Path(folder), jars)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            output = done.stdout.strip()[-4000:]
            raise InstallError(f"kafka: `mvn` failed with exit code {done.returncode}:\n{output}")
        publish(jars, target)
    return target
