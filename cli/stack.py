"""The Pulumi stack, driven through the real command line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.environment import process_environment
from cli.errors import CommandError
from cli.programs import run_logged
from cli.remedies import explained
from local.progress import console
from local.settings import REPOSITORY, LocalSettings

Report = Callable[[str], None]
REMEDY = "`.venv/bin/platform preview` shows the plan again"
PLATFORM = "churn:platform"
ENDPOINT = "endpoint"  # of AWS: a file for the real one has none
CHANGING = ("up", "destroy")  # commands that change what is deployed
GROUND_ALONE: Mapping[str, object] = {PLATFORM: None}  # the first step of a new environment
UNPROTECTED = {f"churn:{layer}.protect_data": False for layer in ("account", "ground", "platform")}


@dataclass(frozen=True)
class Stack:
    """One stack on this machine's own backend.

    Attributes:
        name: The stack's name.
        settings: The local cloud it is deployed to.
        replaced: Settings that have other values on this machine, such as `churn:platform.workspace.host`; those that
            the stack's file lacks are left out.
    """

    name: str
    settings: LocalSettings
    replaced: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def local(cls, settings: LocalSettings) -> Stack:
        """The stack that is deployed to the local cloud."""
        return cls("local", settings, addresses(settings))

    @property
    def source(self) -> Path:
        """The settings that people edit."""
        return REPOSITORY / f"Pulumi.{self.name}.yaml"

    @property
    def configuration(self) -> Path:
        """The settings of the last command, as the engine got them."""
        return self.settings.home / f"Pulumi.{self.name}.yaml"

    @property
    def interrupted(self) -> Path:
        """A file that is there from the start of a deployment until it has ended well, or was repaired."""
        return self.settings.home / f"{self.name}.interrupted"

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

    def up(self, report: Report, changes: Mapping[str, object] | None = None) -> str:
        """Deploys under the policy pack.

        Args:
            report: Called with each line of the engine's output.
            changes: Settings with other values than in the stack's file.

        Returns:
            What changed, in a line.
        """
        arguments = ["--yes", "--skip-preview", "--policy-pack", "policies"]
        return _changes(self._run("up", report, arguments, changes or {}))

    def unprotect(self, report: Report) -> str:
        """Switches protection off and deploys nothing else, so that a half-made stack can be destroyed too.

        Returns:
            What changed, in a line.
        """
        targets = [argument for resource in self.protected() for argument in ("--target", resource["urn"])]
        return _changes(self._run("up", report, ["--yes", "--skip-preview", *targets], UNPROTECTED))

    def preview(self, report: Report) -> str:
        """The engine's plan under the policy pack, differences in full."""
        return self._run("preview", report, ["--diff", "--policy-pack", "policies"], {})

    def creations(self, report: Report, changes: Mapping[str, object]) -> int:
        """Counts what a deployment would make.

        Args:
            report: Called with each line of the engine's output.
            changes: Settings with other values than in the stack's file.
        """
        planned = _changes(self._run("preview", report, [], changes))
        found = re.search(r"\+ (\d+) to create", planned)
        return int(found.group(1)) if found else 0

    def expect_no_changes(self, report: Report, changes: Mapping[str, object] | None = None) -> None:
        """Plans again, and reads what is deployed.

        Raises:
            CommandError: The plan has a change, or what is deployed differs from what the engine keeps.
        """
        self._run("preview", report, ["--refresh", "--expect-no-changes"], changes or {})

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
        output = self._run("destroy", report, ["--yes", "--skip-preview"], UNPROTECTED)
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

    def adopt(self, report: Report, mine: Sequence[str] = ()) -> None:
        """Takes what an interrupted deployment has made into the state, and its lock away.

        Args:
            report: Called with each line of the output.
            mine: Names of resources whose objects a person says are the stack's, where nothing else tells.

        Raises:
            CommandError: Somebody else has what the stack needs, or deploys it at this moment.
        """
        said = run_logged(
            [sys.executable, "-m", "infra.adoption", str(self.configuration), *(["--mine", *mine] if mine else [])],
            self.settings.logs / "adoption.log",
            report,
            environment=process_environment(self.settings),
            cwd=REPOSITORY,
        )
        console.print(said.rstrip(), markup=False, style="dim")
        self.interrupted.unlink(missing_ok=True)

    def _run(self, verb: str, report: Report, arguments: list[str], changes: Mapping[str, object]) -> str:
        configuration = self.write_configuration(changes)
        if verb not in CHANGING:
            return self._pulumi(verb, report, arguments, configuration)
        if self.interrupted.exists():
            self.adopt(report)
        self.interrupted.touch()
        output = self._pulumi(verb, report, arguments, configuration)
        self.interrupted.unlink()
        return output

    def _pulumi(self, verb: str, report: Report, arguments: list[str], configuration: Path) -> str:
        if not self.exists():
            # beside the copy: the engine writes the salt of a new stack's secrets into the file that it finds
            shutil.copy(REPOSITORY / "Pulumi.yaml", self.settings.home)
            self._quiet("stack", "init", "--non-interactive", "--cwd", str(self.settings.home))
        command = ["pulumi", verb, "--stack", self.name, "--config-file", str(configuration), "--non-interactive"]
        return run_logged(
            [*command, "--color", "never", "--suppress-outputs", *arguments],
            self.settings.logs / f"pulumi-{verb}.log",
            report,
            environment=process_environment(self.settings),
            cwd=REPOSITORY,
            remedy=lambda output: explained(output) or REMEDY,
        )

    def write_configuration(self, changes: Mapping[str, object]) -> Path:
        """Writes a copy of the stack's settings with this local cloud's addresses and the changes."""
        document = yaml.safe_load(self.source.read_text())
        for path, value in {**self.replaced, **changes}.items():
            _replace(document["config"], path, value)
        target = self.configuration
        if target.exists():
            document = _salt(target) | document
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


def addresses(settings: LocalSettings) -> dict[str, object]:
    """Addresses that a stack's settings have on the local cloud, by setting."""
    workspace = ("churn:account.console.host", "churn:account.tags_workspace", "churn:ground.workspace.console")
    return {
        **dict.fromkeys((*workspace, f"{PLATFORM}.workspace.host"), settings.workspace_url),
        "churn:ground.aws.endpoint": settings.aws_url,
    }


def _replace(layers: dict[str, Any], path: str, value: object) -> None:
    """Gives a setting another value, or removes it for None; one that a file has no section for is left out."""
    *parents, name = path.split(".")
    section: Any = layers
    for parent in parents:
        section = section.get(parent)
        if not isinstance(section, dict):
            return
    if value is None:
        section.pop(name, None)
    elif name in section or name == ENDPOINT:
        section[name] = value


def _salt(file: Path) -> dict[str, Any]:
    """The salt of a stack's secrets, which the engine has written into its copy of the settings."""
    return {key: value for key, value in yaml.safe_load(file.read_text()).items() if key == "encryptionsalt"}


def _changes(output: str) -> str:
    """The counts under `Resources:` in the output of an engine that has ended well.

    It may count an error all the same, where a plugin did not answer the request to end in time: nothing has failed.
    """
    _, _, counts = output.rpartition("Resources:")
    lines = [line.strip() for line in counts.splitlines()]
    return ", ".join(line for line in lines if line and line[0] in "~+-±0123456789" and "errored" not in line)
