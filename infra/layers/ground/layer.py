"""Deploys the layer of the ground: made in AWS, given by the stack's own settings, or read from another stack."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pulumi

from infra.layers.ground.outputs import GroundOutputs
from infra.quick_import import quick_import

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.written.settings.ground import Ground


def deploy_ground(stack: str, settings: Ground, tags: Mapping[str, str]) -> GroundOutputs:
    """Deploys the ground of a stack. No other place reads the outputs of another stack.

    Args:
        stack: Name of the stack.
        settings: Its section `ground`.
        tags: Tags of everything that is made.
    """
    if settings.aws:
        with quick_import():  # late: the SDK of AWS costs seconds, which a stack without this part does not pay
            from infra.layers.ground.aws_ground import deploy_aws
        return deploy_aws(stack, settings.aws, tags, settings.protect_data)
    if settings.stack is None:
        return GroundOutputs(settings.storage_root)
    other = pulumi.StackReference(settings.stack)
    return GroundOutputs(**{field.name: other.get_output(field.name) for field in fields(GroundOutputs)})
