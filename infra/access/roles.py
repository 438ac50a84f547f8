"""Roles of the platform, and the rights in Unity Catalog that each has by its nature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from infra.access.classified import GOLD, SAMPLES, classified_volumes, raw_tables
from infra.access.securables import Grant, Kind, Securable
from infra.names import (
    CATALOG_LOCATION,
    CHECKPOINTS_LOCATION,
    GOVERNANCE,
    KAFKA_CREDENTIAL,
    LANDING,
    LEDGER,
    MARTS,
    MODEL,
    SCHEMAS,
    STORAGE_CREDENTIAL,
    VOLUMES,
    landing_location,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from churn.core.contract import Contract
    from infra.written.settings.platform import Platform


class Role(StrEnum):
    """Roles on the platform: groups, which the settings name, and two service principals, runner and server.

    Those who deliver have a group for each domain, which `delivery_grants` takes.
    """

    PLATFORM = "platform"
    ENGINEERS = "engineers"
    SCIENTISTS = "scientists"
    ANALYSTS = "analysts"
    PII_READERS = "pii_readers"
    RUNNER = "runner"
    SERVER = "server"


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


_LAYERS = tuple(schema for schema in SCHEMAS if schema not in (LANDING, GOVERNANCE))  # which have tables
_CUSTOMERS = ("bronze", "silver", "gold")  # of these, those whose tables have rows of single customers
_VOLUMES = tuple(f"bronze.{volume}" for volume in VOLUMES)
_PEOPLE = (Role.ENGINEERS, Role.SCIENTISTS, Role.ANALYSTS, Role.PII_READERS)
_BUILDERS = (Role.ENGINEERS, Role.SCIENTISTS)

# People read a table of single customers by a grant on the table itself, which is made once its columns are tagged and
# masked: a right on a schema would open the next table before that. Tables of silver are missing, since their contracts
# say who reads them. Analysts read the marts and no other table of gold.
ROLE_GRANTS = (
    RoleGrant(Kind.CATALOG, ("",), _PEOPLE, ("BROWSE",)),
    # A team's schema is its own by the time the platform team makes the team's volume in it.
    RoleGrant(Kind.CATALOG, ("",), (Role.PLATFORM,), ("USE_SCHEMA", "CREATE_VOLUME")),
    # Tables are the runner's, who makes them; their columns are tagged by whoever deploys.
    RoleGrant(Kind.SCHEMA, _CUSTOMERS, (Role.PLATFORM,), ("APPLY_TAG",)),
    RoleGrant(Kind.SCHEMA, (GOVERNANCE,), (Role.PLATFORM,), ("CREATE_FUNCTION", "EXECUTE")),
    RoleGrant(
        Kind.SCHEMA,
        _LAYERS,
        (Role.RUNNER,),
        ("SELECT", "MODIFY", "CREATE_TABLE", "CREATE_MATERIALIZED_VIEW", "REFRESH"),
    ),
    RoleGrant(Kind.SCHEMA, _CUSTOMERS, (Role.PII_READERS,), ("SELECT",)),
    RoleGrant(Kind.SCHEMA, ("mlops",), (*_BUILDERS, Role.PII_READERS), ("SELECT",)),
    RoleGrant(Kind.TABLE, tuple(GOLD), _BUILDERS, ("SELECT",)),
    RoleGrant(Kind.TABLE, MARTS, (*_BUILDERS, Role.ANALYSTS), ("SELECT",)),
    RoleGrant(Kind.TABLE, (LEDGER, SAMPLES), (Role.ENGINEERS,), ("SELECT",)),
    RoleGrant(Kind.VOLUME, _VOLUMES, (Role.RUNNER,), ("READ_VOLUME", "WRITE_VOLUME")),
    RoleGrant(Kind.SCHEMA, ("mlops",), (Role.RUNNER,), ("CREATE_MODEL",)),  # MLflow asks for it before each version
    # An endpoint acts as its creator, for as long as it lives.
    RoleGrant(Kind.MODEL, (MODEL,), (Role.SERVER, *_BUILDERS), ("EXECUTE",)),
)


def domain_grants(contracts: Iterable[Contract], *, simulated: bool) -> tuple[RoleGrant, ...]:
    """Lists the rights of engineers on what the contracts' tables are made from: raw, quarantined, and every version.

    Where customers are real, engineers read quarantined rows alone. Masks go by column, and bronze has the values of a
    row with a comma too many under the wrong ones; bronze and versions also keep columns that a contract has no more.
    Messages of a topic are kept as bytes too, which no mask shows in part: of those, they read the accepted alone.

    Args:
        contracts: The contracts.
        simulated: Whether the customers are simulated.
    """
    tables = []
    for contract in (each for each in contracts if each.topic is None):
        bronze, quarantine = raw_tables(contract)
        tables += [quarantine, *([bronze, f"{contract.table}_versions"] if simulated else [])]
    return (RoleGrant(Kind.TABLE, tuple(tables), (Role.ENGINEERS,), ("SELECT",)),)


def file_grants(domains: Iterable[str], *, simulated: bool) -> tuple[RoleGrant, ...]:
    """Lists the rights on files of single customers: a file has no masks.

    Args:
        domains: Domains whose files are delivered.
        simulated: Whether the customers are simulated; only then do engineers read files.
    """
    domains = list(domains)
    landing = tuple(f"{LANDING}.{domain}" for domain in domains)
    readers = (Role.PII_READERS, *([Role.ENGINEERS] if simulated else []))
    return (
        RoleGrant(Kind.VOLUME, landing, (Role.RUNNER,), ("READ_VOLUME", "WRITE_VOLUME")),
        RoleGrant(Kind.VOLUME, tuple(classified_volumes(domains)), readers, ("READ_VOLUME",)),
    )


def delivery_grants(deliverers: Mapping[str, str], catalog: str) -> list[Grant]:
    """Lists the rights of those who deliver: each group writes to the volume of its own domain, and reaches no other.

    Args:
        deliverers: Group by domain.
        catalog: The platform's catalog.
    """
    return [
        Grant(
            Securable(f"{catalog}.{LANDING}.{domain}", Kind.VOLUME), group, frozenset({"READ_VOLUME", "WRITE_VOLUME"})
        )
        for domain, group in deliverers.items()
    ]


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
        Role.PII_READERS: groups.pii_readers,
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
