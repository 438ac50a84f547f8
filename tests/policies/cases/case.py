"""The case of a rule: inputs that it stops, the text of the violation, and inputs that it lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policies.rule import PROVIDER

# Explicit providers by the variable that a case's options name; one is called almost like the engine's own.
PROVIDERS = {"provider": "workspace", "almost_default": "default-workspace"}


@dataclass(frozen=True)
class Case:
    """Data of one case; the tests run over all cases.

    Attributes:
        rule: Id of the rule.
        kind: Type of the resource.
        bad: Inputs that the rule stops.
        says: What the rule must say about them.
        good: Inputs that the rule lets pass.
        stack: Stack in which the rule applies.
        bad_options: Options of the resource that is stopped, written as in a program.
        good_options: Options of the resource that passes.
        good_kind: Type of the resource that passes, if it is another than `kind`.
    """

    rule: str
    kind: str
    bad: dict[str, Any]
    says: str
    good: dict[str, Any]
    stack: str = "dev"
    bad_options: str = "provider=provider"
    good_options: str = "provider=provider"
    good_kind: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{self.kind}"


def type_of(kind: str) -> str:
    """The type token of a kind, as the engine has it."""
    return kind if kind == PROVIDER else f"databricks:index/{kind[0].lower()}{kind[1:]}:{kind}"
