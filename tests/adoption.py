"""Adoption as a person does it who knows that nobody else makes objects in this cloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.adoption.adoption import adopt

if TYPE_CHECKING:
    from infra.adoption.cloud import Deployer
    from infra.adoption.engine import Engine


def adopt_as_told(engine: Engine, deployer: Deployer) -> list[str]:
    """Adopts, and once more with the names that it wants a word on; returns what is in the way then."""
    said = adopt(engine, deployer)
    named = re.findall(r"--mine (\S+)", "\n".join(said))
    return adopt(engine, deployer, named) if named else said
