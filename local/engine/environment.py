"""The environment variables with which `pulumi` deploys to one local cloud."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.aws.provider import install as aws_provider
from local.engine.installation import PROVIDER_BINARY, PROVIDER_VERSION, Installed
from local.errors import EngineError

if TYPE_CHECKING:
    from local.settings import LocalSettings

PASSPHRASE = "local"  # noqa: S105 (no secret: it encrypts the state of a local cloud, which holds made-up data)
"""Passphrase of the local stack's secrets."""

AWS_ACCOUNT = "123456789012"
"""Account of the local AWS, which takes an account's id for an access key."""


def engine_environment(settings: LocalSettings) -> dict[str, str]:
    """The variables that `pulumi` needs to deploy to a local cloud; lay them over `os.environ`.

    The function also prepares the engine's home: a folder for its state, and the providers of Databricks and of the
    local AWS among its plugins (on PATH a provider would work too, with a warning at each run).

    Args:
        settings: The local cloud, whose home keeps the engine's state.

    Returns:
        PATH with this project's interpreter, the CLI and its language host first; the place of the state
        and the passphrase of its secrets; no look-up of new versions and no download of plugins; keys of the local AWS.

    Raises:
        EngineError: engine or provider are not installed.
    """
    installed = Installed.locate()
    for need in (installed.cli, installed.provider_binary):
        if not need.exists():
            raise EngineError(f"{need} is missing: run `python -m local.engine install`")
    home = settings.home / "pulumi"
    state = home / "state"
    plugin = home / "plugins" / f"resource-databricks-v{PROVIDER_VERSION}" / PROVIDER_BINARY
    state.mkdir(parents=True, exist_ok=True)
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if plugin.is_symlink() and plugin.readlink() != installed.provider_binary:
        plugin.unlink()
    with suppress(FileExistsError):
        plugin.symlink_to(installed.provider_binary)
    aws_provider.install(home)
    first = [str(Path(sys.executable).parent), str(installed.cli.parent)]
    rest = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder not in first]
    return {
        "PATH": os.pathsep.join(first + rest),
        "PLATFORM_PYTHON": sys.executable,
        "PULUMI_HOME": str(home),
        # without a second file beside each state, which a killed engine leaves empty, and then reads no state at all
        "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ACCESS_KEY_ID": AWS_ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
