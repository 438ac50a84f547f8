"""Libraries of tasks and pipelines: wheels, and requirements that the environment has to meet, also in files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import os
import re
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from local.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.settings import LocalSettings

# Packages whose versions the Spark client decides, here as on Databricks: a runtime that has another client has others.
OF_SPARK_CLIENT = frozenset({"googleapis-common-protos", "grpcio", "grpcio-status", "protobuf"})
_FILE = re.compile(r"(?:-r|--requirement)[\s=]+(.*)")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_LOG = logging.getLogger(__name__)


def local_path(settings: LocalSettings, path: str) -> Path:
    """Returns the place of a path (`/Workspace/…`, `/Volumes/…`) on this machine.

    Raises:
        LibraryError: The path has another form, or leaves its root.
    """
    plain = PurePosixPath(path.removeprefix("dbfs:"))
    roots = {"Workspace": settings.workspace_files, "Volumes": settings.volumes}
    if len(plain.parts) < 3 or plain.parts[0] != "/" or plain.parts[1] not in roots or ".." in plain.parts:
        raise LibraryError(f"{path} is not a path under /Workspace or /Volumes")
    return roots[plain.parts[1]].joinpath(*plain.parts[2:])


def unpack(settings: LocalSettings, dependencies: Sequence[str]) -> list[Path]:
    """Makes dependencies importable.

    Args:
        settings: Folders of the workspace's files and of unpacked wheels, of which each content is kept once.
        dependencies: Lines as of pip's requirements files: paths of wheels under /Workspace or /Volumes, requirements
            such as `pandas==2.3.3`, or `-r` with the path of a file of such lines.

    Returns:
        Folders for the module path, one for each wheel.

    Raises:
        LibraryError: A file or wheel is missing or broken, or a requirement is not met by this machine's environment
            (nothing is installed for a task: all tasks share the environment). In a file, the text names the line.
    """
    folders = []
    for dependency in dependencies:
        if file := _FILE.fullmatch(dependency.strip()):
            folders += _unpack_lines(settings, file[1])
        elif dependency.endswith(".whl"):
            folders.append(_unpack(settings, dependency))
        else:
            _require(dependency)
    return folders


def _unpack_lines(settings: LocalSettings, path: str) -> list[Path]:
    """The folders of the wheels of a requirements file."""
    try:
        lines = local_path(settings, path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"requirements file {path} cannot be read: {error}") from error
    folders = []
    for number, line in enumerate(lines, start=1):
        try:
            if dependency := _dependency(line):
                folders += unpack(settings, [dependency])
        except LibraryError as error:
            raise LibraryError(f"{path}, line {number}: {error}") from error
    return folders


def _dependency(line: str) -> str:
    """The dependency in a line of a requirements file; empty if it has none."""
    dependency = _COMMENT.sub("", line).strip()
    if dependency.startswith("-") or dependency.endswith("\\"):
        raise LibraryError(f"{dependency!r}: options and continued lines of requirements files are not built")
    return dependency


def _unpack(settings: LocalSettings, path: str) -> Path:
    wheel = local_path(settings, path)
    try:
        content = wheel.read_bytes()
    except OSError as error:
        raise LibraryError(f"library {path} cannot be read: {error.strerror}") from error
    folder = settings.home / "wheels" / hashlib.sha256(content).hexdigest()[:16]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch, "wheel")
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
        except zipfile.BadZipFile as error:
            raise LibraryError(f"library {path} is not a wheel: {error}") from error
        try:
            os.rename(target, folder)  # noqa: PTH104 (must fail, not replace, where another task was first)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


def _require(dependency: str) -> None:
    try:
        requirement = Requirement(dependency)
    except InvalidRequirement as error:
        raise LibraryError(f"dependency {dependency!r} is neither a wheel's path nor a requirement: {error}") from error
    if requirement.marker and not requirement.marker.evaluate():
        return
    try:
        installed = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError as error:
        raise LibraryError(f"dependency {dependency!r} is not in the local environment") from error
    if requirement.specifier.contains(installed, prereleases=True):
        return
    if canonicalize_name(requirement.name) not in OF_SPARK_CLIENT:
        raise LibraryError(f"dependency {dependency!r} does not fit the local environment, which has {installed}")
    _LOG.warning("dependency %r is left at %s, which the local Spark client needs", dependency, installed)
