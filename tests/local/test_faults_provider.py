"""The real engine and the real provider on a workspace that refuses requests and answers late.

They survive no lost connection. The provider takes its end ("EOF") for a failure and sends nothing again, and what it
was making is then in the workspace and not in the state: seen with `Catalog`, `Pipeline` and `ClusterPolicy`. Each
further `up` ends with "already exists", or makes a second one, until `infra.adoption` has taken the object into the
state (`test_adoption.py`). `Grants` and `Permissions` are mended by the next `up`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.faults import Fault
from tests.inventory import inventory

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

PROGRAM = Path(__file__).parent / "programs" / "workspace"
REFUSALS = [Fault.BUSY, Fault.UNAVAILABLE, Fault.SLOW]


@pytest.mark.shows("engine: a deployment survives refusals and late answers", client="Databricks provider")
def test_refusals_and_delays_are_survived(
    lakehouse: LocalWorkspace, pulumi: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    before = inventory(lakehouse.client())
    lakehouse.settings.faults.write_text(json.dumps({"rate": 0.05, "seed": 1, "kinds": REFUSALS}))
    try:
        pulumi("up", "--yes", "--skip-preview")
        pulumi("preview", "--refresh", "--expect-no-changes")
        pulumi("destroy", "--yes", "--skip-preview")
    finally:
        lakehouse.settings.faults.unlink()
    assert inventory(lakehouse.client()) == before
