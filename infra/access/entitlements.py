"""Entitlements of groups: what their members may open in the workspace. Objects and data have rights of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.written.settings.groups import Groups


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
READING = Entitlement(workspace=False, sql=True)  # tables, marts and the dashboard
DELIVERING = Entitlement(workspace=True, sql=False)  # files are written by the API


def entitlement_of(group: str, groups: Groups) -> Entitlement:
    """What members of a group may open.

    Args:
        group: Display name of the group.
        groups: The stack's groups by what their members do.
    """
    if group == groups.analysts:
        return READING
    return DELIVERING if group in groups.deliverers.values() else USUAL
