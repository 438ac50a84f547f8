"""Interruptions of a rehearsal: the engine is killed with all that it has started, at random points of `up`."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from cli.errors import CommandError
from local.progress import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.stack import Report

DELAY_SECONDS = 1.0  # at most, after such a line: requests are on their way then


@dataclass
class Interruptions:
    """Kills of the engine at random points.

    Attributes:
        seed: Of the random points: the same seed gives the same ones.
    """

    seed: int = 1
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begins the sequence."""
        self._random = random.Random(self.seed)  # noqa: S311 (a sequence to repeat, no secret)

    def interrupt(self, up: Callable[[Report], str], creations: int, kills: int, report: Report) -> None:
        """Deploys and kills the engine, again and again, each time at a later point.

        Args:
            up: Deploys a stack, or goes on with it.
            creations: Objects that its first deployment makes, at least.
            kills: How often to kill the engine.
            report: Called with each line of the engine's output.

        Raises:
            CommandError: A deployment failed otherwise, or ended before it was killed.
        """
        for left in range(kills, 0, -1):
            after = self._random.randint(1, 2 * creations // (left + 1))
            delay = self._random.uniform(0, DELAY_SECONDS)
            killer = _Killer(after, delay, report)
            try:
                up(killer)
            except CommandError:
                if not killer.killed:
                    raise
            if not killer.killed:
                raise CommandError(f"the deployment ended before {after} creations, where it was to be killed")
            creations -= after
            console.print(f"  [dim]the engine was killed after {after} creations and {delay:.2f} s[/dim]")


@dataclass
class _Killer:
    """A report that kills the engine once it has begun to make so many objects."""

    creations: int
    delay: float
    report: Report
    killed: bool = False

    def __call__(self, line: str) -> None:
        self.report(line)
        self.creations -= " creating" in line
        if self.creations <= 0 and not self.killed:
            time.sleep(self.delay)
            self.killed = _kill()


def _kill() -> bool:
    """Kills the engine that this process has started, with its providers and its program."""
    engines = [
        process
        for process in psutil.Process(os.getpid()).children()
        if process.name() == "pulumi" and "up" in process.cmdline()[1:2]
    ]
    for process in [*engines, *(child for engine in engines for child in engine.children(recursive=True))]:
        process.kill()
    return bool(engines)
