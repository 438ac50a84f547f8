"""Files `Pulumi.<stack>.yaml`: the stacks that there are, and their settings.

`read_settings` reads a file before the engine starts, `settings_in_program` what the engine hands to the program; the
model and the rules are the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from churn.core.faults import Fault, FaultsError, choices, shown
from churn.core.field_faults import examine
from churn.core.files import Document, read_document
from infra.written.paths import REPOSITORY
from infra.written.settings.rules import broken_rules
from infra.written.settings.stack import Layers, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMESPACE = "churn:"
PLATFORM = f"{NAMESPACE}platform"
# What the Pulumi CLI itself keeps in a stack file.
ENGINE_KEYS = frozenset({"config", "encryptionsalt", "encryptedkey", "environment", "secretsprovider"})
STACK_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def stack_files(folder: Path) -> list[Path]:
    """The files `Pulumi.<stack>.yaml`, and those that end in `.yml`, which Pulumi takes too."""
    return sorted([*folder.glob("Pulumi.*.yaml"), *folder.glob("Pulumi.*.yml")])


def stack_names(folder: Path = REPOSITORY) -> frozenset[str]:
    """The stacks that have a file."""
    return frozenset(path.stem.removeprefix("Pulumi.") for path in stack_files(folder))


def platform_stacks(folder: Path = REPOSITORY) -> frozenset[str]:
    """The stacks whose files have the layer of the platform, and those whose files cannot be read."""
    names = set()
    for path in stack_files(folder):
        try:
            values = _config(read_document(path, path.name)).values
        except FaultsError:  # reported when that stack is checked
            values = {PLATFORM: {}}
        if PLATFORM in values:
            names.add(path.stem.removeprefix("Pulumi."))
    return frozenset(names)


def read_settings(stack_file: Path) -> Settings:
    """The settings of a stack file, read without the engine.

    Raises:
        FaultsError: With every fault of the file.
    """
    file = stack_file.name
    match = re.fullmatch(r"Pulumi\.(.+)\.ya?ml", file)
    if not match:
        fault = Fault(
            file=file, received=f"the file name {file!r}", allowed="Pulumi.<stack>.yaml", remedy="rename the file"
        )
        raise FaultsError([fault])
    document = read_document(stack_file, file)
    faults = []
    for key in document.values.keys() - ENGINE_KEYS:
        received, remedy = f"the unknown name {key!r}", f"move {key} below config"
        faults.append(document.fault((key,), received=received, allowed=choices(ENGINE_KEYS), remedy=remedy))
    return _settings(match[1], _config(document), faults)


def settings_in_program(stack: str, config: dict[str, str], folder: Path = REPOSITORY) -> Settings:
    """The settings inside the program, from the engine's configuration, where every value is text.

    Args:
        stack: Name of the stack.
        config: Values by their names with namespace.
        folder: Where the stack's file lies, which has the lines for messages; without it there are none.

    Raises:
        FaultsError: With every fault.
    """
    values = {key: _decoded(text) for key, text in config.items()}
    for path in stack_files(folder):
        if path.stem == f"Pulumi.{stack}":
            return _settings(stack, replace(_config(read_document(path, path.name)), values=values))
    return _settings(stack, Document(f"Pulumi.{stack}.yaml", values, {}))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _config(document: Document) -> Document:
    """The part of a stack file below `config`."""
    values = document.values.get("config") or {}
    if not isinstance(values, dict):
        fault = document.fault(
            ("config",), received=shown(values), allowed="a mapping of names to values", remedy="write name: value"
        )
        raise FaultsError([fault])
    lines = {place[1:]: line for place, line in document.lines.items() if place[:1] == ("config",)}
    return Document(document.file, values, lines)


def _settings(stack: str, config: Document, faults: Sequence[Fault] = ()) -> Settings:
    """The settings in a stack's configuration, checked as a whole.

    Args:
        stack: Name of the stack.
        config: The configuration, by names with namespace.
        faults: Found in the stack's file before.

    Raises:
        FaultsError: With those and every fault of the configuration.
    """
    faults = [*faults]
    if not STACK_NAME.fullmatch(stack):
        received, remedy = f"the stack name {stack!r}", "rename the file and the stack"
        allowed = "a lower-case letter, then lower-case letters, digits and single underscores"
        faults.append(Fault(file=config.file, received=received, allowed=allowed, remedy=remedy))
    for key in config.values:
        if not key.startswith((NAMESPACE, "pulumi:")):
            received, allowed = f"the unknown name {key!r}", f"names that begin with {NAMESPACE}"
            faults.append(config.fault((key,), received=received, allowed=allowed, remedy=f"remove {key}"))
    ours = {key: value for key, value in config.values.items() if key.startswith(NAMESPACE)}
    layers, config, wrong = examine(Layers, replace(config, values=ours))
    faults += wrong
    if layers is None:
        raise FaultsError(faults)
    settings = Settings.of(stack, layers)
    for broken in broken_rules(settings):
        received = shown(broken.received)
        faults.append(config.fault(broken.place, received=received, allowed=broken.allowed, remedy=broken.remedy))
    if faults:
        raise FaultsError(faults)
    return settings
