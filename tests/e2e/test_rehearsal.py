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

pytestmark = pytest.mark.timeout(7200)


def rehearsed(*arguments: str) -> str:
    """What a rehearsal has printed that left nothing."""
    settings = LocalSettings(Path(tempfile.mkdtemp(prefix="churn-rehearsal-")), free_base_port() - PORTS_AWAY)
    done = platform_command(settings, "rehearse", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is left" in done.stdout
    shutil.rmtree(settings.home)  # kept for its logs when the rehearsal fails
    return done.stdout


def test_the_stacks_for_the_cloud_are_rehearsed(request: pytest.FixtureRequest) -> None:
    """Sampled: the account and `dev`, without a day of it, and two kills of the engine while it deploys `dev`.

    In full `prod` too, a day of `dev`, and twenty kills in each of them.
    """
    soak = request.config.getoption("--soak")
    said = rehearsed("--kills", "20") if soak else rehearsed("dev", "--no-day", "--kills", "2")
    assert said.count("killed: engine,") == (40 if soak else 2)


def test_everything_is_made_while_requests_fail(request: pytest.FixtureRequest) -> None:
    """One request in twenty is refused, late or lost while account, `dev` and `prod` are made."""
    if not request.config.getoption("--soak"):
        pytest.skip("it takes half an hour: only with --soak")
    said = rehearsed("--no-day", "--faults", "0.05")
    assert said.count("creations under faults") == 4  # of the account, of `dev`, and of both steps of `prod`
