"""A resource that waits until tags are in effect: Databricks says that a new tag may take minutes.

Until then a policy does not find the column, so nobody gets a right to read it before. The service tells nobody whether
a tag is in effect for others, so the wait is by the clock.
https://docs.databricks.com/aws/en/data-governance/unity-catalog/abac/requirements
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


@dataclass(frozen=True)
class TagsInEffectArgs:
    """Inputs of `TagsInEffect`.

    Attributes:
        places: Each tagged column with its class; another list asks for another wait.
        minutes: Minutes to wait.
    """

    places: str
    minutes: float


class TagsInEffectProvider(ResourceProvider):
    """Provider whose resources are waits: to create one is to wait."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Waits for the minutes."""
        time.sleep(60 * float(props["minutes"]))
        return CreateResult("tags-in-effect", props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another wait when a place or a class has changed."""
        changed = [name for name in ("places", "minutes") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(changed), replaces=[name for name in changed if name == "places"])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another number of minutes."""
        return UpdateResult(news)


class TagsInEffect(Resource, module="churn", name="TagsInEffect"):
    """Tags that policies find. Deleting the resource does nothing."""

    def __init__(self, name: str, args: TagsInEffectArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the wait."""
        super().__init__(TagsInEffectProvider(), name, {**vars(args)}, opts)
