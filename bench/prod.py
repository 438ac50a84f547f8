"""Durations of the stack `prod` on a new local cloud: its part in AWS, all of it, and a preview of what is deployed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import preview
from bench.measuring import PORT
from cli import lifecycle
from cli.rehearsal import ACCOUNT, Rehearsal, new_cloud
from cli.stack import GROUND_ALONE, Report
from local.settings import LocalSettings

PROD = "prod"


def prod() -> Iterator[tuple[str, str]]:
    """`up` of the AWS part of `prod`, then of all its layers, and its preview over as many empty components."""
    with tempfile.TemporaryDirectory(prefix="churn-prod-") as folder:
        settings = LocalSettings(Path(folder).resolve(), int(PORT))
        with new_cloud(settings, (ACCOUNT, PROD)) as own:
            rehearsal = Rehearsal(own, lifecycle.workspace_client(own))
            rehearsal.stack(ACCOUNT).up(_silent)
            stack = rehearsal.stack(PROD)
            yield from _timed_up(
                "`up` of the AWS part of `prod`, its workspace included", lambda report: stack.up(report, GROUND_ALONE)
            )
            yield from _timed_up("`up` of all other layers of `prod` after it", stack.up)
            yield from preview.measure(stack)
            rehearsal.destroy(PROD)
            rehearsal.destroy(ACCOUNT)


def _timed_up(what: str, up: Callable[[Report], str]) -> Iterator[tuple[str, str]]:
    start = time.monotonic()
    changes = up(_silent)
    yield what, f"{time.monotonic() - start:.0f} s ({changes})"


def _silent(_line: str) -> None:
    """Leaves out what the engine says while it works."""
