"""Roles of the platform, and the rights in Unity Catalog that each has by its nature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from infra.access.securables import Grant, Kind, Securable
from infra.names import (
    CATALOG_LOCATION,
    CHECKPOINTS_LOCATION,
    KAFKA_CREDENTIAL,
    LANDING,
    MARTS,
    MODEL,
    SCHEMAS,
    STORAGE_CREDENTIAL,
    VOLUMES,
    landing_location,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.written.settings.platform import Platform


class Role(StrEnum):
    """Roles on the platform; the first five are groups, which the settings name, the others service principals."""

    PLATFORM = "platform"
    ENGINEERS = "engineers"
    SCIENTISTS = "scientists"
    ANALYSTS = "analysts"
    DELIVERERS = "deliverers"
    RUNNER = "runner"
    SERVER = "server"


# Roles whose work is with single customers, and who may read columns that a contract classifies.
TRUSTED = frozenset({Role.ENGINEERS, Role.SCIENTISTS, Role.RUNNER})


@dataclass(frozen=True)
class RoleGrant:
    """One line of the table of rights.

    Attributes:
        kind: Kind of the securables.
        names: Their names below the catalog, of which the empty one is the catalog, or after the stack's prefix.
        roles: Who holds the privileges.
        privileges: Names as Unity Catalog has them.
    """

    kind: Kind
    names: tuple[str, ...]
    roles: tuple[Role, ...]
    privileges: tuple[str, ...]


_LAYERS = tuple(schema for schema in SCHEMAS if schema != LANDING)  # which have tables
_VOLUMES = tuple(f"bronze.{volume}" for volume in VOLUMES)
_PEOPLE = (Role.ENGINEERS, Role.SCIENTISTS, Role.ANALYSTS)

# Tables of silver are missing: their contracts say who reads them. Analysts read the marts and no other table of gold:
# features and scores are of single customers, whose attributes their contract keeps confidential.
ROLE_GRANTS = (
    RoleGrant(Kind.CATALOG, ("",), _PEOPLE, ("BROWSE",)),
    # A team's schema is its own by the time the platform team makes the team's volume in it.
    RoleGrant(Kind.CATALOG, ("",), (Role.PLATFORM,), ("USE_SCHEMA", "CREATE_VOLUME")),
    RoleGrant(
        Kind.SCHEMA,
        _LAYERS,
        (Role.RUNNER,),
        ("SELECT", "MODIFY", "CREATE_TABLE", "CREATE_MATERIALIZED_VIEW", "REFRESH"),
    ),
    RoleGrant(Kind.SCHEMA, _LAYERS, (Role.ENGINEERS,), ("SELECT",)),
    RoleGrant(Kind.SCHEMA, ("gold", "mlops"), (Role.SCIENTISTS,), ("SELECT",)),
    RoleGrant(Kind.TABLE, MARTS, (Role.ANALYSTS,), ("SELECT",)),
    RoleGrant(Kind.VOLUME, _VOLUMES, (Role.RUNNER,), ("READ_VOLUME", "WRITE_VOLUME")),
    RoleGrant(Kind.VOLUME, _VOLUMES, (Role.ENGINEERS,), ("READ_VOLUME",)),
    RoleGrant(Kind.SCHEMA, ("mlops",), (Role.RUNNER,), ("CREATE_MODEL",)),  # MLflow asks for it before each version
    # An endpoint acts as its creator, for as long as it lives.
    RoleGrant(Kind.MODEL, (MODEL,), (Role.SERVER, Role.ENGINEERS, Role.SCIENTISTS), ("EXECUTE",)),
)


def landing_grants(domains: Iterable[str]) -> tuple[RoleGrant, ...]:
    """Lists the rights on the volumes of deliveries, one for each domain. Who delivers reaches nothing else."""
    volumes = tuple(f"{LANDING}.{domain}" for domain in domains)
    return (
        RoleGrant(Kind.VOLUME, volumes, (Role.DELIVERERS, Role.RUNNER), ("READ_VOLUME", "WRITE_VOLUME")),
        RoleGrant(Kind.VOLUME, volumes, (Role.ENGINEERS,), ("READ_VOLUME",)),
    )


def storage_grants(domains: Iterable[str]) -> tuple[RoleGrant, ...]:
    """Lists the rights on the credential and the locations over a ground in AWS.

    Data is reached by tables and volumes, so the platform team alone holds most; whatever else is granted goes.
    """
    landing = tuple(landing_location(domain) for domain in domains)
    team = (Role.PLATFORM,)
    return (
        RoleGrant(Kind.STORAGE_CREDENTIAL, (STORAGE_CREDENTIAL,), team, ("CREATE_EXTERNAL_LOCATION",)),
        RoleGrant(Kind.EXTERNAL_LOCATION, (CATALOG_LOCATION,), team, ("CREATE_MANAGED_STORAGE",)),
        RoleGrant(Kind.EXTERNAL_LOCATION, landing, team, ("CREATE_EXTERNAL_VOLUME",)),
        # Streams keep their progress by path.
        RoleGrant(Kind.EXTERNAL_LOCATION, (CHECKPOINTS_LOCATION,), (Role.RUNNER,), ("READ_FILES", "WRITE_FILES")),
    )


KAFKA_GRANTS = (RoleGrant(Kind.SERVICE_CREDENTIAL, (KAFKA_CREDENTIAL,), (Role.RUNNER,), ("ACCESS",)),)


def principals(platform: Platform, prefix: str) -> dict[Role, str]:
    """Maps each role to its principal: the display name of a group, or of a service principal of the stack.

    Args:
        platform: Settings of the platform.
        prefix: Beginning of the names of the stack's objects.
    """
    groups = platform.groups
    return {
        Role.PLATFORM: groups.platform,
        Role.ENGINEERS: groups.engineers,
        Role.SCIENTISTS: groups.scientists,
        Role.ANALYSTS: groups.analysts,
        Role.DELIVERERS: groups.deliverers,
        Role.RUNNER: f"{prefix}-runner",
        Role.SERVER: f"{prefix}-server",
    }


def role_grants(lines: Iterable[RoleGrant], beginning: str, names: Mapping[Role, str]) -> list[Grant]:
    """Lists the grants that each role has by its nature.

    Args:
        lines: Rights of roles.
        beginning: What the names of the securables begin with, such as `churn_local.` or `churn-local-`.
        names: The principal of each role.
    """
    return [
        Grant(Securable(f"{beginning}{name}".rstrip("."), line.kind), names[role], frozenset(line.privileges))
        for line in lines
        for name in line.names
        for role in line.roles
    ]
