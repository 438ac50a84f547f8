"""The supervisor starts, watches and stops real processes."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local import supervisor
from local.settings import LocalSettings
from local.supervisor import Service, ServiceError
from tests.ports import free_base_port


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSettings]:
    """A local cloud with one light service."""
    with tempfile.TemporaryDirectory() as folder:
        settings = LocalSettings(Path(folder), free_base_port())
        command = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(settings.port))
        light = Service("light", command, settings.port, lambda: supervisor.answers(settings.workspace_url))
        monkeypatch.setattr(supervisor, "services", lambda _: [light])
        yield settings
        supervisor.stop(settings)


def test_a_service_runs_until_it_is_stopped(cloud: LocalSettings) -> None:
    assert [status.state for status in supervisor.statuses(cloud)] == ["STOPPED"]
    lines: list[str] = []
    supervisor.start(cloud, lines.append)
    assert lines == [f"light answers on 127.0.0.1:{cloud.port}"]
    (status,) = supervisor.statuses(cloud)
    assert (status.state, status.healthy) in (("RUNNING", True), ("STARTING", True))
    supervisor.start(cloud)  # what runs is left alone
    assert supervisor.statuses(cloud)[0].pid == status.pid
    assert supervisor.stop(cloud)
    assert not psutil.pid_exists(status.pid)
    assert not supervisor.stop(cloud)


def test_a_killed_service_comes_back(cloud: LocalSettings) -> None:
    supervisor.start(cloud)
    killed = supervisor.statuses(cloud)[0].pid
    _until(lambda: supervisor.statuses(cloud)[0].state == "RUNNING")
    os.kill(killed, signal.SIGKILL)
    _until(lambda: supervisor.statuses(cloud)[0].pid not in (0, killed))
    supervisor.start(cloud)
    assert supervisor.statuses(cloud)[0].healthy


def test_a_port_in_use_is_named(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "accepts_connections", lambda port: port == cloud.port)
    with pytest.raises(ServiceError, match=f"port {cloud.port} .* the service light needs, is in use"):
        supervisor.start(cloud)


def test_a_service_that_does_not_answer_is_named(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = Service("mute", (sys.executable, "-c", "import time; time.sleep(600)"), cloud.port, lambda: False)
    monkeypatch.setattr(supervisor, "services", lambda _: [mute])
    monkeypatch.setattr(supervisor, "START_TIMEOUT_SECONDS", 1)
    with pytest.raises(ServiceError, match=r"service mute does not answer .* see .*mute\.log"):
        supervisor.start(cloud)


def test_a_home_with_a_long_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="set PLATFORM_HOME to a shorter folder"):
        supervisor.start(LocalSettings(tmp_path / ("x" * 100), free_base_port()))


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
