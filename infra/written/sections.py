"""Building blocks of models for hand-written files: sections, errors of one value, rules over several values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A part of a file: a name that it does not have is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """A rule over several values that is broken.

    Attributes:
        place: Names and indices that lead to the value to change.
        received: The value.
        allowed: The values that the rule accepts, and why.
        remedy: What to do.
    """

    place: tuple[str | int, ...]
    received: Any
    allowed: str
    remedy: str


def wrong_value(allowed: str, remedy: str) -> PydanticCustomError:
    """The error that a validator of one field raises.

    Args:
        allowed: The values that it accepts.
        remedy: What to do.
    """
    return PydanticCustomError("wrong_value", "{allowed}", {"allowed": allowed, "remedy": remedy})
