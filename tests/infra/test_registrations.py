"""The end of the program: it waits for every resource, and leaves what fails to the SDK."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from infra.registrations import Registrations
from tests.infra import program


class Thing(pulumi.CustomResource):
    """A resource of no provider."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Thing", name, {}, opts)


def test_it_waits_for_resources_that_wait_for_others() -> None:
    seen: list[str] = []

    async def body() -> None:
        registrations = Registrations()
        pulumi.runtime.register_stack_transformation(registrations.note)
        first = Thing("first")
        last = Thing("last", pulumi.ResourceOptions(depends_on=[Thing("second", pulumi.ResourceOptions(parent=first))]))
        last.urn.apply(seen.append)
        await registrations.ended()
        seen.append("ended")

    program.record("local", {}, body)

    assert len(seen) == 2
    assert seen[0].endswith("::last")


def test_a_failed_registration_is_shown_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise ValueError("refused")

    ended: list[bool] = []

    async def body() -> None:
        registrations = Registrations()
        pulumi.runtime.register_stack_transformation(registrations.note)
        Thing("last", pulumi.ResourceOptions(depends_on=[Thing("first")]))
        await registrations.ended()
        ended.append(True)

    monkeypatch.setattr(program._Mocks, "new_resource", refused)
    with pytest.raises(ValueError, match="refused"):
        program.record("local", {}, body)
    assert ended
