"""The workloads' wheel, which `make wheel` builds and the program uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError

if TYPE_CHECKING:
    from pathlib import Path


def find_wheel(folder: Path) -> Path:
    """Finds the one wheel of a folder.

    Raises:
        FaultsError: There is none, or more than one.
    """
    wheels = sorted(folder.glob("churn-*.whl"))
    if len(wheels) != 1:
        received = f"{len(wheels)} wheels" + "".join(f", {wheel.name}" for wheel in wheels)
        allowed = "one wheel, churn-<version>-py3-none-any.whl"
        fault = Fault(file="workloads/dist", received=received, allowed=allowed, remedy="run make wheel")
        raise FaultsError([fault])
    return wheels[0]
