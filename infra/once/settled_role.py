"""A resource that waits until a new IAM role is known to all services of AWS.

IAM answers for a new role at once; the service that a role is assumed by may refuse it for some time. AWS tells nobody
when that ends, so the wait is by the clock.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes that are not always immediately visible)
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


@dataclass(frozen=True)
class SettledRoleArgs:
    """Inputs of `SettledRole`.

    Attributes:
        arn: ARN of the role.
        unique_id: What tells the role from an earlier one of its name.
        seconds: Seconds to wait.
    """

    arn: pulumi.Input[str]
    unique_id: pulumi.Input[str]
    seconds: float


class SettledRoleProvider(ResourceProvider):
    """Provider whose resources are waits: to create one is to wait."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Waits, then gives the role's ARN.

        Args:
            props: The resource's inputs.
        """
        time.sleep(float(props["seconds"]))
        return CreateResult(props["arn"], props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another wait for another role, of another name or made anew under the same."""
        replaces = [name for name in ("arn", "unique_id") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(replaces) or olds.get("seconds") != news.get("seconds"), replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another number of seconds."""
        return UpdateResult(news)


class SettledRole(Resource, module="churn", name="SettledRole"):
    """A role that can be assumed; its `arn` is known as soon as it can. Deleting the resource does nothing."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: SettledRoleArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the wait."""
        super().__init__(SettledRoleProvider(), name, {**vars(args)}, opts)
