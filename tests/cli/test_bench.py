"""The measurements count the memory of every process of the platform."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from bench import measuring
from local.settings import LocalSettings


@pytest.mark.parametrize(
    ("environment", "counted"),
    [
        ({"PLATFORM_PORT": "18400"}, True),  # a command
        ({"SUPERVISOR_SERVER_URL": "unix:///home/supervisor.sock"}, True),  # a task or model: nothing else is left
        ({"PLATFORM_PORT": "18000", "SUPERVISOR_SERVER_URL": "unix:///other/supervisor.sock"}, False),
    ],
)
def test_memory_is_that_of_every_process_of_the_platform(environment: dict[str, str], counted: bool) -> None:
    process = subprocess.Popen(["sleep", "600"], env={"PATH": "/usr/bin:/bin", **environment})
    try:
        found = measuring.processes(LocalSettings(Path("/home"), 18400))
        assert (psutil.Process(process.pid) in found) == counted
    finally:
        process.kill()
        process.wait()
