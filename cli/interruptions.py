"""Interruptions of a rehearsal: engine or services are killed at random points of `up`, or its requests spoiled."""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from cli.errors import CommandError
from local import supervisor
from local.faults import UNASKED, Fault
from local.progress import console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cli.stack import Report
    from local.settings import LocalSettings

# Of each kind of fault the share that a few requests without any answer leave, since those cost minutes each.
FAULTS = [*UNASKED * 4, Fault.HANG]
SPOILED_TRIES = 60  # deployments that faults may make fail, one after the other
CREATING = " creating"  # what the engine says of each object
FAILURE = 2000  # letters of what a failed deployment says
BROKER = "kafka.Kafka"  # main class of a broker's process
DELAY_SECONDS = 1.0  # at most, after such a line: requests are on their way then


@dataclass
class Interruptions:
    """Kills at random points.

    Attributes:
        seed: Of the random points: the same seed gives the same ones.
    """

    seed: int = 1
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begins the sequence."""
        self._random = random.Random(self.seed)  # noqa: S311 (a sequence to repeat, no secret)

    def interrupt(
        self,
        up: Callable[[Report], str],
        creations: int,
        kills: int,
        report: Report,
        look: Callable[[], None] = lambda: None,
    ) -> int:
        """Deploys and kills the engine, again and again, each time at a later point.

        Args:
            up: Deploys a stack, or goes on with it.
            creations: Objects that its first deployment makes, about.
            kills: How often to kill the engine.
            report: Called with each line of the engine's output.
            look: Called after each kill.

        Returns:
            Objects that are still to be made, about.

        Raises:
            CommandError: A deployment failed otherwise, or ended before it was killed.
        """
        for left in range(kills, 0, -1):
            after = self._random.randint(1, max(1, 2 * creations // (left + 1)))
            delay = self._random.uniform(0, DELAY_SECONDS)
            killer = _Killer("engine", after, delay, _kill_engine, report)
            try:
                up(killer)
            except CommandError:
                if not killer.killed:
                    raise
            if not killer.killed:
                raise CommandError(f"the deployment ended before {after} creations, where it was to be killed")
            look()
            creations -= after - killer.creations  # which others have begun since, before the engine was dead
        return creations

    def disturb(
        self,
        up: Callable[[Report], str],
        creations: int,
        services: Sequence[tuple[str, Callable[[], bool]]],
        report: Report,
    ) -> None:
        """Deploys while each service is killed once; a deployment that fails by it is gone on with.

        Args:
            up: Deploys a stack, or goes on with it.
            creations: Objects that are still to be made, about.
            services: Names of services, with what kills one and says whether there was something to kill.
            report: Called with each line of the engine's output.

        Raises:
            CommandError: A deployment failed before a service was killed, or all ended before each was.
        """
        killers: list[_Killer] = []
        for name, kill in services:
            after, delay = self._random.randint(1, max(1, creations // 2)), self._random.uniform(0, DELAY_SECONDS)
            killers.append(_Killer(name, after, delay, kill, killers[-1] if killers else report))
        while left := [killer.name for killer in killers if not killer.killed]:
            try:
                up(killers[-1])
            except CommandError as error:
                if left == [killer.name for killer in killers if not killer.killed]:
                    raise
                console.print(f"  the deployment failed by it: {str(error)[:FAILURE]}", markup=False, style="dim")
            else:
                if left := [killer.name for killer in killers if not killer.killed]:
                    raise CommandError(f"the deployment ended before {', '.join(left)} could be killed")

    def spoil(
        self,
        up: Callable[[Report], str],
        repair: Callable[[Report], object],
        faults: Path,
        share: float,
        report: Report,
    ) -> None:
        """Deploys while a share of all requests is refused, late, lost or never answered, and goes on after failures.

        A deployment that a lost answer ends is repaired when the cloud is well again. One that has ended well is too: a
        request that was sent again may have made something a second time.

        Args:
            up: Deploys a stack, or goes on with it.
            repair: Takes what a deployment has made into the state.
            faults: File that asks the local cloud for faults.
            share: Of the requests.
            report: Called with each line of the engine's output.

        Raises:
            CommandError: None of the deployments ended well, or they made nothing.
        """
        made = 0

        def counted(line: str) -> None:
            nonlocal made
            made += CREATING in line
            report(line)

        ended_well, left = False, SPOILED_TRIES
        while not ended_well:
            left -= 1
            faults.write_text(json.dumps({"rate": share, "seed": self._random.randrange(2**32), "kinds": FAULTS}))
            try:
                up(counted)
                ended_well = True
            except CommandError as error:
                if not left:
                    raise
                console.print(f"  the deployment failed by faults: {str(error)[:FAILURE]}", markup=False, style="dim")
            finally:
                faults.unlink()
            repair(report)
        if not made:
            raise CommandError("the deployment made nothing under faults, where all was to be made")
        console.print(f"  [dim]{made} creations under faults[/dim]")


@dataclass
class _Killer:
    """A report that kills something once so many objects have begun to be made."""

    name: str
    creations: int  # that are left until then; below zero afterwards
    delay: float
    kill: Callable[[], bool]
    report: Report
    killed: bool = False

    def __call__(self, line: str) -> None:
        self.report(line)
        self.creations -= CREATING in line
        if self.creations <= 0 and not self.killed:
            time.sleep(self.delay)
            self.killed = self.kill()
            if self.killed:
                console.print(f"  [dim]killed: {self.name}, {self.delay:.2f} s after this: {line.strip()}[/dim]")


def _kill_engine() -> bool:
    """Kills the engine that this process has started, with its providers and its program."""
    engines = [
        process
        for process in psutil.Process(os.getpid()).children()
        if process.name() == "pulumi" and "up" in process.cmdline()[1:2]
    ]
    for process in [*engines, *(child for engine in engines for child in engine.children(recursive=True))]:
        process.kill()
    return bool(engines)


def services_of(settings: LocalSettings) -> list[tuple[str, Callable[[], bool]]]:
    """Services that deployments talk to, with what kills one; it is started again by its supervisor.

    Args:
        settings: The local cloud.
    """

    def process(service: str) -> psutil.Process:
        return psutil.Process(next(each.pid for each in supervisor.statuses(settings) if each.name == service))

    def brokers() -> list[psutil.Process]:
        return [each for each in process("aws").children(recursive=True) if BROKER in each.cmdline()]

    def killing(find: Callable[[], list[psutil.Process]]) -> Callable[[], bool]:
        def kill() -> bool:
            try:
                found = find()
                for each in found:
                    each.kill()
            except psutil.Error:  # it ends or starts at this moment
                return False
            return bool(found)

        return kill

    return [
        ("workspace", killing(lambda: [process("workspace")])),
        ("aws", killing(lambda: [process("aws")])),
        ("broker", killing(brokers)),
    ]
