"""`platform preflight`: everything that a workspace lacks for a stack, before the first deployment to it."""

from __future__ import annotations

import os
import subprocess
import sys

from cli.environment import process_environment
from cli.errors import CommandError
from cli.stack import Stack
from local import supervisor
from local.settings import REPOSITORY, LocalSettings


def preflight(settings: LocalSettings, name: str, *, offline: bool) -> int:
    """Looks at the workspace of a stack and prints all that it lacks.

    Args:
        settings: The local cloud, which has the workspace of the stack `local`.
        name: Name of the stack.
        offline: Whether to leave out what needs a package registry.

    Returns:
        0 if nothing is missing, otherwise 1.

    Raises:
        CommandError: The local cloud is asked and does not run.
    """
    stack, local = Stack(name, settings), Stack.local(settings)
    file, environment = stack.source, {**os.environ}
    if name == local.name:
        if not supervisor.accepts_connections(settings.port):
            raise CommandError(f"{settings.workspace_url} does not answer: `platform local start` starts it")
        file, environment = local.write_configuration({}), process_environment(settings)
    command = [sys.executable, "-m", "infra.preflight", str(file), *(["--offline"] if offline else [])]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode
