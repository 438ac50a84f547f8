"""Checks of the tags by which the platform masks: the account has to govern them, with all values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.access.masks import GOVERNED
from infra.preflight.inspection import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.preflight.inspection import Inspection


def governed(inspection: Inspection) -> Iterator[Finding]:
    """Requires both tags with their values, unless the stack itself makes them."""
    policies = {policy.tag_key: policy.values or [] for policy in inspection.client.tag_policies.list_tag_policies()}
    for key, values in GOVERNED.items():
        what, there = f"governed tag {key}", {value.name for value in policies.get(key, [])}
        if there >= {*values}:
            yield Finding(what=what, received=f"allows {', '.join(values)}")
        elif inspection.settings.account:
            yield Finding(what=what, received="this stack makes it")
        else:
            received = ", ".join(sorted(there)) or "no values"
            yield Finding(
                what=what,
                received=received if key in policies else "not governed",
                allowed=f"a tag policy of the account with {', '.join(values)}, or columns would not be masked",
                remedy="deploy the stack `account` with churn:account.tags_workspace first",
            )


def assigning(_: Inspection) -> Iterator[Finding]:
    """Tells of a right that a workspace does not tell."""
    yield Finding(what="ASSIGN on governed tags", received="a workspace does not tell who has it", skipped=True)
