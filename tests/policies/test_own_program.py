"""The program of this repository, which keeps every rule in every stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import STACKS
from tests.policies.judging import RULES, judge

if TYPE_CHECKING:
    from tests.infra.program import Program, Registered


def provider(registered: Registered) -> str:
    """Logical name of a resource's provider, from `urn::id`; without one the engine takes its own."""
    return registered.provider.split("::")[-2] if registered.provider else "default"


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("rule", RULES)
def test_our_own_program_keeps_every_rule(programs: dict[str, Program], stack: str, rule: str) -> None:
    resources = programs[stack].resources
    assert any(registered.databricks for registered in resources)
    assert [
        violation
        for r in resources
        for violation in judge(rule, r.type, r.inputs, stack, name=r.name, protect=r.protect, provider=provider(r))
    ] == []
