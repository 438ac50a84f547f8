"""Plan of all grants in Unity Catalog, merged by one pure function; `infra.layers.platform.grants` makes the grants.

No module of this package imports a provider SDK, so that a request or a change can be judged without one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from churn.core.faults import choices
from infra.access.securables import PRIVILEGES, Grant, Phase, Securable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Plan(dict[Securable, dict[str, tuple[str, ...]]]):
    """Privileges by principal, by securable; all in sorted order."""

    def part(self, phase: Phase) -> Plan:
        """The securables whose grants can be made in a phase."""
        return Plan({securable: holders for securable, holders in self.items() if securable.kind.phase is phase})


def merge(grants: Iterable[Grant], manager: str) -> Plan:
    """Merges the grants of roles, contracts and requests into one plan.

    Whoever holds anything may enter the catalog and schema on the way to it; SELECT on a schema alone opens no table.
    The manager keeps MANAGE on every securable that has it, since `Grants` takes away what it does not list.

    Args:
        grants: From every source, in any order.
        manager: The group that owns the platform; who runs Pulumi is a member.

    Raises:
        ValueError: A privilege does not exist on its securable. ALL_PRIVILEGES never stops differing: refused too.
    """
    merged: dict[Securable, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for grant in grants:
        if wrong := grant.privileges - PRIVILEGES[grant.securable.kind]:
            allowed = choices(PRIVILEGES[grant.securable.kind])
            raise ValueError(f"{grant.securable}: {grant.principal} is given {choices(wrong)}; allowed: {allowed}")
        if grant.privileges:
            merged[grant.securable][grant.principal] |= grant.privileges
    for securable in list(merged):
        if "MANAGE" in PRIVILEGES[securable.kind]:
            merged[securable][manager].add("MANAGE")
        for principal in list(merged[securable]):
            for container, privilege in securable.path():
                merged[container][principal].add(privilege)
                merged[container][manager].add("MANAGE")
    return Plan(
        {
            securable: {principal: tuple(sorted(held)) for principal, held in sorted(merged[securable].items())}
            for securable in sorted(merged)
        }
    )
