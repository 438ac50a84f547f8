"""What the measurements of whole platforms share: commands timed, memory sampled, a platform that is up for a while."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.errors import CommandError
from local import leftovers
from local.settings import REPOSITORY, LocalSettings

PORT = "18400"
SAMPLE_SECONDS = 1.0


@contextmanager
def platform() -> Iterator[LocalSettings]:
    """A platform of its own, brought up by `make up`; it is taken down after the block."""
    with tempfile.TemporaryDirectory(prefix="churn-bench-") as folder:
        place = {"PLATFORM_HOME": folder, "PLATFORM_PORT": PORT}
        try:
            timed(["make", "up"], REPOSITORY, place)
            yield LocalSettings(Path(folder).resolve(), int(PORT))
        finally:
            subprocess.run(["make", "--quiet", "down"], cwd=REPOSITORY, env={**os.environ, **place}, check=True)


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, str]:
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
def peak_memory(settings: LocalSettings) -> Iterator[Peak]:
    """Samples the memory of a platform while the block runs."""
    peak = Peak()
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.bytes = max(peak.bytes, memory(settings))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()


def memory(settings: LocalSettings) -> int:
    """Memory of all processes of a platform at this moment, in bytes (proportional set size)."""
    return sum(map(_proportional_bytes, processes(settings)))


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
