"""Guard of the plan of grants, against rights that no source may bring about, by itself or together with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError, choices
from infra.access.classified import classified_tables, classified_volumes
from infra.access.securables import Kind
from infra.access.sources import contract_table
from infra.names import GOVERNANCE, LANDING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from churn.core.contract import Contract
    from infra.access.securables import Securable

CHANGES_MASKS = ("MANAGE", "APPLY_TAG")  # whoever may grant, or take a tag from a column, may read what it hides
FILES = ("READ_VOLUME", "WRITE_VOLUME")
CLOUD_FILES = ("READ_FILES", "WRITE_FILES", "CREATE_EXTERNAL_TABLE", "CREATE_EXTERNAL_VOLUME", "CREATE_MANAGED_STORAGE")


@dataclass(frozen=True)
class Holders:
    """Principals that may hold a right by which rows of single customers can be reached.

    Attributes:
        clear: Those who may read every value.
        masked: Those who may read the tables of single customers, with masks.
        conformed: Those who may read the tables that contracts describe, with masks.
        files: Those who may read files, which have no masks.
        writers: Those who write tables and files.
        managers: Those who may change rights, tags and masks.
        deliverers: Who delivers, by domain.
    """

    clear: frozenset[str]
    masked: frozenset[str]
    conformed: frozenset[str]
    files: frozenset[str]
    writers: frozenset[str]
    managers: frozenset[str]
    deliverers: Mapping[str, str]


@dataclass(frozen=True)
class _Classified:
    """Securables below which classified values lie."""

    catalog: str
    tables: Mapping[str, Contract | None]  # with the contract that describes one
    volumes: frozenset[str]
    schemas: frozenset[str]

    @classmethod
    def of(cls, contracts: Collection[Contract], catalog: str) -> _Classified:
        described = {contract_table(contract, catalog).name: contract for contract in contracts}
        names = [f"{catalog}.{table}" for table in classified_tables(contracts)]
        domains = [contract.domain for contract in contracts if contract.topic is None and contract.confidential]
        volumes = frozenset(f"{catalog}.{volume}" for volume in classified_volumes(domains))
        schemas = frozenset(name.rpartition(".")[0] for name in (*names, *volumes))
        return cls(catalog, {name: described.get(name) for name in names}, volumes, schemas)


def check_classified(
    plan: Mapping[Securable, Mapping[str, Collection[str]]],
    catalog: str,
    contracts: Collection[Contract],
    holders: Holders,
) -> None:
    """Checks that only those who may hold any right by which classified values can be reached.

    The places are all that the values pass: tables, raw ones and quarantine among them, volumes, what contains these,
    and locations in the cloud. The rights are to read, to write, to grant, to change a tag, and to change a mask.

    Args:
        plan: Merged grants: whichever source one comes from, it is seen.
        catalog: The platform's catalog.
        contracts: Of all tables.
        holders: Who may hold which right.

    Raises:
        FaultsError: Somebody else holds one.
    """
    classified = _Classified.of(contracts, catalog)
    if not classified.tables:
        return
    faults = [
        _fault(securable, principal, privilege, allowed, classified)
        for securable, held in plan.items()
        for principal, privileges in held.items()
        for privilege in privileges
        if (allowed := _allowed(securable, privilege, classified, holders)) is not None and principal not in allowed
    ]
    if faults:
        raise FaultsError(faults)


def _allowed(securable: Securable, privilege: str, classified: _Classified, holders: Holders) -> frozenset[str] | None:
    """Who may hold a privilege on a securable; None where it opens nothing that is classified."""
    kind, name = securable.kind, securable.name
    if kind in (Kind.EXTERNAL_LOCATION, Kind.STORAGE_CREDENTIAL):
        return holders.managers | holders.writers if privilege in (*CLOUD_FILES, "MANAGE") else None
    contains = name == classified.catalog or name in classified.schemas
    if privilege in CHANGES_MASKS:
        covered = contains or name in classified.tables or name in classified.volumes
        return holders.managers if covered or name == f"{classified.catalog}.{GOVERNANCE}" else None
    if privilege == "CREATE_FUNCTION":
        return holders.managers if name in (classified.catalog, f"{classified.catalog}.{GOVERNANCE}") else None
    if contains:
        return {
            "SELECT": holders.clear,
            "MODIFY": holders.writers,
            "READ_VOLUME": holders.clear,
            "WRITE_VOLUME": holders.writers,
        }.get(privilege)
    if name in classified.tables and privilege in ("SELECT", "MODIFY"):
        described = holders.conformed if classified.tables[name] else frozenset()
        return holders.writers if privilege == "MODIFY" else holders.clear | holders.masked | described
    return _of_volume(name, privilege, classified, holders)


def _of_volume(name: str, privilege: str, classified: _Classified, holders: Holders) -> frozenset[str] | None:
    """Who may read or write files of a volume: those who deliver, in that of their own domain."""
    if name not in classified.volumes or privilege not in FILES:
        return None
    _, schema, volume = name.split(".")
    delivering = frozenset({holders.deliverers[volume]} if schema == LANDING and volume in holders.deliverers else ())
    return holders.writers | delivering | (holders.files if privilege == "READ_VOLUME" else frozenset())


def _fault(
    securable: Securable, principal: str, privilege: str, allowed: Collection[str], classified: _Classified
) -> Fault:
    """What is wrong with a right that somebody may not hold: in the contract that asks for it, or in the roles."""
    contract = classified.tables.get(securable.name)
    line = next((role.line for role in contract.roles if role.group == principal), None) if contract else None
    return Fault(
        file=contract.file if contract else "infra/access/roles.py",
        line=line,
        field="roles" if contract else "ROLE_GRANTS",
        received=f"{privilege} on {securable.name} for {principal}",
        allowed=f"{choices(sorted(allowed)) or 'nobody'}: it reaches values that are classified",
        remedy="take it out of the contract's roles, of the request, or of infra/access/roles.py; others read marts",
    )
