"""Account, `dev` and `prod` on a local cloud of their own, by the command that people use."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from cli.rehearsal import PORTS_AWAY
from local.settings import LocalSettings
from tests.e2e.conftest import platform_command
from tests.ports import free_base_port

pytestmark = pytest.mark.timeout(3600)


def test_the_stacks_for_the_cloud_are_rehearsed(request: pytest.FixtureRequest) -> None:
    """Sampled: the account and `dev`, without a day of it, and two kills of the engine while it deploys `dev`.

    In full `prod` too, a day of `dev`, twenty kills, and one request in twenty refused, late or lost.
    """
    sampled = (
        ["--kills", "10", "--faults", "0.05"]
        if request.config.getoption("--soak")
        else ["dev", "--no-day", "--kills", "2"]
    )
    settings = LocalSettings(Path(tempfile.mkdtemp(prefix="churn-rehearsal-")), free_base_port() - PORTS_AWAY)
    done = platform_command(settings, "rehearse", *sampled)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is left" in done.stdout
    kills = 20 if request.config.getoption("--soak") else 2
    assert done.stdout.count("killed: engine,") == kills
    shutil.rmtree(settings.home)  # kept for its logs when the rehearsal fails
