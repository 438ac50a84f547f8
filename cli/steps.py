"""Shows long work as steps: what runs, for how long, and where to look when it fails."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)  # the output may be read by a shell or a program
HEARTBEAT_SECONDS = 30
LINES_SHOWN_ON_FAILURE = 40


class CommandError(Exception):
    """Something that a person has to mend: the text says what happened and what to do."""


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Shows a step with its elapsed time; yields a function that reports a detail line.

    On a terminal the line lives; elsewhere a sign of life comes every 30 seconds.
    """
    begun = time.monotonic()
    detail = [""]
    ended = threading.Event()

    def elapsed() -> str:
        return f"{time.monotonic() - begun:.0f} s"

    status = console.status(title) if console.is_terminal else None

    def tick() -> None:
        if status is not None:
            while not ended.wait(0.5):
                status.update(f"{title} [dim]{elapsed()} {detail[0][-100:]}[/dim]")
        else:
            while not ended.wait(HEARTBEAT_SECONDS):
                console.print(f"  … {title}: {elapsed()} {detail[0][-100:]}", markup=False)

    def report(line: str) -> None:
        detail[0] = line.strip()

    ticker = threading.Thread(target=tick, daemon=True)
    if status is not None:
        status.start()
    ticker.start()
    try:
        yield report
    except BaseException:
        _finish(ended, ticker, status)
        console.print(f"[red]✗[/red] {title} [dim]{elapsed()}[/dim]")
        raise
    _finish(ended, ticker, status)
    console.print(f"[green]✓[/green] {title} [dim]{elapsed()} {detail[0]}[/dim]")


def run_logged(
    command: Sequence[str],
    log: Path,
    report: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    remedy: str = "",
) -> str:
    """Runs a program with its output in a log file, the newest line as the step's detail.

    Returns:
        The whole output.

    Raises:
        CommandError: It ended with a status other than 0; the text has the end of its output and the log's path.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with (
        log.open("w") as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=dict(environment) if environment is not None else None,
            cwd=cwd,
        ) as process,
    ):
        if process.stdout is None:
            raise CommandError(f"no output of {command[0]} to read")
        for line in process.stdout:
            lines.append(line)
            file.write(line)
            file.flush()
            if line.strip():
                report(line)
    if process.returncode != 0:
        tail = "".join(deque(lines, LINES_SHOWN_ON_FAILURE))
        raise CommandError(
            f"{' '.join(command[:3])} ended with status {process.returncode}:\n{tail.rstrip()}\n"
            f"All of its output: {log}" + (f"\n{remedy}" if remedy else "")
        )
    report("")
    return "".join(lines)


def _finish(ended: threading.Event, ticker: threading.Thread, status: object) -> None:
    ended.set()
    ticker.join()
    if status is not None:
        status.stop()  # type: ignore[attr-defined]
