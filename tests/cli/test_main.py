"""The output of the commands, which a shell or a program may read, so that errors are printed elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.settings import REPOSITORY


def platform(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `platform …` with a home of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        env={**os.environ, "PLATFORM_HOME": str(home), **environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "port", "said"),
    [
        (("local", "env"), "18000", "error: the local cloud has no administrator yet: `platform local start`"),
        (("local", "status", "--json"), "80", "error: PLATFORM_PORT is '80': set it to"),
    ],
)
def test_an_error_is_not_for_who_reads_the_output(
    tmp_path: Path, command: tuple[str, ...], port: str, said: str
) -> None:
    done = platform(tmp_path, *command, PLATFORM_PORT=port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)


def test_the_newest_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    assert "none yet" in platform(tmp_path, "local", "logs").stdout
    log = tmp_path / "logs" / "workspace.log"
    log.parent.mkdir()
    log.write_text("first\nsecond\n")
    assert platform(tmp_path, "local", "logs", "--lines", "1").stdout.splitlines()[1:] == ["second"]
    none = platform(tmp_path, "local", "logs", "--lines", "0")
    assert (none.returncode, none.stdout) == (2, "")
    missing = platform(tmp_path, "local", "logs", "spark")
    assert "no log of 'spark'" in missing.stderr
