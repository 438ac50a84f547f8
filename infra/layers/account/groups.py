"""Groups of the account that no identity provider has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class GroupsArgs:
    """Inputs of `Groups`.

    Attributes:
        names: Display names of the groups.
        protect: Whether to refuse to destroy them: their members, whom others put there, would be lost.
    """

    names: Sequence[str]
    protect: bool


class Groups(pulumi.ComponentResource):
    """Owns groups of the account; their members are left to whoever manages people."""

    def __init__(self, name: str, args: GroupsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the groups."""
        super().__init__("churn:account:Groups", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        for group in args.names:
            databricks.Group(group, display_name=group, opts=child)
        self.register_outputs({"names": list(args.names)})
