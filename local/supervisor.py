"""Starts, watches and stops the local cloud's services through supervisord.

A service that dies is started again. supervisord itself runs in the background until `stop`.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from xml.parsers.expat import ExpatError

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from local import leftovers
from local.errors import ServiceError
from local.settings import REPOSITORY, LocalSettings, no_proxy_variables

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 120  # supervisord stops one service after the other
NO_ANSWER = (OSError, xmlrpc.client.Error, ExpatError, HTTPException)


@dataclass(frozen=True)
class Service:
    """One long-running process.

    Attributes:
        name: Its name in commands and logs.
        command: Its command line.
        port: The port on 127.0.0.1 that it listens on.
        healthy: Whether it answers, asked anew at each call.
        stop_seconds: Time between SIGTERM and SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    port: int
    healthy: Callable[[], bool]
    stop_seconds: int = 15


@dataclass(frozen=True)
class ServiceStatus:
    """State of a service according to supervisord, and whether the service answers."""

    name: str
    state: str
    pid: int
    port: int
    healthy: bool


def accepts_connections(port: int) -> bool:
    """Whether something on 127.0.0.1 listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Whether a GET of the address is answered without a server error."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (our own address on 127.0.0.1)
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, HTTPException):
        return False


def services(settings: LocalSettings) -> list[Service]:
    """The services, in the order in which they are started."""
    python = sys.executable
    mlflow = settings.home / "mlflow"
    tracking = (
        *(python, "-m", "local.mlflow_server", "--host", "127.0.0.1", "--port", str(settings.mlflow_port)),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{mlflow / 'mlflow.db'}"),
        *("--serve-artifacts", "--artifacts-destination", str(mlflow / "artifacts")),
    )
    return [
        Service(
            "spark",
            (python, "-m", "local.spark", "serve"),
            settings.spark_port,
            lambda: accepts_connections(settings.spark_port),
        ),
        Service(
            "aws",
            (python, "-m", "local.aws", "serve"),
            settings.aws_port,
            lambda: accepts_connections(settings.aws_port),
            stop_seconds=60,  # a broker that just starts, and 20 s for each to end
        ),
        Service("mlflow", tracking, settings.mlflow_port, lambda: answers(f"{settings.mlflow_url}/health")),
        Service(
            "workspace",
            (python, "-m", "local.workspace"),
            settings.port,
            lambda: answers(f"{settings.workspace_url}/api/2.0/preview/scim/v2/Me"),
            stop_seconds=60,  # open requests have 5 s, then models, tasks and updates 10 s each
        ),
    ]


def running(settings: LocalSettings) -> bool:
    """Whether supervisord of this local cloud runs."""
    try:
        return bool(_supervisord(settings).getState()["statename"] == "RUNNING")
    except NO_ANSWER:
        return False


def start(settings: LocalSettings, report: Callable[[str], None] = lambda _: None) -> None:
    """Starts the services that do not run yet and waits until every service answers.

    Args:
        settings: The local cloud.
        report: Called with a line each time a service answers.

    Raises:
        ServiceError: A port is taken by another program, the services run on other ports, or one does not start or
            answer in time.
    """
    if running(settings):
        _check_same_ports(settings)
        for service in services(settings):
            _start(settings, service.name)
    else:
        _end_leftovers(settings)
        for service in services(settings):
            if accepts_connections(service.port):
                raise ServiceError(
                    f"port {service.port} on 127.0.0.1, which the service {service.name} needs, is in use by another "
                    f"program: end that program, or set PLATFORM_PORT to another first port (now {settings.port})"
                )
        _write_configuration(settings)
        _start_supervisord(settings)
    for service in services(settings):
        _await_answer(settings, service)
        report(f"{service.name} answers on 127.0.0.1:{service.port}")


def stop(settings: LocalSettings) -> bool:
    """Stops all services, supervisord, and the processes that they left; false if nothing ran.

    Raises:
        ServiceError: supervisord still runs after the time that it has to end.
    """
    if not running(settings):
        return _end_leftovers(settings)
    supervisord = psutil.Process(_supervisord(settings).getPID())
    _supervisord(settings).shutdown()
    _wait(
        lambda: not leftovers.alive(supervisord),
        STOP_TIMEOUT_SECONDS,
        f"supervisord (process {supervisord.pid}) does not end",
        _log(settings, "supervisord"),
    )
    _end_leftovers(settings)  # programs of a workspace that was killed and did not come back
    return True


def statuses(settings: LocalSettings) -> list[ServiceStatus]:
    """Present state of each service; all are STOPPED where supervisord does not run."""
    known = _processes(settings)
    return [
        ServiceStatus(
            name=service.name,
            state=known.get(service.name, {}).get("statename", "STOPPED"),
            pid=known.get(service.name, {}).get("pid", 0),
            port=service.port,
            healthy=service.name in known and service.healthy(),
        )
        for service in services(settings)
    ]


def _processes(settings: LocalSettings) -> dict[str, dict[str, Any]]:
    """Data of each service from supervisord, by name; none where supervisord does not answer."""
    try:
        return {info["name"]: info for info in _supervisord(settings).getAllProcessInfo()}
    except NO_ANSWER:
        return {}


def _check_same_ports(settings: LocalSettings) -> None:
    """Raises ServiceError where the running services were started with another PLATFORM_PORT."""
    config = configparser.RawConfigParser()
    config.read(settings.supervisor_conf)
    port = re.search(r'PLATFORM_PORT="(\d+)"', config.get("supervisord", "environment", fallback=""))
    if port and int(port[1]) != settings.port:
        raise ServiceError(
            f"the services of {settings.home} run from port {port[1]} on, not {settings.port}: set PLATFORM_PORT to "
            f"{port[1]}, or end them with `platform local stop` and start again"
        )


def _start(settings: LocalSettings, name: str) -> None:
    """Starts a service that is down; a service that runs, or is about to restart, is left alone."""
    try:
        _supervisord(settings).startProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != Faults.ALREADY_STARTED:
            problem = f"supervisord does not start the service {name} ({fault.faultString})"
            raise ServiceError(f"{problem}: see {_log(settings, 'supervisord')}, stop all and start again") from fault


def _await_answer(settings: LocalSettings, service: Service) -> None:
    log = _log(settings, service.name)

    def answered() -> bool:
        if service.healthy():
            return True
        if _processes(settings).get(service.name, {}).get("statename") == "FATAL":
            raise ServiceError(f"the service {service.name} ended each time that it was started: see {log}")
        return False

    problem = f"the service {service.name} does not answer on port {service.port}"
    _wait(answered, START_TIMEOUT_SECONDS, problem, log)


def _supervisord_command(settings: LocalSettings) -> list[str]:
    return [sys.executable, "-m", "supervisor.supervisord", "-c", str(settings.supervisor_conf)]


def _start_supervisord(settings: LocalSettings) -> None:
    log = _log(settings, "supervisord")
    with log.open("ab") as output:  # supervisord writes here why it could not open its own log
        done = subprocess.run(
            _supervisord_command(settings),
            check=False,
            cwd=REPOSITORY,
            env={**os.environ, **no_proxy_variables()},  # which the services inherit
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    if done.returncode:
        raise ServiceError(f"supervisord ended with code {done.returncode}: see {log}")
    _wait(lambda: running(settings), 15, "supervisord does not start", log)


def _end_leftovers(settings: LocalSettings) -> bool:
    """Ends services that run without a supervisord that answers, in supervisord's order; false if there are none."""
    commands = [service.command for service in reversed(services(settings))]
    return leftovers.end(settings, [_supervisord_command(settings), *commands])


def _write_configuration(settings: LocalSettings) -> None:
    settings.logs.mkdir(parents=True, exist_ok=True)
    (settings.home / "mlflow" / "artifacts").mkdir(parents=True, exist_ok=True)
    if len(str(settings.supervisor_socket)) > 100:
        raise ServiceError(
            f"the path {settings.supervisor_socket} is too long for a socket: set PLATFORM_HOME to a shorter folder"
        )
    environment = {
        "PLATFORM_HOME": str(settings.home),
        "PLATFORM_PORT": str(settings.port),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # ten processes, 1.2 GB, that nothing uses
        "PYTHONUNBUFFERED": "1",
    }
    config = configparser.RawConfigParser()
    config["unix_http_server"] = {"file": str(settings.supervisor_socket), "chmod": "0600"}
    config["supervisord"] = {
        "logfile": str(_log(settings, "supervisord")),
        "pidfile": str(settings.home / "supervisord.pid"),
        "directory": str(REPOSITORY),
        "environment": ",".join(f'{key}="{value}"' for key, value in environment.items()),
    }
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for priority, service in enumerate(services(settings)):
        config[f"program:{service.name}"] = {
            "command": shlex.join(service.command).replace("%", "%%"),
            "priority": str(priority),
            "autorestart": "true",
            "startretries": "2",
            "startsecs": "2",
            "stopwaitsecs": str(service.stop_seconds),
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(_log(settings, service.name)),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "1",
        }
    with settings.supervisor_conf.open("w") as file:
        config.write(file)


def _supervisord(settings: LocalSettings) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{settings.supervisor_socket}")
    # xmlrpc requires an address, although the transport has its own
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=cast("Any", transport)).supervisor


def _wait(condition: Callable[[], bool], seconds: float, problem: str, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ServiceError(f"{problem} within {seconds:.0f} s: see {log}")
        time.sleep(0.2)


def _log(settings: LocalSettings, name: str) -> Path:
    return settings.logs / f"{name}.log"
