"""Stack files for tests: that of the local stack, with some settings changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra.written.paths import REPOSITORY
from infra.written.settings.platform import Platform
from infra.written.stacks import read_settings

LOCAL = REPOSITORY / "Pulumi.local.yaml"


def write_stack_file(folder: Path, changes: dict[str, Any], stack: str = "local", source: Path = LOCAL) -> Path:
    """Writes a copy of a stack's file with some settings changed; None removes one.

    Args:
        folder: Where to write it.
        changes: Values by path, such as `churn:platform.compute.workers`.
        stack: Name of the stack that the file is for.
        source: The file that is copied.
    """
    document = yaml.safe_load(source.read_text())
    for path, value in changes.items():
        *parents, last = path.split(".") if path.startswith("churn:") else [path]
        place = document["config"]
        for parent in parents:
            place = place[parent]
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def platform_of(stack_file: Path) -> Platform:
    """The section `platform` of a stack file."""
    platform = read_settings(stack_file).platform
    assert platform is not None
    return platform
