"""Faults that stop `platform` before anything is built or started, each with one clear message and the remedy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from cli import doctor, lifecycle, runs
from cli.errors import CommandError
from cli.stack import Stack
from local.settings import REPOSITORY, LocalSettings
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalSettings:
    """A local cloud that was never started, on a machine with room for it, whatever else runs there."""
    for name in ("FREE_MEMORY_GIB", "FREE_DISK_GIB", "FREE_DISK_TO_BUILD_GIB"):
        monkeypatch.setattr(doctor, name, 0)
    return LocalSettings(tmp_path / "home", free_base_port())


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_: LocalSettings) -> None:
        raise AssertionError("built, though it should have stopped before")

    monkeypatch.setattr(lifecycle, "build", build)


@pytest.mark.usefixtures("nothing_is_built")
def test_up_stops_at_a_port_in_use(settings: LocalSettings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()
        with pytest.raises(CommandError, match=rf"ports: in use: {settings.port} \(workspace\)\n  → .*PLATFORM_PORT"):
            lifecycle.up(settings, None)


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("command", [lambda settings: lifecycle.up(settings, None), lifecycle.install])
def test_a_full_disk_stops_before_anything_is_built(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch, command: Callable[[LocalSettings], None]
) -> None:
    for name in ("FREE_DISK_GIB", "FREE_DISK_TO_BUILD_GIB"):
        monkeypatch.setattr(doctor, name, 10**9)
    with pytest.raises(CommandError, match=r"disk: .* GiB free at .*\n  → free at least"):
        command(settings)


@pytest.mark.usefixtures("nothing_is_built")
def test_up_stops_at_a_wrong_setting_before_the_engine(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = yaml.safe_load((REPOSITORY / "Pulumi.local.yaml").read_text())
    document["config"]["churn:platform"]["warehouse"]["auto_stop_minute"] = 10
    wrong = tmp_path / "Pulumi.local.yaml"
    wrong.write_text(yaml.safe_dump(document))
    monkeypatch.setattr(Stack, "source", wrong)
    said = r"Pulumi.local.yaml:\d+: churn:platform.warehouse.auto_stop_minute: .*remedy"
    with pytest.raises(CommandError, match=said):
        lifecycle.up(settings, None)


@pytest.mark.parametrize(("text", "said"), [("config: [", "correct this line"), ("config: {}", "churn:platform")])
def test_down_stops_at_a_wrong_setting_and_says_how_to_go_on(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str
) -> None:
    state = settings.home / "pulumi" / "state" / ".pulumi" / "stacks" / "churn" / "local.json"
    state.parent.mkdir(parents=True)
    state.touch()
    wrong = tmp_path / "Pulumi.local.yaml"
    wrong.write_text(text)
    monkeypatch.setattr(Stack, "source", wrong)
    monkeypatch.setattr(lifecycle, "start", lambda _: pytest.fail("started, though it should have stopped before"))
    with pytest.raises(
        CommandError, match=rf"(?s)Pulumi.local.yaml:.*{said}.*local stop`, then remove {settings.home}"
    ):
        lifecycle.down(settings)


def test_clean_stops_the_platform_that_it_removes(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    program = tmp_path / ".venv" / "bin" / "platform"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@" in "${PLATFORM_HOME:-.local}" > stopped\n')
    program.chmod(0o755)
    kept = tmp_path / "elsewhere"
    for home in (kept, tmp_path / ".local"):
        home.mkdir()
    subprocess.run(["make", "clean"], cwd=tmp_path, env=os.environ | {"PLATFORM_HOME": str(kept)}, check=True)
    assert (tmp_path / "stopped").read_text() == "local stop in .local\n"
    assert (kept.exists(), (tmp_path / ".local").exists()) == (True, False)


def test_a_job_needs_services_that_answer(settings: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"job_ids": {"churn_daily": "1"}})
    with pytest.raises(CommandError, match=r"workspace is stopped and does not answer.*\n  → .*platform local start"):
        runs.run_job(settings, "local", "churn_daily", None, missing=False)


def test_an_error_of_the_system_is_text_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", "local", "start"],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "PLATFORM_HOME": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: [Errno 17] File exists: ")
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", [("up",), ("run", "churn_daily")])
def test_a_date_that_is_none_stops_the_command_before_anything_is_done(command: tuple[str, ...]) -> None:
    program = [sys.executable, "-c", "from cli.main import main; main()", *command, "--date", "2026-02-30"]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'2026-02-30' is no day" in done.stderr
