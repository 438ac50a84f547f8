"""How long `make up` and `make test` take, and how much memory everything holds at its peak."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench import preview
from local import leftovers
from local.settings import REPOSITORY, LocalSettings

PORT = "18400"
SAMPLE_SECONDS = 1.0


def cold() -> Iterator[tuple[str, str]]:
    """`make up` of a fresh clone with every cache empty, and the second one after it."""
    with tempfile.TemporaryDirectory(prefix="churn-cold-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        # every cache is its own: pip, uv, Go's builds and ours below the first, Go's modules, Maven
        fresh = {"PLATFORM_PORT": PORT, "XDG_CACHE_HOME": f"{folder}/cache", "GOMODCACHE": f"{folder}/go"}
        fresh |= {"MAVEN_OPTS": f"-Dmaven.repo.local={folder}/m2"}
        try:
            with _peak_memory(LocalSettings(clone.resolve() / ".local", int(PORT))) as peak:
                seconds, output = _timed(["make", "up"], clone, fresh)
            yield "`make up`, fresh clone, every cache empty", f"{seconds / 60:.1f} min"
            yield from _of_run(output, peak[0])
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
            yield from _of_run(output, peak[0])
            seconds, _ = _timed(["make", "up"], REPOSITORY, place)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
            yield from preview.measure(settings)
            seconds, _ = _timed(["make", "down"], REPOSITORY, place)
            yield "`make down`", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=REPOSITORY, env={**os.environ, **place}, check=True)


def tests() -> Iterator[tuple[str, str]]:
    """`make test` after set-up."""
    seconds, output = _timed(["make", "test"], REPOSITORY, {})
    yield "`make test` after set-up", f"{seconds / 60:.1f} min: {output.strip().splitlines()[-1].strip('= ')}"


def _of_run(output: str, peak_bytes: int) -> Iterator[tuple[str, str]]:
    found = re.search(r"churn_daily\s+run \d+, (\d+) s", output)
    if found is None:
        raise ValueError(f"no duration of churn_daily in what `make up` printed:\n{output}")
    yield "`churn_daily` on Telco, first run", f"{found[1]} s"
    yield "memory of all its processes at the peak (proportional set size)", f"{peak_bytes / 2**30:.1f} GiB"


def _timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """Seconds and output of a command."""
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


@contextmanager
def _peak_memory(settings: LocalSettings) -> Iterator[list[int]]:
    """Measures while the block runs; the one item of the list is the peak in bytes."""
    peak = [0]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], sum(map(_proportional_bytes, processes(settings))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()


def processes(settings: LocalSettings) -> set[psutil.Process]:
    """What runs of a platform: its local cloud, and the commands that have its port in their environment.

    Tasks and scoring servers do not have it: they are told apart by what they inherit of supervisord.
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
