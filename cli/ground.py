"""The first step of an environment that makes its workspace: the ground alone, which gives the platform its host."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer
import yaml

from cli.errors import CommandError
from cli.programs import pulumi
from cli.remedies import passed_on
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

PLATFORM = "churn:platform"


def deploy_ground(stack: str, *, yes: bool) -> tuple[str, str]:
    """Deploys the ground of a stack whose platform is not deployed yet, by the `pulumi` and the backend of the shell.

    Args:
        stack: Name of the stack.
        yes: Whether to deploy the plan without asking.

    Returns:
        URL and number of the workspace that the ground has made.

    Raises:
        CommandError: The stack has no file, its ground makes no workspace, its platform is deployed, or `pulumi` fails.
    """
    source = REPOSITORY / f"Pulumi.{stack}.yaml"
    if not source.exists():
        raise CommandError(f"there is no {source.name}: write the settings of the new environment first")
    check_makes_workspace(source)
    with tempfile.TemporaryDirectory() as folder:
        # first, as the engine writes the key of a new stack's secrets into its file: the copy needs the same one
        pulumi("stack", "select", "--create", "--stack", stack)
        configuration = without_platform(source, Path(folder))
        check_no_platform(json.loads(pulumi("stack", "export", "--stack", stack)), stack)
        options = ["--stack", stack, "--config-file", str(configuration), "--policy-pack", "policies"]
        _shown(["pulumi", "preview", *options], stack)
        if not yes:
            typer.confirm(f"deploy the ground of {stack}?", abort=True)
        _shown(["pulumi", "up", "--yes", "--skip-preview", *options], stack)
    outputs = json.loads(pulumi("stack", "output", "--json", "--stack", stack))
    return outputs["workspace_host"], outputs["workspace_id"]


def _shown(command: Sequence[str], stack: str) -> None:
    """Runs the engine with its output on the screen.

    Raises:
        CommandError: It failed; the text has a remedy for each refusal that is known.
    """
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as engine:
        advice = passed_on(engine.stdout or ())
    if engine.returncode != 0:
        raise CommandError(
            f"pulumi {command[1]} of the ground of {stack} failed; the reason is above\n{advice}".rstrip()
        )


def without_platform(source: Path, folder: Path) -> Path:
    """Writes a copy of a stack's file without the section of the platform.

    Args:
        source: The stack's file.
        folder: Where the copy goes.

    Returns:
        The copy.
    """
    document = yaml.safe_load(source.read_text())
    document["config"].pop(PLATFORM, None)
    copy = folder / source.name
    copy.write_text(yaml.safe_dump(document, sort_keys=False))
    return copy


def check_makes_workspace(source: Path) -> None:
    """Refuses a stack without a first step.

    Args:
        source: The stack's file.

    Raises:
        CommandError: The file has no ground that makes a workspace.
    """
    if "workspace" not in yaml.safe_load(source.read_text())["config"].get("churn:ground", {}):
        raise CommandError(
            f"{source.name} has no churn:ground.workspace, so that there is nothing to make first: run `pulumi up`, or "
            "add workspace"
        )


def check_no_platform(export: dict[str, object], stack: str) -> None:
    """Refuses a stack whose platform is deployed: without its section, the engine would destroy the platform.

    Args:
        export: The stack's deployment, as `pulumi stack export` prints it.
        stack: Name of the stack, for the message.

    Raises:
        CommandError: It is deployed.
    """
    if f'"{PLATFORM}:' in json.dumps(export):
        raise CommandError(
            f"the platform of {stack} is deployed: run `pulumi up --stack {stack}`, which has both layers"
        )
