"""`platform doctor`: checks what the platform needs on this machine, one line each, with the remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from local import leftovers, supervisor
from local.aws.kafka.install import jars_folder as kafka_jars
from local.engine.go import GO_MODULES, is_new_enough, version_in, wanted_version
from local.engine.installation import Installed, cli_on_path
from local.engine.release import RELEASES, release_exists
from local.errors import JdkError
from local.maven import complete
from local.settings import LocalSettings, cache_folder
from local.spark.install import jars_folder as spark_jars
from local.spark.jdk import jdk_version

FIRST_PYTHON, LAST_PYTHON = (3, 11), (3, 13)  # as in pyproject.toml, cli/find_python.sh
FREE_DISK_GIB = 2  # state of a few runs 1, room to work 1
FREE_DISK_TO_BUILD_GIB = 8  # the same, and 6 for Go's modules and builds; the Python environment is there by now
FREE_MEMORY_GIB = 5  # the measured peak of everything is 3.9, docs/benchmarks.md


@dataclass(frozen=True)
class Finding:
    """Outcome of one check."""

    name: str
    ok: bool
    state: str
    remedy: str = ""


def findings(settings: LocalSettings, *, starting: bool = True) -> list[Finding]:
    """All checks of this machine.

    Args:
        settings: The local cloud.
        starting: Whether the local cloud is about to be started, so that ports and memory must be free.
    """
    installed, jars = Installed.locate(), complete(spark_jars()) and complete(kafka_jars())
    engine = installed.cli.exists() and installed.provider_binary.exists()
    needed = FREE_DISK_GIB if engine and jars else FREE_DISK_TO_BUILD_GIB
    checks: list[Callable[[], Finding]] = [python, java, lambda: disk(settings, needed)]
    if not jars:
        checks.append(lambda: program("mvn", "Maven fetches the jars of Spark and Kafka: install Maven 3.8 or later"))
    if not engine and cli_on_path() is None and not release_exists(RELEASES):
        checks.append(go)
    if supervisor.running(settings):
        checks.append(lambda: services(settings))
    elif starting:
        if not leftovers.processes(settings):  # `start` ends them first, and so frees their ports
            checks.append(lambda: ports(settings))
        checks.append(memory)
    return [check() for check in checks]


def python() -> Finding:
    """The interpreter's version; requirements.lock serves three."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    remedy = "install Python 3.11, 3.12 or 3.13, then `rm -r .venv`, `make up`"
    return Finding("Python", FIRST_PYTHON <= sys.version_info[:2] <= LAST_PYTHON, version, remedy)


def java() -> Finding:
    """The JDK that runs Spark; its compiler builds the catalog plugin."""
    try:
        return Finding("JDK", True, str(jdk_version()))
    except JdkError as error:
        return Finding("JDK", False, error.state, error.remedy)


def program(name: str, remedy: str) -> Finding:
    """A program on PATH that a build needs."""
    path = shutil.which(name)
    return Finding(name, path is not None, path or "not on PATH", remedy)


def go() -> Finding:
    """Go's version, asked for in the modules' folder, where a Go that may fetch toolchains reports the fetched one."""
    wanted = ".".join(str(part) for part in wanted_version())
    remedy = f"Go {wanted} builds the Pulumi engine where no release can be downloaded: "
    on_path = program("go", f"{remedy}install Go, of any version (it fetches this one)")
    if not on_path.ok:
        return on_path
    done = subprocess.run(["go", "version"], cwd=GO_MODULES, capture_output=True, text=True, check=False)
    remedy += f"`go env -w GOTOOLCHAIN=auto` lets Go fetch it from the module proxy, or install Go {wanted} or later"
    return Finding("go", is_new_enough(version_in(done.stdout)), (done.stdout or done.stderr).strip(), remedy)


def disk(settings: LocalSettings, needed_gib: int) -> Finding:
    """Free space for the state and the builds."""
    places = {_existing(settings.home), _existing(cache_folder())}
    tightest = min(places, key=lambda place: shutil.disk_usage(place).free)
    free = shutil.disk_usage(tightest).free / 2**30
    return Finding(
        "disk",
        free >= needed_gib,
        f"{free:.0f} GiB free at {tightest}",
        f"free at least {needed_gib} GiB there, or set PLATFORM_HOME (state) or XDG_CACHE_HOME (builds) elsewhere",
    )


def memory() -> Finding:
    """Memory that is available to programs now."""
    available = psutil.virtual_memory().available / 2**30
    return Finding(
        "memory", available >= FREE_MEMORY_GIB, f"{available:.0f} GiB available", f"free {FREE_MEMORY_GIB} GiB"
    )


def ports(settings: LocalSettings) -> Finding:
    """The ports of services that do not run."""
    ports_in_use = [
        f"{service.port} ({service.name})"
        for service in supervisor.services(settings)
        if supervisor.accepts_connections(service.port)
    ]
    return Finding(
        "ports",
        not ports_in_use,
        f"in use: {', '.join(ports_in_use)}" if ports_in_use else "free",
        "end the programs that listen there, or set PLATFORM_PORT to another first port",
    )


def services(settings: LocalSettings) -> Finding:
    """The answers of services that run."""
    broken = [status for status in supervisor.statuses(settings) if not status.healthy]
    state = ", ".join(f"{status.name} is {status.state.lower()} and does not answer" for status in broken)
    names = " ".join(status.name for status in broken)
    return Finding(
        "services",
        not broken,
        state or "all answer",
        f"`platform local logs {names}` shows why; `platform local start` starts what is down",
    )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
