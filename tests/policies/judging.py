"""Calls of a rule, as the analyzer calls it."""

from __future__ import annotations

from typing import Any

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import unknown_checking_proxy

from policies import access, compute, credentials, data, jobs, naming, serving
from tests.policies.cases.case import PROVIDERS, type_of

RULES: dict[str, ResourceValidationPolicy] = {
    rule.name: rule for module in (access, compute, credentials, data, jobs, naming, serving) for rule in module.RULES
}


def judge(
    rule: str,
    type_: str,
    inputs: Any,
    stack: str,
    *,
    name: str = "subject",
    protect: bool = False,
    provider: str = "workspace",
) -> list[str]:
    """Applies a rule to one resource.

    Args:
        rule: Id of the rule.
        type_: Type of the resource, such as `databricks:index/job:Job`.
        inputs: Inputs of the resource in the engine's form.
        stack: Name of the stack.
        name: Logical name.
        protect: Whether the resource is protected.
        provider: Logical name of the resource's provider.

    Returns:
        The text of each violation.
    """
    texts: list[str] = []
    args = ResourceValidationArgs(
        resource_type=type_,
        props=unknown_checking_proxy(inputs),
        urn=f"urn:pulumi:{stack}::churn::{type_}::{name}",
        name=name,
        opts=PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), []),
        provider=PolicyProviderResource("pulumi:providers:databricks", {}, "", provider),
    )

    def report(message: str, _urn: str | None = None) -> None:
        texts.append(message)

    RULES[rule].validate(args, report)
    return texts


def violations(rule: str, kind: str, inputs: Any, stack: str, options: str) -> list[str]:
    """Applies a rule to one resource, with options written as in a program."""
    variable = options.partition("provider=")[2].partition(",")[0]
    provider = PROVIDERS.get(variable, "default_1_104_0")
    return judge(rule, type_of(kind), inputs, stack, protect="protect=True" in options, provider=provider)
