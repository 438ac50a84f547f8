"""The engine's command line, as far as adoption drives it, with the backend and the credentials of the shell."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCKED = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<time>\S+)")
BUSY = re.compile(r"currently locked|update is currently in progress|Conflict", re.IGNORECASE)


class AdoptionError(Exception):
    """Something that people have to do first. The text is written for them."""


@dataclass(frozen=True)
class Engine:
    """The engine for one stack.

    Attributes:
        stack: Name of the stack.
        file: The stack's file.
        folder: Folder of the program.
    """

    stack: str
    file: Path
    folder: Path = REPOSITORY

    def export(self) -> dict[str, Any]:
        """The stack's state.

        Raises:
            AdoptionError: The engine refuses.
        """
        state: dict[str, Any] = json.loads(self._run("stack", "export"))
        return state

    def plan(self) -> dict[str, Any]:
        """What the next deployment would do.

        Raises:
            AdoptionError: It cannot be planned.
        """
        plan: dict[str, Any] = json.loads(self._run(*self._with_file("preview"), "--json"))
        return plan

    def write(self, read: dict[str, Any], state: dict[str, Any]) -> None:
        """Replaces the stack's state.

        Args:
            read: The state from which the new one was made.
            state: The new state.

        Raises:
            AdoptionError: Somebody has deployed since the state was read, or the engine refuses.
        """
        if self.export() != read:
            raise AdoptionError(f"{self.stack}: somebody deploys it at this moment; remedy: run this again afterwards")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "state.json")
            file.touch(mode=0o600)
            file.write_text(json.dumps(state))
            self._run("stack", "import", "--file", str(file))

    def refresh(self, urns: Iterable[str]) -> None:
        """Reads objects, so that the state has them as they are; one that is gone leaves it.

        Raises:
            AdoptionError: One cannot be read.
        """
        targets = [argument for urn in urns for argument in ("--target", urn)]
        self._run(*self._with_file("refresh"), "--yes", "--skip-preview", "--skip-pending-creates", *targets)

    def unlock(self, urn: str | None) -> str:
        """Takes a lock away whose holder is dead.

        The lock is tried by a look at the stack itself, which reads no object and changes nothing.

        Args:
            urn: Of the stack itself; None where the state is empty.

        Returns:
            Whose lock was taken away; empty where there was none.

        Raises:
            AdoptionError: The holder lives, or may live on another machine.
        """
        try:
            self.refresh([urn] if urn else [])
        except AdoptionError as error:
            if not BUSY.search(str(error)):
                raise
            holders = [match.groupdict() for match in LOCKED.finditer(str(error))]
            if not holders or not all(_dead(holder) for holder in holders):
                raise AdoptionError(
                    f"{self.stack} is locked, and whoever holds the lock may live: {error}\n"
                    "remedy: wait for the end; if you know that it has ended, `pulumi cancel` takes the lock away"
                ) from error
            self._run("cancel", "--yes")
            return ", ".join(f"{holder['user']}, process {holder['pid']}" for holder in holders)
        return ""

    def _with_file(self, verb: str) -> list[str]:
        options = ["--non-interactive", "--color", "never", "--suppress-outputs"]
        return [verb, "--config-file", str(self.file), *options]

    def _run(self, *arguments: str) -> str:
        command = ["pulumi", *arguments, "--stack", self.stack]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = "\n".join(part.strip() for part in (done.stdout, done.stderr) if part.strip())
            raise AdoptionError(f"pulumi {' '.join(arguments[:2])} of {self.stack} failed:\n{said}")
        return done.stdout


def _dead(holder: dict[str, str]) -> bool:
    """Whether the holder of a lock was a process of this machine that has ended."""
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
