"""Progress of long steps, one line each, with the time they took."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TELL_EVERY_SECONDS = 15


def say(text: str) -> None:
    """Writes a line to stderr; stdout is left to results."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Tells that a step began, that it goes on, and how long it took."""
    started = time.monotonic()
    done = threading.Event()

    def elapsed() -> str:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        return f"{minutes}:{seconds:02d}"

    def keep_telling() -> None:
        while not done.wait(TELL_EVERY_SECONDS):
            say(f"  … {elapsed()}")

    say(title)
    threading.Thread(target=keep_telling, daemon=True).start()
    try:
        yield
    finally:
        done.set()
    say(f"  done in {elapsed()}")
