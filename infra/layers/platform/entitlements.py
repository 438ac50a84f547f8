"""Entitlements: what members of each group may open in the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.entitlements import entitlement_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.written.settings.groups import Groups


@dataclass(frozen=True)
class GroupEntitlementsArgs:
    """Inputs of `GroupEntitlements`.

    Attributes:
        groups: Id of each group in the workspace, by its display name; known once the group may enter.
        by_work: The stack's groups by what their members do.
    """

    groups: Mapping[str, pulumi.Output[str]]
    by_work: Groups


class GroupEntitlements(pulumi.ComponentResource):
    """Owns the entitlements of the groups that may enter.

    Everybody has those of Databricks' group `users` besides, which are not the platform's.
    """

    def __init__(self, name: str, args: GroupEntitlementsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the entitlements."""
        super().__init__("churn:platform:GroupEntitlements", name, None, opts)
        for group, identifier in args.groups.items():
            entitlement = entitlement_of(group, args.by_work)
            databricks.Entitlements(
                f"{group}-may-open",
                group_id=identifier,
                workspace_access=entitlement.workspace,
                databricks_sql_access=entitlement.sql,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"groups": sorted(args.groups)})
