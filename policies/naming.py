"""Names and providers: nothing is left to chance or to the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policies.rule import Violation, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource


def _explicit_name(resource: Resource) -> Iterator[Violation]:
    # The provider names what has no name by its logical name, a hyphen and seven random hexadecimal digits.
    generated = re.compile(re.escape(resource.name) + r"-[0-9a-f]{7}")
    for key in ("name", "displayName"):
        value = resource.inputs.get(key)
        if isinstance(value, str) and generated.fullmatch(value):
            yield Violation(key, value, f"give {key} explicitly, without a random suffix")


def _explicit_provider(resource: Resource) -> Iterator[Violation]:
    if resource.provider.startswith("default"):
        yield Violation(
            "provider",
            resource.provider,
            "pass the stack's provider (opts=ResourceOptions(provider=...) or a parent's providers); the default one "
            "takes its workspace from whatever profile or variable it finds",
        )


RULES = [
    rule("explicit-name", "Every name is written down; a random suffix is not a name.", _explicit_name),
    rule("explicit-provider", "Every Databricks resource says which workspace it goes to.", _explicit_provider),
]
