"""Serving endpoints: pinned to a version, and scaled to zero outside production."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.rule import UNKNOWN, Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

# Kinds of endpoints, and the remedy where one does not scale to zero.
SCALES_TO_ZERO = {
    "ModelServing": "set it to true outside production",
    "ModelServingProvisionedThroughput": "use a ModelServing outside production: what is provisioned never scales to 0",
}


def _pinned_and_thrifty(resource: Resource) -> Iterator[Violation]:
    for path, entity in items(mapping(resource.inputs.get("config")), "servedEntities"):
        if entity.get("externalModel"):
            continue  # an external model has no version in Unity Catalog and nothing to scale
        version = entity.get("entityVersion")
        # A feature specification has no version; a model without one is refused by Databricks itself.
        if version not in (UNKNOWN, None, "") and not str(version).isdecimal():
            yield Violation(f"config.{path}.entityVersion", version, "pin the number of a registered version")
        zero = entity.get("scaleToZeroEnabled")
        if not resource.in_production and zero is not UNKNOWN and zero is not True:
            yield Violation(f"config.{path}.scaleToZeroEnabled", zero, SCALES_TO_ZERO[resource.kind])


RULES = [
    rule(
        "endpoints-pinned",
        "An endpoint serves a numbered version and, outside production, scales to zero.",
        _pinned_and_thrifty,
        tuple(SCALES_TO_ZERO),
    )
]
