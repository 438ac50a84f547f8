"""The time of `pulumi preview` of the deployed stack, over that of a preview of as many empty components."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli.environment import process_environment
from cli.errors import CommandError
from cli.stack import Stack
from local import supervisor
from local.settings import REPOSITORY, LocalSettings

RUNS = 5
PROJECT = """\
name: empty
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {virtualenv}
"""
EMPTY = """\
import pulumi

for number in range({count}):
    pulumi.ComponentResource("bench:index:Empty", f"empty-{{number}}")
"""


def of_running_platform() -> Iterator[tuple[str, str]]:
    """`pulumi preview` of the platform that `make up` has brought up (part of `cached` too)."""
    settings = LocalSettings.load()
    if not supervisor.running(settings):
        raise CommandError("the preview is measured on a platform that is up: `make up` first")
    yield from measure(Stack.local(settings))


def measure(stack: Stack) -> Iterator[tuple[str, str]]:
    """Times both previews in turn, and yields the median of the ratios with both medians in seconds.

    Args:
        stack: A stack that is deployed.
    """
    environment = process_environment(stack.settings)
    count = len(stack.resources())
    configuration = str(stack.write_configuration({}))
    real = ["pulumi", "preview", "--stack", stack.name, "--config-file", configuration, "--non-interactive"]
    with tempfile.TemporaryDirectory(prefix="churn-empty-") as folder:
        Path(folder, "Pulumi.yaml").write_text(PROJECT.format(virtualenv=REPOSITORY / ".venv"))
        Path(folder, "__main__.py").write_text(EMPTY.format(count=count))
        environment_of_empty = environment | {"PULUMI_BACKEND_URL": f"file://{folder}"}
        subprocess.run(
            ["pulumi", "stack", "init", "empty"], cwd=folder, env=environment_of_empty, check=True, capture_output=True
        )
        empty = ["pulumi", "preview", "--stack", "empty", "--non-interactive"]
        pairs = []
        for _ in range(RUNS):  # in turn, so that a machine with changing speed favours neither
            ours = _seconds(real, REPOSITORY, environment)
            pairs.append((ours, _seconds(empty, Path(folder), environment_of_empty)))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield (
        f"`pulumi preview` of `{stack.name}`, {count} resources, over {count} empty components",
        f"{ratio:.1f} x ({ours:.1f} s, {theirs:.1f} s)",
    )


def _seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    start = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.monotonic() - start
