"""Puts the plugin where an engine looks for it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "7.51.1"
"""Version of `pulumi-aws` whose provider this stands for; the engine asks for the SDK's own."""


def install(pulumi_home: Path) -> Path:
    """Installs the plugin into an engine's home and nowhere else.

    Args:
        pulumi_home: The folder PULUMI_HOME of the engine.

    Returns:
        The plugin: a script that starts this project's interpreter.
    """
    plugin = pulumi_home / "plugins" / f"resource-aws-v{VERSION}" / "pulumi-resource-aws"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m local.aws.provider "$@"\n'
    if not plugin.exists() or plugin.read_text() != text:
        plugin.write_text(text)
        plugin.chmod(0o755)
    return plugin
