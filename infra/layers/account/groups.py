"""Groups of the account: those that no identity provider has made, and a look at those that one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence

ENTITLEMENTS = ["workspace_access", "databricks_sql_access"]


@dataclass(frozen=True)
class GroupsArgs:
    """Inputs of `Groups`.

    Attributes:
        names: Display names of the groups to make.
        existing: Display names of the groups that must be there.
        api: `account` for the account's own API; None for that of a workspace, which keeps groups itself.
        protect: Whether to refuse to destroy them: their members, whom others put there, would be lost.
    """

    names: Sequence[str]
    existing: Sequence[str]
    api: Literal["account"] | None
    protect: bool


class Groups(pulumi.ComponentResource):
    """Owns groups of the account; their members are left to whoever manages people.

    A group that must be there is looked up, so that a missing one stops the deployment and its preview.

    Attributes:
        existing_ids: Id of each existing group, by its name.
    """

    existing_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: GroupsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the groups."""
        super().__init__("churn:account:Groups", name, None, opts)
        # What members may open is said by each platform, in its workspace.
        child = pulumi.ResourceOptions(parent=self, protect=args.protect, ignore_changes=ENTITLEMENTS)
        for group in args.names:
            databricks.Group(group, api=args.api, display_name=group, opts=child)
        found = pulumi.InvokeOutputOptions(parent=self)
        self.existing_ids = {
            group: databricks.get_group_output(display_name=group, opts=found).id for group in args.existing
        }
        self.register_outputs({"names": list(args.names), "existing_ids": self.existing_ids})
