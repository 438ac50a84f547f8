"""Lock files and what packages ask for, as tests compare them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where tasks and pipelines run. The markers of no package ask for anything else that differs there.
CLOUD = {
    **default_environment(),
    "python_version": "3.12",
    "python_full_version": "3.12.3",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "extra": "",
}


def requirements(text: str) -> list[Requirement]:
    """Requirements of a file; hashes and comments are left out."""
    lines = (re.sub(r"(^|\s)#.*|\s*\\$", "", line).strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("--hash")]


def pins(lines: Iterable[Requirement], environment: dict[str, str] | None = None) -> dict[str, Requirement]:
    """Requirements by name; with an environment only those that hold there.

    Raises:
        AssertionError: A name stands there twice.
    """
    holding = [line for line in lines if environment is None or holds(line, environment)]
    found = {canonicalize_name(line.name): line for line in holding}
    assert len(found) == len(holding), "a package is locked twice"
    return found


def holds(requirement: Requirement, environment: dict[str, str], extras: Iterable[str] = ()) -> bool:
    """Whether a requirement holds in an environment, with any of these extras of the package that asks for it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))


def unmet(asked: Iterable[Requirement], locked: dict[str, Requirement]) -> list[str]:
    """What is asked for in the cloud, also by locked packages, and not locked in a version that fits.

    What a locked package asks for is read from the same package here; a package that is not here asks for nothing.
    """
    waiting, seen, faults = list(asked), set[str](), []
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen or not holds(requirement, CLOUD, ()):
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        if name not in locked or not fits(requirement, locked[name]):
            faults.append(f"{requirement} is asked for; locked: {locked.get(name)}")
        waiting += asked_by(name, requirement.extras)
    return sorted(faults)


def closure(asked: Iterable[Requirement]) -> set[str]:
    """Names of the packages that are asked for in the cloud, directly or by others."""
    waiting, names = list(asked), set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in names or not holds(requirement, CLOUD):
            continue
        names.add(name)
        waiting += asked_by(name, requirement.extras)
    return names


def asked_by(name: str, extras: Iterable[str]) -> list[Requirement]:
    """What an installed package asks for in the cloud, with its extras; nothing if it is not installed."""
    try:
        asked = [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        return []
    held = [requirement for requirement in asked if holds(requirement, CLOUD, extras)]
    for requirement in held:
        requirement.marker = None
    return held


def fits(requirement: Requirement, locked: Requirement) -> bool:
    """Whether a locked version is one of those that are asked for; a range is judged by its lower end."""
    versions = [item.version for item in locked.specifier if item.operator in ("==", ">=")]
    return all(requirement.specifier.contains(version, prereleases=True) for version in versions)
