"""Reads the settings of a stack out of `Pulumi.<stack>.yaml`.

Checked before the engine starts by `check` (or `python -m infra.written.stacks local`, with what the stack deploys)
and again inside the program by `load`, with the same model. Nothing here imports a provider SDK: they cost seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.written.faults import Fault, FaultsError, choices, read_mapping, shown, validate
from infra.written.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACE = "churn:"
# What the Pulumi CLI itself keeps in a stack file.
ENGINE_KEYS = frozenset({"config", "encryptionsalt", "encryptedkey", "environment", "secretsprovider"})
STACK_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def parse(stack: str, config: dict[str, Any], file: str) -> Settings:
    """Settings from a stack's configuration, keys with their namespace.

    Raises:
        FaultsError: With every fault.
    """
    faults = [
        Fault(file, key, f"the unknown name {key!r}", f"names that begin with {NAMESPACE}", f"remove {key}")
        for key in config
        if not key.startswith((NAMESPACE, "pulumi:"))
    ]
    if not STACK_NAME.fullmatch(stack):
        allowed = "a lower-case letter, then lower-case letters, digits and single underscores"
        faults.append(Fault(file, "", f"the stack name {stack!r}", allowed, "rename the file and the stack"))
    values = {key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)}
    if "stack" in values:
        remedy = f"remove {NAMESPACE}stack: the file's name says it"
        faults.append(Fault(file, f"{NAMESPACE}stack", shown(values.pop("stack")), "no value", remedy))
    try:
        settings = validate(Settings, {**values, "stack": stack}, file, NAMESPACE)
    except FaultsError as error:
        raise FaultsError([*faults, *error.faults]) from None
    if faults:
        raise FaultsError(faults)
    return settings


def check(stack_file: Path) -> Settings:
    """Settings of a stack file `Pulumi.<stack>.yaml`, read without the engine, beside those of the other stacks.

    Raises:
        FaultsError: With every fault of the file.
    """
    settings = _read(stack_file)
    mine = settings.account
    if not (mine.own and mine.console):
        return settings
    for path in stack_files(stack_file.parent):
        if path.name == stack_file.name:
            continue
        try:
            other = _read(path).account
        except FaultsError:  # which is told when that stack is checked
            continue
        if other.own and other.console and other.console.account_id == mine.console.account_id:
            field, allowed = f"{NAMESPACE}account.own", f"false, since {path.name} owns the groups of the same account"
            raise FaultsError([Fault(stack_file.name, field, "true", allowed, "set it to false in one of the two")])
    return settings


def _read(stack_file: Path) -> Settings:
    """The settings of one file by itself."""
    file = stack_file.name
    match = re.fullmatch(r"Pulumi\.(.+)\.ya?ml", file)
    if not match:
        raise FaultsError([Fault(file, "", f"the file name {file!r}", "Pulumi.<stack>.yaml", "rename the file")])
    document = read_mapping(stack_file, file)
    unknown = [key for key in document if key not in ENGINE_KEYS]
    if unknown:
        raise FaultsError(
            [
                Fault(file, key, f"the unknown name {key!r}", choices(ENGINE_KEYS), f"move {key} below config")
                for key in unknown
            ]
        )
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise FaultsError([Fault(file, "config", str(config), "a mapping of names to values", "write name: value")])
    return parse(match[1], config, file)


def stack_files(folder: Path) -> list[Path]:
    """The files `Pulumi.<stack>.yaml`, and those that end in `.yml`, which Pulumi takes too."""
    return sorted([*folder.glob("Pulumi.*.yaml"), *folder.glob("Pulumi.*.yml")])


def stack_names(folder: Path = REPOSITORY) -> frozenset[str]:
    """The stacks that have a file."""
    return frozenset(path.stem.removeprefix("Pulumi.") for path in stack_files(folder))


def load(stack: str, config: dict[str, str]) -> Settings:
    """Settings inside the program, from the engine's configuration, where every value is text.

    Raises:
        FaultsError: With every fault.
    """
    return parse(stack, {key: _decoded(text) for key, text in config.items()}, f"Pulumi.{stack}.yaml")


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def main(arguments: list[str]) -> None:
    """Checks stacks with what they deploy, and prints their settings."""
    # Late, since they read settings themselves.
    from infra.access.plan import plan_access
    from infra.written.contracts import read_contracts
    from infra.written.requests import read_requests

    parser = argparse.ArgumentParser(
        "python -m infra.written.stacks",
        description="Checks the settings of stacks, and the contracts and requests that they deploy.",
    )
    parser.add_argument("stacks", nargs="*", help="names of stacks, or paths of their files; default: all")
    for stack in parser.parse_args(arguments).stacks or sorted(stack_names()):
        path = Path(stack)
        file = path if path.suffix in (".yaml", ".yml") else REPOSITORY / f"Pulumi.{stack}.yaml"
        try:
            settings = check(file)
            plan_access(settings, read_contracts(settings.group_names), read_requests(settings))
        except FaultsError as error:
            sys.exit(str(error))
        print(settings.model_dump_json(indent=2))
    # The wheel's own reader, as a program: nothing of the workloads is imported here.
    read = subprocess.run(
        [sys.executable, "-m", "churn.core.contract"], cwd=REPOSITORY / "workloads" / "src", check=False
    )
    if read.returncode:
        sys.exit(read.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
