"""One whole platform, brought up by the command that people use, in a home and on ports of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

from cli import queries
from cli.environment import client_environment
from cli.stack import Stack
from local import supervisor
from local.settings import REPOSITORY, LocalSettings
from tests.ports import free_base_port


@dataclass(frozen=True)
class Platform:
    """A platform that is up.

    Attributes:
        settings: Its local cloud.
        first_up: What `platform up` printed.
    """

    settings: LocalSettings
    first_up: str

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs `platform …` against it."""
        return platform_command(self.settings, *arguments, **environment)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi …` with the stack's settings against it."""
        configuration = self.settings.home / "Pulumi.local.yaml"
        return subprocess.run(
            ["pulumi", *arguments, "--stack", "local", "--config-file", str(configuration), "--non-interactive"],
            env={**os.environ, **client_environment(self.settings)},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    def client(self) -> WorkspaceClient:
        environment = client_environment(self.settings)
        return WorkspaceClient(
            host=environment["DATABRICKS_HOST"], token=environment["DATABRICKS_TOKEN"], auth_type="pat"
        )

    def outputs(self) -> dict[str, Any]:
        return Stack.local(self.settings).outputs()

    def rows(self, statement: str) -> list[list[str]]:
        """Rows of a query through the warehouse, values as text; `{catalog}` is filled in."""
        return queries.rows(self.client(), self.outputs(), statement)

    def number(self, statement: str) -> int:
        return int(self.rows(statement)[0][0])


def platform_command(settings: LocalSettings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    place = {"PLATFORM_HOME": str(settings.home), "PLATFORM_PORT": str(settings.port)}
    return subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        env={**os.environ, **place, **environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    home = Path(tempfile.mkdtemp(prefix="churn-e2e-"))
    settings = LocalSettings(home, free_base_port())
    try:
        done = platform_command(settings, "up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Platform(settings, done.stdout)
    finally:
        supervisor.stop(settings)
    shutil.rmtree(home)  # kept for its logs when `up` fails
