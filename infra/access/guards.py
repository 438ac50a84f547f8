"""Guards of the plan of grants, against rights that no source may bring about, by itself or together with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError, choices
from infra.access.sources import contract_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from churn.core.contract import Contract
    from infra.access.securables import Securable


def check_confidential_readers(
    plan: Mapping[Securable, Mapping[str, Collection[str]]],
    catalog: str,
    contracts: Iterable[Contract],
    trusted: Collection[str],
) -> None:
    """Checks that only trusted principals can read a table with a classified column.

    Args:
        plan: Merged grants: whichever source one comes from, it is seen.
        catalog: The platform's catalog.
        contracts: Of all tables.
        trusted: Principals that may read single customers.

    Raises:
        FaultsError: Somebody else holds SELECT on such a table, or on what contains it.
    """
    faults = [
        Fault(
            file=contract.file,
            line=next((role.line for role in contract.roles if role.group == reader), None),
            field="roles",
            received=f"SELECT on {table.name} for {reader}",
            allowed=f"{choices(trusted)}: a column is classified",
            remedy="take it out of the contract's roles, or out of ROLE_GRANTS in infra/access/roles.py; others read "
            "marts",
        )
        for contract in contracts
        if contract.confidential
        for table in [contract_table(contract, catalog)]
        for reader in sorted(_readers(plan, table) - set(trusted))
    ]
    if faults:
        raise FaultsError(faults)


def _readers(plan: Mapping[Securable, Mapping[str, Collection[str]]], table: Securable) -> set[str]:
    """Finds the principals that may select from a table, by a grant on it or on what contains it."""
    places = (table, *(container for container, _ in table.path()))
    return {
        principal for place in places for principal, privileges in plan.get(place, {}).items() if "SELECT" in privileges
    }
