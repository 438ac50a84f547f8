"""Finds the ground that the platform stands on: in the stack's own settings, or in the outputs of another stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from infra.written.settings.ground import Ground


@dataclass(frozen=True)
class GroundOutputs:
    """What the ground gives to the platform.

    A stack exports each value under the name that it has as an attribute, so that another stack can read it.

    Attributes:
        storage_root: Cloud location of the catalog's managed tables; None takes the metastore's.
    """

    storage_root: pulumi.Input[str | None]


def find_ground(settings: Ground) -> GroundOutputs:
    """Finds the ground of a stack. No other place reads the outputs of another stack.

    Args:
        settings: The stack's section `ground`.
    """
    if settings.stack is None:
        return GroundOutputs(settings.storage_root)
    other = pulumi.StackReference(settings.stack)
    return GroundOutputs(other.get_output("storage_root"))
