"""Groups of the account: those that no identity provider has made, and a look at those that one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pulumi
import pulumi_databricks as databricks

from infra.layers.account_principals import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class GroupsArgs:
    """Inputs of `Groups`.

    Attributes:
        names: Display names of the groups to make.
        existing: Display names of the groups that must be there.
        members: User names and application ids by group that is made, such as deployers; people are left to others.
        api: `account` for the account's own API; None for that of a workspace, which keeps groups itself.
        protect: Whether to refuse to destroy them: their members, whom others put there, would be lost.
    """

    names: Sequence[str]
    existing: Sequence[str]
    members: Mapping[str, Sequence[str]]
    api: Literal["account"] | None
    protect: bool


class Groups(pulumi.ComponentResource):
    """Owns groups of the account and the members that settings name; others are left to whoever manages people.

    A group that must be there is looked up, so that a missing one stops the deployment and its preview.

    Attributes:
        existing_ids: Id of each existing group, by its name.
    """

    existing_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: GroupsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the groups."""
        super().__init__("churn:account:Groups", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        groups = {group: databricks.Group(group, api=args.api, display_name=group, opts=child) for group in args.names}
        found = pulumi.InvokeOutputOptions(parent=self)
        for group, members in args.members.items():
            for member in members:
                databricks.GroupMember(
                    f"{group}-{member}",
                    api=args.api,
                    group_id=groups[group].id,
                    member_id=id_of(member, found),
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.existing_ids = {
            group: databricks.get_group_output(display_name=group, opts=found).id for group in args.existing
        }
        self.register_outputs({"names": list(args.names), "existing_ids": self.existing_ids})
