"""`platform adopt`: repairs a stack after an interrupted deployment, by the `pulumi` and the backend of the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from cli.environment import process_environment
from cli.stack import Stack
from local.settings import REPOSITORY, LocalSettings


def adopt(settings: LocalSettings, name: str, mine: Sequence[str] = ()) -> int:
    """Takes into the state of a stack what an interrupted deployment has made.

    Args:
        settings: The local cloud, to which the stack `local` is deployed.
        name: Name of the stack.
        mine: Names of resources whose objects a person says are the stack's, where nothing else tells.

    Returns:
        0 if the next deployment can go on, otherwise 1.
    """
    stack, local = Stack(name, settings), Stack.local(settings)
    file, environment = stack.source, {**os.environ}
    if name == local.name:
        file, environment = local.write_configuration({}), process_environment(settings)
    command = [sys.executable, "-m", "infra.adoption", str(file), *(["--mine", *mine] if mine else [])]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode
