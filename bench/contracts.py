"""Measurements of the commands over contracts, each a process of its own."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.measuring import timed
from local.settings import REPOSITORY

RUNS = 5


def contracts() -> Iterator[tuple[str, str]]:
    """Contracts: their check, and their comparison with themselves; needs nothing that runs."""
    for arguments in (["check"], ["diff", "contracts"]):
        command = [str(REPOSITORY / ".venv" / "bin" / "platform"), "contract", *arguments]
        seconds = [timed(command, REPOSITORY, {})[0] for _ in range(RUNS)]
        yield f"`platform contract {arguments[0]}`, median of {RUNS}", f"{statistics.median(seconds):.1f} s"
