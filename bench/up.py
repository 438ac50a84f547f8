"""Durations of `make up` and `make test`, and the memory of all processes at its peak."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import preview
from bench.measuring import PORT, peak_memory, timed
from cli.errors import CommandError
from cli.rehearsal import PORTS_AWAY
from cli.stack import Stack
from local.settings import REPOSITORY, LocalSettings


def cold() -> Iterator[tuple[str, str]]:
    """`make up` of a fresh clone with every cache empty, and the second one after it."""
    with tempfile.TemporaryDirectory(prefix="churn-cold-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        # caches of its own: pip, uv, Go's builds and this project's below the first, Go's modules, Maven
        fresh = {"PLATFORM_PORT": PORT, "XDG_CACHE_HOME": f"{folder}/cache", "GOMODCACHE": f"{folder}/go"}
        fresh |= {"MAVEN_OPTS": f"-Dmaven.repo.local={folder}/m2"}
        try:
            with peak_memory(LocalSettings(clone.resolve() / ".local", int(PORT))) as peak:
                seconds, output = timed(["make", "up"], clone, fresh)
            yield "`make up`, fresh clone, every cache empty", f"{seconds / 60:.1f} min"
            yield from _daily_run(output, peak.bytes)
            seconds, _ = timed(["make", "up"], clone, fresh)
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
            with peak_memory(settings) as peak:
                seconds, output = timed(["make", "up"], REPOSITORY, place)
            yield "`make up`, builds cached, no state", f"{seconds:.0f} s"
            yield from _daily_run(output, peak.bytes)
            seconds, _ = timed(["make", "up"], REPOSITORY, place)
            yield "second `make up`, nothing changed", f"{seconds:.0f} s"
            yield from preview.measure(Stack.local(settings))
            seconds, _ = timed(["make", "down"], REPOSITORY, place)
            yield "`make down`", f"{seconds:.0f} s"
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=REPOSITORY, env={**os.environ, **place}, check=True)


def rehearsal() -> Iterator[tuple[str, str]]:
    """`make rehearse` with builds cached: end to end, its deployments and second plans, and memory."""
    with tempfile.TemporaryDirectory(prefix="churn-rehearse-") as folder:
        own = LocalSettings(Path(folder).resolve() / "rehearsal", int(PORT) + PORTS_AWAY)
        with peak_memory(own) as peak:
            place = {"PLATFORM_HOME": folder, "PLATFORM_PORT": PORT}
            seconds, output = timed(["make", "rehearse"], REPOSITORY, place)
    yield "`make rehearse`, builds cached", f"{seconds / 60:.1f} min"
    for what, duration in re.findall(r"✓ ((?:deploy|plan) the (?:ground|stack).*?) (\d+ s)", output):
        yield f"{what}, of the rehearsal", duration
    yield "memory of all processes of the rehearsal at the peak", f"{peak.bytes / 2**30:.1f} GiB"


def tests() -> Iterator[tuple[str, str]]:
    """`make test` after set-up."""
    seconds, output = timed(["make", "test"], REPOSITORY, {})
    yield "`make test` after set-up", f"{seconds / 60:.1f} min: {output.strip().splitlines()[-1].strip('= ')}"


def _daily_run(output: str, peak_bytes: int) -> Iterator[tuple[str, str]]:
    duration = re.search(r"churn_daily\s+run \d+, (\d+) s", output)
    if duration is None:
        raise CommandError(f"`make up` printed no duration of churn_daily:\n{output}")
    yield "`churn_daily` on Telco, first run", f"{duration[1]} s"
    yield "memory of all its processes at the peak (proportional set size)", f"{peak_bytes / 2**30:.1f} GiB"
