"""Governed tags of the account: which tags say something, and the values that they may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class GovernedTag:
    """A tag whose values are fixed.

    Attributes:
        key: The tag.
        description: What it says.
        values: Values that it may have.
    """

    key: str
    description: str
    values: Sequence[str]


class TagPolicies(pulumi.ComponentResource):
    """Owns the policies of governed tags, made one after the other: Databricks refuses two changes at once."""

    def __init__(self, name: str, tags: Sequence[GovernedTag], opts: pulumi.ResourceOptions) -> None:
        """Declares the policies."""
        super().__init__("churn:account:TagPolicies", name, None, opts)
        before: list[pulumi.Resource] = []
        for tag in tags:
            policy = databricks.TagPolicy(
                f"{tag.key}-tag",
                tag_key=tag.key,
                description=tag.description,
                values=[{"name": value} for value in tag.values],
                opts=pulumi.ResourceOptions(parent=self, depends_on=before),
            )
            before = [policy]
        self.register_outputs({"keys": [tag.key for tag in tags]})
