"""Grants that contracts and requests ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.access.securables import Grant, Kind, Securable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from churn.core.contract import Contract
    from infra.written.requests import WorkspaceArea

# Privileges behind the words that a contract's role may use as `access`.
ACCESS = {"read": frozenset({"SELECT"}), "write": frozenset({"SELECT", "MODIFY"})}


def contract_table(contract: Contract, catalog: str) -> Securable:
    """Names the table that a contract describes, in a catalog."""
    return Securable(f"{catalog}.{contract.table}", Kind.TABLE)


def contract_grants(contracts: Iterable[Contract], catalog: str) -> list[Grant]:
    """Lists the grants on tables that the roles of contracts ask for."""
    return [
        Grant(contract_table(contract, catalog), role.group, ACCESS[role.access])
        for contract in contracts
        for role in contract.roles
    ]


def request_grants(requests: Iterable[WorkspaceArea], catalog: str) -> list[Grant]:
    """Lists the grants that workspace areas ask for.

    The owner is among them: owning a schema does not open its catalog.
    """
    grants = []
    for request in requests:
        schema = Securable(f"{catalog}.{request.schema_name}", Kind.SCHEMA)
        grants.append(Grant(schema, request.owner_group, frozenset({"USE_SCHEMA"})))
        grants += [
            Grant(schema, grant.group, frozenset(item.value for item in grant.privileges)) for grant in request.grants
        ]
    return grants
