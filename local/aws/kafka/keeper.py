"""Keeps a broker running for each cluster that there is, and none besides."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.aws.kafka.broker import Broker
from local.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 120  # for one start
TRIES = 3


@dataclass(frozen=True)
class Wanted:
    """A broker that there should be.

    Attributes:
        name: Name of its folder.
        port: Port for clients.
        configuration: Properties of its cluster's configuration.
    """

    name: str
    port: int
    configuration: Mapping[str, str]


@dataclass
class _Running:
    """A broker with its process, and how the starts went."""

    broker: Broker
    configuration: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    answered: bool = False


class Keeper:
    """Looks twice a second whether what runs is what is wanted.

    Args:
        folder: Folder of the brokers' folders.
        jars: Folder of Kafka's jars.
        wanted: Tells which brokers there should be.
        report: Takes a broker that was wanted, the state of its cluster as MSK names it, and why where it is `FAILED`.
    """

    def __init__(
        self,
        folder: Path,
        jars: Path,
        wanted: Callable[[], list[Wanted]],
        report: Callable[[Wanted, str, str], None],
    ) -> None:
        self._folder, self._jars, self._wanted, self._report = folder, jars, wanted, report
        self._running: dict[str, _Running] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends all brokers; what they kept stays."""
        self._ending.set()
        self._thread.join()
        for running in self._running.values():
            if running.process:
                running.broker.stop(running.process)

    def _watch(self) -> None:
        try:
            while not self._ending.is_set():
                self._look()
                self._ending.wait(LOOK_SECONDS)
        except BaseException:  # noqa: BLE001 (a server without brokers ends, and is started again)
            traceback.print_exc()
            os._exit(1)

    def _look(self) -> None:
        wanted = {each.name: each for each in self._wanted()}
        self._remove_unwanted(set(wanted))
        for each in wanted.values():
            self._see_to(each)

    def _remove_unwanted(self, names: set[str]) -> None:
        for name in [name for name in self._running if name not in names]:
            running = self._running.pop(name)
            if running.process:
                running.broker.stop(running.process)
            running.broker.remove()
        for folder in self._folder.iterdir() if self._folder.exists() else []:
            if folder.name not in names:  # of a cluster that was deleted while nobody looked
                Broker(folder, 0, self._jars).end_leftover()
                shutil.rmtree(folder, ignore_errors=True)

    def _see_to(self, wanted: Wanted) -> None:
        """Starts, restarts and reports on one broker."""
        running = self._running.setdefault(
            wanted.name, _Running(Broker(self._folder / wanted.name, wanted.port, self._jars))
        )
        if running.configuration != wanted.configuration:
            if running.process:
                self._report(wanted, "UPDATING", "")
                running.broker.stop(running.process)
            running.process, running.failures = None, 0
        if running.failures >= TRIES:
            return
        if running.process is None or running.process.poll() is not None:
            self._start(running, wanted)
        elif running.answered or running.broker.answers():
            running.answered, running.failures = True, 0
            self._report(wanted, "ACTIVE", "")
        elif time.monotonic() - running.started > PATIENCE_SECONDS:
            running.broker.stop(running.process)

    def _start(self, running: _Running, wanted: Wanted) -> None:
        if running.process is not None:
            if running.answered:
                self._report(wanted, "HEALING", "")
            else:
                running.failures += 1
                sys.stderr.write(f"the broker of {wanted.name} ended: {running.broker.last_lines()}\n")
            if running.failures >= TRIES:
                self._report(wanted, "FAILED", f"the broker does not start: {running.broker.last_lines()}")
                return
        running.answered, running.configuration, running.started = False, wanted.configuration, time.monotonic()
        try:
            running.process = running.broker.start(wanted.configuration)
        except (BrokerError, OSError) as error:
            running.failures = TRIES
            self._report(wanted, "FAILED", f"the broker does not start: {error}")
