"""Names and providers, written down instead of left to chance or to the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policies.rule import PROVIDER, Violation, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

# The engine adds the plugin's version, and its server if that is not the usual one.
DEFAULT_PROVIDER = re.compile(r"default(?:_(?:\d+_\d+_\d+|https?_|github_|gitlab_).*)?")
NOT_NAMED_BY_PROVIDER = {"Cluster": "clusterName"}
ANY_WORKSPACE = "takes its workspace from whatever profile or variable it finds"


def _explicit_name(resource: Resource) -> Iterator[Violation]:
    # To a resource without a name the provider gives its logical name, a hyphen and seven random hexadecimal digits.
    generated = re.compile(re.escape(resource.name) + r"-[0-9a-f]{7}")
    for key in ("name", "displayName"):
        value = resource.inputs.get(key)
        if isinstance(value, str) and generated.fullmatch(value):
            yield Violation(key, value, f"give {key} explicitly, without a random suffix")
    if (key := NOT_NAMED_BY_PROVIDER.get(resource.kind, "")) and not resource.inputs.get(key):
        yield Violation(key, resource.inputs.get(key), f"give {key} explicitly")


def _is_default(provider: str) -> bool:
    """Whether the engine made the provider itself, for resources without one."""
    return bool(DEFAULT_PROVIDER.fullmatch(provider))


def _explicit_provider(resource: Resource) -> Iterator[Violation]:
    if resource.kind == PROVIDER:
        host = resource.inputs.get("host")
        if not host and not _is_default(resource.name):  # a default provider is judged at the resources that use it
            yield Violation("host", host, f"write down the address, or the provider {ANY_WORKSPACE}")
    elif _is_default(resource.provider):
        yield Violation(
            "provider",
            resource.provider,
            "pass the stack's provider (opts=ResourceOptions(provider=...) or a parent's providers), or the default "
            f"one {ANY_WORKSPACE}",
        )


RULES = [
    rule("explicit-name", "Every name is written down, without a random suffix.", _explicit_name),
    rule(
        "explicit-provider", "Every resource has a provider that says which workspace it goes to.", _explicit_provider
    ),
]
