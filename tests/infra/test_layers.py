"""Layers of the program: what each owns by the table in the documents, and which rights it needs."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.written.paths import REPOSITORY
from tests.infra.conftest import STACKS

if TYPE_CHECKING:
    from tests.infra.program import Program, Registered

LAYERS = ("account", "ground", "platform")
ROW = re.compile(r"^\| `(account|ground|platform)` \|(?P<classes>[^|]*)\|", re.MULTILINE)


def table() -> dict[str, set[str]]:
    """The resource classes of each layer in the table of docs/architecture.md."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    return {row[1]: set(re.findall(r"`(\w+)`", row["classes"])) for row in ROW.finditer(text)}


def layers(program: Program) -> dict[str, list[Registered]]:
    """The resources of each layer, which the type of the component around them names.

    Providers and references to other stacks have no component: they are no objects of a layer.
    """
    components = {r.urn: r.type.split(":")[1] for r in program.resources if r.type.startswith("churn:")}
    found = defaultdict(list)
    for resource in program.resources:
        if resource.custom and not resource.type.startswith("pulumi:"):
            found[components[resource.parent]].append(resource)
    return found


def class_name(resource: Registered) -> str:
    return resource.type.rsplit(":", 1)[-1]


def uses_of_the_account(program: Program) -> set[str]:
    """Layers with a resource that goes through a provider of the account's API."""
    return {
        layer
        for layer, resources in layers(program).items()
        if any("::account::" in r.provider or "::account-of-workspace::" in r.provider for r in resources)
    }


def test_the_documents_say_what_each_layer_owns(
    programs: dict[str, Program], whole_account: Program, private_ground: Program, linked: Program
) -> None:
    owned: dict[str, set[str]] = {layer: set() for layer in LAYERS}
    for program in (*programs.values(), whole_account, private_ground, linked):
        for layer, resources in layers(program).items():
            owned[layer] |= {class_name(resource) for resource in resources}
    assert owned == table()


@pytest.mark.parametrize(
    ("stack", "its_layers"),
    [
        ("account", {"account"}),
        ("dev", {"ground", "platform"}),
        ("prod", {"ground", "platform"}),
        ("local", {"account", "ground", "platform"}),
    ],
)
def test_a_stack_has_the_layers_of_its_file(programs: dict[str, Program], stack: str, its_layers: set[str]) -> None:
    assert set(layers(programs[stack])) == its_layers


@pytest.mark.parametrize("stack", STACKS)
def test_the_platform_never_needs_the_rights_of_the_account(programs: dict[str, Program], stack: str) -> None:
    program = programs[stack]
    # prod's ground makes a workspace, which only the account can.
    needed = {"account": {"account"}, "prod": {"ground"}}.get(stack, set())
    assert uses_of_the_account(program) == needed
    assert not any("::account" in call.provider for call in program.calls) or needed
    of_the_account = [r for r in program.resources if class_name(r).startswith("Mws")]
    assert not of_the_account or needed


def test_a_use_of_the_account_would_be_seen(programs: dict[str, Program]) -> None:
    dev = programs["dev"]
    grants = next(iter(dev.of("Grants").values()))
    moved = replace(grants, provider="urn:pulumi:dev::churn::pulumi:providers:databricks::account::account-id")
    assert uses_of_the_account(replace(dev, resources=[*dev.resources, moved])) == {"platform"}
