"""Processes of a local cloud that outlived their supervisord, and how they are ended.

supervisord writes its address into the environment of each service. Every process that a service starts inherits the
address: job tasks and served models too, which run in sessions of their own and have no PLATFORM_HOME. So the address
marks the processes of one home; a shell with `platform local env` does not have the address.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from local.settings import LocalSettings

GRACE_SECONDS = 60  # between SIGTERM and SIGKILL: the workspace ends its own programs first
KILL_SECONDS = 10


def processes(settings: LocalSettings) -> list[psutil.Process]:
    """All running processes of this local cloud, supervisord included."""
    address, configuration = f"unix://{settings.supervisor_socket}", ["-c", str(settings.supervisor_conf)]
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("SUPERVISOR_SERVER_URL") == address
        or (process.info["cmdline"] or [])[-2:] == configuration
    ]


def end(settings: LocalSettings, first: Sequence[Sequence[str]]) -> bool:
    """Ends all processes of this local cloud; false if there are none.

    Args:
        settings: The local cloud.
        first: Command lines of the processes to end before all others, one after the other.
    """
    any_ran = False
    for command in (*first, None):
        chosen = [
            process
            for process in processes(settings)
            if alive(process) and (command is None or process.info["cmdline"] == list(command))
        ]
        any_ran = any_ran or bool(chosen)
        _end(chosen)
    return any_ran


def end_service(settings: LocalSettings, name: str) -> None:
    """Ends the processes that an earlier run of a service left, found by the service's name in their environment."""
    _end(
        [
            process
            for process in processes(settings)
            if (process.info["environ"] or {}).get("SUPERVISOR_PROCESS_NAME") == name and process.pid != os.getpid()
        ]
    )


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs. A zombie, which stays where no init reaps it, runs until its last thread ends."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    return False


def _end(chosen: list[psutil.Process]) -> None:
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        for process in chosen:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + seconds
        while (chosen := [process for process in chosen if alive(process)]) and time.monotonic() < deadline:
            time.sleep(0.1)
