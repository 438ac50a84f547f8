"""Long work shown as steps: what runs, for how long, and what it last reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status

console = Console(highlight=False, soft_wrap=True, emoji=False)
# apart from the output, which a shell or a program may read
errors = Console(highlight=False, soft_wrap=True, emoji=False, stderr=True)
HEARTBEAT_SECONDS = 30
REFRESH_SECONDS = 0.5
DETAIL_SHOWN = 100  # characters of the newest report, from its end


def say(text: str) -> None:
    """Writes a line to stderr; stdout is left to results."""
    errors.print(text, markup=False)


@contextmanager
def step(title: str, console: Console = console) -> Iterator[Callable[[str], None]]:
    """Shows a step with its elapsed time; yields a function that reports a detail.

    On a terminal one line is kept up to date. Elsewhere a line tells that the step has begun, another one every
    30 seconds that it goes on.

    Args:
        title: What the step does.
        console: Where it is shown.
    """
    shown = _ShownStep(title, console)
    try:
        yield shown.report
    except BaseException:
        shown.end("[red]✗[/red]", "")
        raise
    shown.end("[green]✓[/green]", shown.detail)


class _ShownStep:
    """A step on a console, kept up to date by a thread until the step ends.

    Attributes:
        detail: The newest report.
    """

    def __init__(self, title: str, console: Console) -> None:
        self.detail = ""
        self._title = title
        self._console = console
        self._begun = time.monotonic()
        self._ended = threading.Event()
        self._status: Status | None = None
        if console.is_terminal:
            self._status = console.status(escape(title))
            self._status.start()
        else:
            console.print(f"… {title}", markup=False)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def report(self, line: str) -> None:
        self.detail = line.strip()

    def end(self, mark: str, detail: str) -> None:
        self._ended.set()
        self._ticker.join()
        if self._status is not None:
            self._status.stop()
        elapsed = escape(f"{self._elapsed()} {detail}".rstrip())
        self._console.print(f"{mark} {escape(self._title)} [dim]{elapsed}[/dim]")

    def _tick(self) -> None:
        if self._status is not None:
            while not self._ended.wait(REFRESH_SECONDS):
                newest = escape(self.detail[-DETAIL_SHOWN:])
                self._status.update(f"{escape(self._title)} [dim]{self._elapsed()} {newest}[/dim]")
        else:
            while not self._ended.wait(HEARTBEAT_SECONDS):
                newest = self.detail[-DETAIL_SHOWN:]
                self._console.print(f"  … {self._title}: {self._elapsed()} {newest}", markup=False)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._begun:.0f} s"
