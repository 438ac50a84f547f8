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
from pathlib import Path

import psutil

from bench import preview
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
            seconds, output, peak = _timed(["make", "up"], clone, fresh)
            yield "`make up`, fresh clone, every cache empty", f"{seconds / 60:.1f} min"
            yield from _of_run(output, peak)
            seconds, _, _ = _timed(["make", "up"], clone, fresh)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=clone, env={**os.environ, **fresh}, check=True)
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # Go's module cache is read-only


def cached() -> Iterator[tuple[str, str]]:
    """`make up` with builds cached and no state, the second one, and previews after it."""
    with tempfile.TemporaryDirectory(prefix="churn-up-") as folder:
        place = {"PLATFORM_HOME": folder, "PLATFORM_PORT": PORT}
        try:
            seconds, output, peak = _timed(["make", "up"], REPOSITORY, place)
            yield "`make up`, builds cached, no state", f"{seconds:.0f} s"
            yield from _of_run(output, peak)
            seconds, _, _ = _timed(["make", "up"], REPOSITORY, place)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
            yield from preview.measure(LocalSettings(Path(folder), int(PORT)))
            seconds, _, _ = _timed(["make", "down"], REPOSITORY, place)
            yield "`make down`", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=REPOSITORY, env={**os.environ, **place}, check=True)


def tests() -> Iterator[tuple[str, str]]:
    """`make test` after set-up."""
    seconds, output, _ = _timed(["make", "test"], REPOSITORY, {})
    yield "`make test` after set-up", f"{seconds / 60:.1f} min: {output.strip().splitlines()[-1].strip('= ')}"


def _of_run(output: str, peak_bytes: int) -> Iterator[tuple[str, str]]:
    found = re.search(r"churn_daily\s+run \d+, (\d+) s", output)
    if found is None:
        raise ValueError(f"no duration of churn_daily in what `make up` printed:\n{output}")
    yield "`churn_daily` on Telco, first run", f"{found[1]} s"
    yield "memory of all its processes at the peak (proportional set size)", f"{peak_bytes / 2**30:.1f} GiB"


def _timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, str, int]:
    """Seconds, output and peak memory in bytes of a command and all that it starts."""
    peak = [0]
    ended = threading.Event()
    marks = {"PLATFORM_PORT": environment.get("PLATFORM_PORT", "")}

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], sum(_proportional_bytes(process, marks) for process in psutil.process_iter()))

    sampler = threading.Thread(target=sample)
    sampler.start()
    begun = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    finally:
        seconds = time.monotonic() - begun
        ended.set()
        sampler.join()
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout, peak[0]


def _proportional_bytes(process: psutil.Process, marks: Mapping[str, str]) -> int:
    """Memory of a process that belongs to the measured platform: it has its port in its environment."""
    try:
        environment = process.environ()
        if any(environment.get(name) != value for name, value in marks.items()):
            return 0
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0
