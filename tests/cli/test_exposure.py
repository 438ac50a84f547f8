"""Tables that people may read while a deployment is interrupted: none may lack what protects it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.errors import CommandError
from cli.exposure import Exposure

TABLE = "churn_dev.silver.customer"


@dataclass
class Workspace:
    """As much of a workspace's client as is asked, with one table of one column."""

    policies_made: list[str] = field(default_factory=list)
    tagged: bool = False
    granted: bool = False

    @property
    def policies(self) -> Any:
        listed = [SimpleNamespace(name=name) for name in self.policies_made]
        return SimpleNamespace(list_policies=lambda *_: listed)

    @property
    def tables(self) -> Any:
        column = SimpleNamespace(columns=[SimpleNamespace(name="email")])
        in_silver = [SimpleNamespace(full_name=TABLE)]
        return SimpleNamespace(list=lambda _, schema: in_silver if schema == "silver" else [], get=lambda _: column)

    @property
    def grants(self) -> Any:
        select = SimpleNamespace(privileges=[SimpleNamespace(privilege=SimpleNamespace(value="SELECT"))])
        held = SimpleNamespace(privilege_assignments=[select] if self.granted else [])
        return SimpleNamespace(get_effective=lambda *_, **__: held)

    @property
    def entity_tag_assignments(self) -> Any:
        tags = [SimpleNamespace(tag_key="classification", tag_value="pii.email")] if self.tagged else []
        return SimpleNamespace(list=lambda *_: tags)


def exposure(workspace: Workspace) -> Exposure:
    return Exposure(cast("Any", workspace), "churn_dev", "churn-engineers")


def test_what_is_read_last_passes() -> None:
    workspace = Workspace()
    seen = exposure(workspace)
    for name, value in (("policies_made", ["mask_pii_email"]), ("tagged", True), ("granted", True)):
        seen.look()
        setattr(workspace, name, value)
    seen.look()
    assert seen.expect_no_less_than_at_the_end() == 1


@pytest.mark.parametrize(
    ("late", "value", "lacking"),
    [
        ("policies_made", ["mask_pii_email"], "policy mask_pii_email"),
        ("tagged", True, "tag classification=pii.email of email"),
    ],
)
def test_a_table_that_could_be_read_before_it_was_masked_is_named(late: str, value: Any, lacking: str) -> None:
    workspace = Workspace(granted=True)
    seen = exposure(workspace)
    seen.look()
    setattr(workspace, late, value)
    with pytest.raises(CommandError, match=rf"before they were protected: {TABLE}: {lacking}"):
        seen.expect_no_less_than_at_the_end()
