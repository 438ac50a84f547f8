"""The resource types, a module for each part of AWS; a type that is in none of them does not exist here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.aws.provider.types import (
    alarms,
    autoscaling,
    buckets,
    iam,
    keys,
    msk,
    networks,
    private_links,
    routes,
    security_groups,
)

if TYPE_CHECKING:
    from local.aws.provider.resource import Resource

MODULES = (networks, routes, security_groups, private_links, buckets, keys, iam, msk, alarms, autoscaling)

TYPES: dict[str, Resource] = {resource.kind: resource for module in MODULES for resource in module.TYPES}
"""Every type by its name."""
