"""The Pulumi stack, driven through the real command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.environment import process_environment
from cli.errors import CommandError
from cli.programs import run_logged
from local.settings import REPOSITORY, LocalSettings

Report = Callable[[str], None]
REMEDY = "`.venv/bin/platform preview` shows the plan again"


@dataclass(frozen=True)
class Stack:
    """One stack on this machine's own backend.

    Attributes:
        name: The stack's name.
        settings: The local cloud it is deployed to.
    """

    name: str
    settings: LocalSettings

    @classmethod
    def local(cls, settings: LocalSettings) -> Stack:
        """The stack that is deployed to the local cloud."""
        return cls("local", settings)

    @property
    def source(self) -> Path:
        """The settings that people edit."""
        return REPOSITORY / f"Pulumi.{self.name}.yaml"

    def check_settings(self) -> None:
        """Checks the stack's settings without the engine.

        Raises:
            CommandError: With every fault of the file.
        """
        checked = subprocess.run(
            [sys.executable, "-m", "infra.check", str(self.source)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode != 0:
            raise CommandError((checked.stderr or checked.stdout).strip())

    def exists(self) -> bool:
        """Whether the stack was made on this machine's backend."""
        folder = self.settings.home / "pulumi" / "state" / ".pulumi" / "stacks"
        return any(folder.rglob(f"{self.name}.json"))

    def up(self, report: Report) -> str:
        """Deploys under the policy pack.

        Args:
            report: Called with each line of the engine's output.

        Returns:
            What changed, in a line.
        """
        return _changes(self._run("up", report, ["--yes", "--skip-preview", "--policy-pack", "policies"], {}))

    def unprotect(self, report: Report) -> str:
        """Switches protection off and deploys nothing else, so that a half-made stack can be destroyed too.

        Returns:
            What changed, in a line.
        """
        targets = [argument for resource in self.protected() for argument in ("--target", resource["urn"])]
        return _changes(self._run("up", report, ["--yes", "--skip-preview", *targets], {"protect_data": False}))

    def preview(self, report: Report) -> str:
        """The engine's plan under the policy pack, differences in full."""
        return self._run("preview", report, ["--diff", "--policy-pack", "policies"], {})

    def expect_refused_destroy(self, report: Report) -> str:
        """Tries to destroy while something is protected, and expects the refusal.

        Returns:
            The refusal.

        Raises:
            CommandError: It was not refused, or failed for another reason.
        """
        try:
            self._run("destroy", report, ["--yes"], {})
        except CommandError as error:
            refusal = re.search(r"(\S+)?[^\n]*(?:cannot be deleted|marked for protection)[^\n]*", str(error))
            if refusal is None:
                raise
            return refusal.group(0).strip()
        raise CommandError("destroy was not refused though resources were protected: this is a fault, please report it")

    def destroy(self, report: Report) -> str:
        """Removes every resource and the stack itself."""
        output = self._run("destroy", report, ["--yes", "--skip-preview"], {"protect_data": False})
        # without this option the settings that people edit would be deleted with the stack
        self._quiet("stack", "rm", "--yes", "--preserve-config")
        return _changes(output)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs.

        Raises:
            CommandError: The stack is not deployed.
        """
        if not self.exists():
            raise CommandError(f"the stack {self.name!r} is not deployed on this machine: `platform up` deploys it")
        shown = self._quiet("stack", "output", "--json")
        outputs: dict[str, Any] = json.loads(shown)
        return outputs

    def protected(self) -> list[dict[str, Any]]:
        """The deployed resources that are protected against being destroyed."""
        return [resource for resource in self.resources() if resource.get("protect")]

    def resources(self) -> list[dict[str, Any]]:
        """The deployed resources as the engine keeps them."""
        deployment = json.loads(self._quiet("stack", "export"))["deployment"]
        return list(deployment.get("resources") or [])

    def _run(self, verb: str, report: Report, arguments: list[str], overrides: Mapping[str, object]) -> str:
        configuration = self.write_configuration(overrides)
        if not self.exists():
            self._quiet("stack", "init", "--non-interactive")
        command = ["pulumi", verb, "--stack", self.name, "--config-file", str(configuration), "--non-interactive"]
        return run_logged(
            [*command, "--color", "never", "--suppress-outputs", *arguments],
            self.settings.logs / f"pulumi-{verb}.log",
            report,
            environment=process_environment(self.settings),
            cwd=REPOSITORY,
            remedy=REMEDY,
        )

    def write_configuration(self, overrides: Mapping[str, object]) -> Path:
        """Writes a copy of the stack's settings with this local cloud's address and the overrides."""
        document = yaml.safe_load(self.source.read_text())
        layers = document["config"]
        layers["churn:platform"]["workspace"]["host"] = self.settings.workspace_url
        for key, value in overrides.items():
            for layer in layers.values():
                if key in layer:
                    layer[key] = value
        target = self.settings.home / f"Pulumi.{self.name}.yaml"
        target.write_text(yaml.safe_dump(document, sort_keys=False))
        return target

    def _quiet(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", self.name],
            env=process_environment(self.settings),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CommandError(f"pulumi {' '.join(arguments)} failed:\n{done.stderr.strip()}")
        return done.stdout


def _changes(output: str) -> str:
    """The counts under `Resources:` in the engine's output."""
    _, _, counts = output.rpartition("Resources:")
    lines = [line.strip() for line in counts.splitlines()]
    return ", ".join(line for line in lines if line and line[0] in "~+-±0123456789")
