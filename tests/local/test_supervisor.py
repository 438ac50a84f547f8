"""The supervisor starts, watches and stops real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cli.environment import client_environment
from cli.main import main as cli
from local import leftovers, supervisor
from local.errors import ServiceError
from local.settings import LocalSettings, no_proxy_variables
from local.supervisor import Service, services
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


def test_a_killed_tracking_server_leaves_its_port_to_the_next(
    cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = next(service for service in services(cloud) if service.name == "mlflow")
    monkeypatch.setattr(supervisor, "services", lambda _: [tracking])
    supervisor.start(cloud)
    killed = supervisor.statuses(cloud)[0].pid

    def listens_for(pid: int) -> bool:
        found = (each for each in psutil.net_connections("tcp4") if each.status == psutil.CONN_LISTEN)
        listeners = [each.pid for each in found if each.laddr.port == tracking.port]
        return pid > 0 and [psutil.Process(listener).ppid() for listener in listeners] == [pid]

    assert listens_for(killed), "it listens in a child"
    os.kill(killed, signal.SIGKILL)
    _until(lambda: supervisor.statuses(cloud)[0].pid not in (0, killed))
    _until(lambda: listens_for(supervisor.statuses(cloud)[0].pid), 60)
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


def test_a_service_that_ends_at_once_is_named_at_once(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Service("broken", (sys.executable, "-c", "raise SystemExit(3)"), cloud.port, lambda: False)
    monkeypatch.setattr(supervisor, "services", lambda _: [broken])
    monkeypatch.setattr(supervisor, "START_TIMEOUT_SECONDS", 0)
    with pytest.raises(ServiceError, match="does not answer"):
        supervisor.start(cloud)
    _until(lambda: supervisor.statuses(cloud)[0].state in {"BACKOFF", "FATAL"})
    monkeypatch.setattr(supervisor, "START_TIMEOUT_SECONDS", 600)
    for _ in range(2):  # when supervisord is about to start it again, and when it has given it up
        with pytest.raises(ServiceError, match=r"service broken ended each time .* see .*broken\.log"):
            supervisor.start(cloud)


def test_a_supervisord_that_does_not_start_names_its_log(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    misnamed = Service("a:b", (sys.executable,), cloud.port, lambda: False)
    monkeypatch.setattr(supervisor, "services", lambda _: [misnamed])
    with pytest.raises(ServiceError, match=r"supervisord ended with code \d: see .*supervisord\.log"):
        supervisor.start(cloud)
    assert "Error: " in (cloud.logs / "supervisord.log").read_text()


FORSAKEN = """
import http.server, os, subprocess, sys
env = {name: value for name, value in os.environ.items() if not name.startswith("PLATFORM_")}
program = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(program, env=env, start_new_session=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""


def test_what_a_killed_supervisord_leaves_is_ended(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service, and a program in a session of its own that it started, as the workspace does; nothing else."""
    command = (sys.executable, "-c", FORSAKEN, str(cloud.port))
    light = Service("light", command, cloud.port, lambda: supervisor.answers(cloud.workspace_url))
    monkeypatch.setattr(supervisor, "services", lambda _: [light])
    shell = subprocess.Popen(["sleep", "600"], env=os.environ | {"PLATFORM_HOME": str(cloud.home)})
    try:
        supervisor.start(cloud)
        first = _kill_supervisord(cloud)
        supervisor.start(cloud)
        assert not any(leftovers.alive(process) for process in first)
        second = _kill_supervisord(cloud)
        assert supervisor.stop(cloud)
        assert not any(leftovers.alive(process) for process in second)
        assert not supervisor.stop(cloud)
        assert shell.poll() is None
    finally:
        shell.kill()
        shell.wait()


def _kill_supervisord(cloud: LocalSettings) -> list[psutil.Process]:
    """Returns the service and its program, which live on."""
    pid = int((cloud.home / "supervisord.pid").read_text())
    psutil.Process(pid).kill()
    _until(lambda: not supervisor.running(cloud))
    left = leftovers.processes(cloud)
    assert len([process for process in left if leftovers.alive(process)]) == 2
    return left


def test_services_on_other_ports_are_named_at_once(cloud: LocalSettings) -> None:
    supervisor.start(cloud)
    other = LocalSettings(cloud.home, cloud.port + 10)
    message = rf"run from port {cloud.port} on, not {other.port}: set PLATFORM_PORT to {cloud.port}, or .* local stop`"
    with pytest.raises(ServiceError, match=message):
        supervisor.start(other)


def test_a_proxy_is_not_asked_for_this_machine(cloud: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the command line nor by the services."""
    monkeypatch.setattr("urllib.request._opener", None)  # it keeps the proxies that it found when first used
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "100%.example")  # puts back what the command line sets
    monkeypatch.setenv("PLATFORM_HOME", str(cloud.home))
    monkeypatch.setenv("PLATFORM_PORT", str(cloud.port))
    monkeypatch.setattr(supervisor, "START_TIMEOUT_SECONDS", 0)
    with pytest.raises(ServiceError, match="light does not answer"):
        supervisor.start(cloud)
    environment = psutil.Process(supervisor.statuses(cloud)[0].pid).environ()
    assert environment["NO_PROXY"] == environment["no_proxy"] == "100%.example,127.0.0.1,localhost"
    _until(lambda: supervisor.accepts_connections(cloud.port))
    assert not supervisor.answers(cloud.workspace_url)
    monkeypatch.setattr(sys, "argv", ["platform", "local", "status"])
    with pytest.raises(SystemExit) as ended:
        cli()
    assert ended.value.code == 0
    assert supervisor.answers(cloud.workspace_url)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "a.example, localhost", "NO_PROXY": "b.example"}, "a.example,localhost,b.example,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_hosts_without_a_proxy(said: dict[str, str], expected: str) -> None:
    assert no_proxy_variables(said) == {"no_proxy": expected, "NO_PROXY": expected}


def test_clients_ask_no_proxy_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.environment.engine_environment", lambda _: {})
    settings = LocalSettings(tmp_path)
    settings.admin_token.write_text("token")
    assert "127.0.0.1,localhost" in client_environment(settings)["NO_PROXY"]


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
