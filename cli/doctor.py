"""`platform doctor`: checks what the platform needs on this machine, one line each, with the remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from local import leftovers, supervisor
from local.engine.installation import GO_MODULES, Installed, cli_on_path
from local.settings import LocalSettings, cache_folder
from local.spark.install import complete, jars_folder

PYTHON = (3, 11)
JAVA_MAJOR = 17
FREE_DISK_GIB = 2  # state of a few runs 1, room to work 1
FREE_DISK_TO_BUILD_GIB = 8  # the same, and 6 for Go's modules and builds; the Python environment is there by now
FREE_MEMORY_GIB = 5  # the measured peak of everything is 3.9, docs/benchmarks.md


@dataclass(frozen=True)
class Finding:
    """Outcome of one check."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def findings(settings: LocalSettings, *, starting: bool = True) -> list[Finding]:
    """All checks of this machine.

    Args:
        settings: The local cloud that is asked for.
        starting: Whether it is about to be started: then ports and memory must be free.
    """
    installed, spark = Installed.locate(), complete(jars_folder())
    engine = installed.cli.exists() and installed.provider_binary.exists()
    needed = FREE_DISK_GIB if engine and spark else FREE_DISK_TO_BUILD_GIB
    checks: list[Callable[[], Finding]] = [python, java, lambda: disk(settings, needed)]
    if not spark:
        checks.append(lambda: program("mvn", "Maven fetches Spark's jars: install Maven 3.8 or later"))
    if not engine and cli_on_path() is None:
        checks.append(go)
    if supervisor.running(settings):
        checks.append(lambda: services(settings))
    elif starting:
        if not leftovers.processes(settings):  # `start` ends them first, and so frees their ports
            checks.append(lambda: ports(settings))
        checks.append(memory)
    return [check() for check in checks]


def python() -> Finding:
    """The interpreter's version: the locked requirements are for one."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    wanted = ".".join(str(part) for part in PYTHON)
    return Finding(
        "Python", sys.version_info[:2] == PYTHON, found, f"install Python {wanted}, then `rm -r .venv`, `make up`"
    )


def java() -> Finding:
    """The JDK that runs Spark, which is JAVA_HOME's where that is set; its compiler builds the catalog plugin."""
    remedy = f"install a JDK {JAVA_MAJOR} (not only a JRE) and put its bin folder on PATH"
    if missing := [name for name in ("java", "javac") if shutil.which(name) is None]:
        return Finding("JDK", False, f"{' and '.join(missing)} not on PATH", remedy)
    found = _java_version("java")
    home = os.environ.get("JAVA_HOME")
    if found == str(JAVA_MAJOR) and home:
        found = _java_version(str(Path(home, "bin", "java")))
        remedy = f"JAVA_HOME is {home}: let it name a JDK {JAVA_MAJOR}, or unset it"
    return Finding("JDK", found == str(JAVA_MAJOR), found, remedy)


def program(name: str, remedy: str) -> Finding:
    """A program on PATH that a build needs."""
    path = shutil.which(name)
    return Finding(name, path is not None, path or "not on PATH", remedy)


def go() -> Finding:
    """The Go that builds, asked where it does: there one that may fetches the version that the module needs."""
    wanted = _go_version((GO_MODULES / "go.mod").read_text())
    version = ".".join(str(part) for part in wanted)
    remedy = f"Go builds the Pulumi engine where no release is found: install Go {version} or later"
    on_path = program("go", remedy)
    if not on_path.ok:
        return on_path
    done = subprocess.run(["go", "version"], cwd=GO_MODULES, capture_output=True, text=True, check=False)
    return Finding("go", _go_version(done.stdout) >= wanted, (done.stdout or done.stderr).strip(), remedy)


def disk(settings: LocalSettings, needed_gib: int) -> Finding:
    """Free space where the state and the builds go."""
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
    """Memory that programs can have now."""
    available = psutil.virtual_memory().available / 2**30
    return Finding(
        "memory", available >= FREE_MEMORY_GIB, f"{available:.0f} GiB available", f"free {FREE_MEMORY_GIB} GiB"
    )


def ports(settings: LocalSettings) -> Finding:
    """The services' ports, while the platform does not run."""
    taken = [service for service in supervisor.services(settings) if supervisor.accepts_connections(service.port)]
    found = ", ".join(f"{service.port} ({service.name})" for service in taken)
    return Finding(
        "ports",
        not taken,
        f"in use: {found}" if taken else "free",
        "end the programs that listen there, or set PLATFORM_PORT to another first port",
    )


def services(settings: LocalSettings) -> Finding:
    """The services, while the platform runs."""
    broken = [status for status in supervisor.statuses(settings) if not status.healthy]
    found = ", ".join(f"{status.name} is {status.state.lower()} and does not answer" for status in broken)
    names = " ".join(status.name for status in broken)
    return Finding(
        "services",
        not broken,
        found or "all answer",
        f"`platform local logs {names}` shows why; `platform local start` starts what is down",
    )


def _java_version(java: str) -> str:
    """Major version, or what the program says instead."""
    try:
        output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError as error:
        return str(error)
    match = re.search(r'version "(\d+)', output)
    return match.group(1) if match else output.strip()


def _go_version(text: str) -> tuple[int, ...]:
    """Major and minor version that a text names first; nothing where it names none."""
    match = re.search(r"\bgo ?(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
