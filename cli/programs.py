"""Programs that the command line runs, with their output in log files."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.errors import CommandError
from local.settings import REPOSITORY

LINES_SHOWN_ON_FAILURE = 40


def run_logged(
    command: Sequence[str],
    log: Path,
    report: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    remedy: Callable[[str], str] = lambda _output: "",
) -> str:
    """Runs a program with its output in a log file, the newest line as the step's detail.

    Args:
        command: The program and its arguments.
        log: The file.
        report: Called with each line.
        environment: Its variables; those of this process by default.
        cwd: The folder that it runs in.
        remedy: Gives what to do about a failure, out of the whole output; stands at the end of the error.

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
        advice = remedy("".join(lines))
        raise CommandError(
            f"{' '.join(command[:3])} ended with status {process.returncode}:\n{tail.rstrip()}\n"
            f"All of its output: {log}" + (f"\n{advice}" if advice else "")
        )
    report("")
    return "".join(lines)


def pulumi(*arguments: str) -> str:
    """Runs the `pulumi` of the shell on this project, with the shell's backend.

    Returns:
        What it printed.

    Raises:
        CommandError: It failed; the text has what it said.
    """
    done = subprocess.run(["pulumi", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"pulumi {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout
