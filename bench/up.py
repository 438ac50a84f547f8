"""Durations of `make up` and `make test`, and the memory of all processes at its peak."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import preview
from cli.errors import CommandError
from cli.rehearsal import PORTS_AWAY
from local import leftovers
from local.settings import REPOSITORY, LocalSettings

PORT = "18400"
SAMPLE_SECONDS = 1.0


def cold() -> Iterator[tuple[str, str]]:
    """`make up` of a fresh clone with every cache empty, and the second one after it."""
    with tempfile.TemporaryDirectory(prefix="churn-cold-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        # caches of its own: pip, uv, Go's builds and this project's below the first, Go's modules, Maven
        fresh = {"PLATFORM_PORT": PORT, "XDG_CACHE_HOME": f"{folder}/cache", "GOMODCACHE": f"{folder}/go"}
        fresh |= {"MAVEN_OPTS": f"-Dmaven.repo.local={folder}/m2"}
        try:
            with _peak_memory(LocalSettings(clone.resolve() / ".local", int(PORT))) as peak:
                seconds, output = _timed(["make", "up"], clone, fresh)
            yield "`make up`, fresh clone, every cache empty", f"{seconds / 60:.1f} min"
            yield from _daily_run(output, peak.bytes)
            seconds, _ = _timed(["make", "up"], clone, fresh)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=clone, env={**os.environ, **fresh}, check=True)
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # Go's module cache is read-only


def cached() -> Iterator[tuple[str, str]]:
    """`make up` with builds cached and no state, the second one, and previews after it."""
    with tempfile.TemporaryDirectory(prefix="churn-up-") as folder:
        place = {"PLATFORM_HOME": folder, "PLATFORM_PORT": PORT}
        settings = LocalSettings(Path(folder).resolve(), int(PORT))
        try:
            with _peak_memory(settings) as peak:
                seconds, output = _timed(["make", "up"], REPOSITORY, place)
            yield "`make up`, builds cached, no state", f"{seconds:.0f} s"
            yield from _daily_run(output, peak.bytes)
            seconds, _ = _timed(["make", "up"], REPOSITORY, place)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
            yield from preview.measure(settings)
            seconds, _ = _timed(["make", "down"], REPOSITORY, place)
            yield "`make down`", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=REPOSITORY, env={**os.environ, **place}, check=True)


def rehearsal() -> Iterator[tuple[str, str]]:
    """`make rehearse` with builds cached: end to end, its deployments and second plans, and memory."""
    with tempfile.TemporaryDirectory(prefix="churn-rehearse-") as folder:
        own = LocalSettings(Path(folder).resolve() / "rehearsal", int(PORT) + PORTS_AWAY)
        with _peak_memory(own) as peak:
            place = {"PLATFORM_HOME": folder, "PLATFORM_PORT": PORT}
            seconds, output = _timed(["make", "rehearse"], REPOSITORY, place)
    yield "`make rehearse`, builds cached", f"{seconds / 60:.1f} min"
    for what, duration in re.findall(r"✓ ((?:deploy|plan) the (?:ground|stack).*?) (\d+ s)", output):
        yield f"{what}, of the rehearsal", duration
    yield "memory of all processes of the rehearsal at the peak", f"{peak.bytes / 2**30:.1f} GiB"


def tests() -> Iterator[tuple[str, str]]:
    """`make test` after set-up."""
    seconds, output = _timed(["make", "test"], REPOSITORY, {})
    yield "`make test` after set-up", f"{seconds / 60:.1f} min: {output.strip().splitlines()[-1].strip('= ')}"


def _daily_run(output: str, peak_bytes: int) -> Iterator[tuple[str, str]]:
    duration = re.search(r"churn_daily\s+run \d+, (\d+) s", output)
    if duration is None:
        raise CommandError(f"`make up` printed no duration of churn_daily:\n{output}")
    yield "`churn_daily` on Telco, first run", f"{duration[1]} s"
    yield "memory of all its processes at the peak (proportional set size)", f"{peak_bytes / 2**30:.1f} GiB"


def _timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """Runs a command, and returns its seconds and its output.

    Raises:
        CommandError: The command failed; the text has its output.
    """
    start = time.monotonic()
    process = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - start
    if process.returncode != 0:
        raise CommandError(f"{' '.join(command)} failed:\n{process.stdout}{process.stderr}")
    return seconds, process.stdout


@dataclass
class Peak:
    """The most memory that was seen.

    Attributes:
        bytes: Proportional set size of all processes.
    """

    bytes: int = 0


@contextmanager
def _peak_memory(settings: LocalSettings) -> Iterator[Peak]:
    """Samples the memory of a platform while the block runs."""
    peak = Peak()
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.bytes = max(peak.bytes, sum(map(_proportional_bytes, processes(settings))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()


def processes(settings: LocalSettings) -> set[psutil.Process]:
    """Finds the processes of a platform: commands with its port in their environment, and its local cloud.

    Tasks and scoring servers lack the port; variables that they inherit from supervisord identify them.
    """
    port = str(settings.port)
    commands = {
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get("PLATFORM_PORT") == port
    }
    return commands.union(leftovers.processes(settings))


def _proportional_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0
