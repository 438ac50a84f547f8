"""Entitlements of groups: what their members may open in the workspace. Objects and data have rights of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.access.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Entitlement:
    """What members of a group may open.

    Attributes:
        workspace: Notebooks, jobs, pipelines, models, and the API for them.
        sql: SQL warehouses, queries and dashboards.
    """

    workspace: bool
    sql: bool


# Other groups, those of teams among them, work with code as well as with SQL. None may make clusters of its own.
USUAL = Entitlement(workspace=True, sql=True)
ENTITLEMENTS: Mapping[Role, Entitlement] = {
    Role.ANALYSTS: Entitlement(workspace=False, sql=True),  # they read marts and the dashboard
    Role.DELIVERERS: Entitlement(workspace=True, sql=False),  # they write files by the API
}


def entitlement_of(group: str, names: Mapping[Role, str]) -> Entitlement:
    """What members of a group may open.

    Args:
        group: Display name of the group.
        names: Name of each role's principal.
    """
    held = [entitlement for role, entitlement in ENTITLEMENTS.items() if names.get(role) == group]
    return held[0] if held else USUAL
