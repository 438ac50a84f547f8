"""What the program takes from the data contracts: tables, and who may read them.

The contracts are Open Data Contract Standard files, one a table, `contracts/<table>.yaml`. What rows hold is read by
the wheel's `churn.core.contract`; `python -m infra.written.stacks` has both read them before the engine starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from open_data_contract_standard.model import OpenDataContractStandard, Role, Team

from churn.core.faults import Fault, FaultsError, choices, shown
from churn.core.files import Document, files_to_read, read_document
from churn.core.validation import validate
from infra.access.plan import Grant, Securable
from infra.written.paths import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

SCHEMA = "silver"  # of the tables that contracts describe
# Privileges behind the words that a contract's role may use as `access`.
PRIVILEGES = {"read": frozenset({"SELECT"}), "write": frozenset({"SELECT", "MODIFY"})}


@dataclass(frozen=True)
class TableContract:
    """What one contract says of access.

    Attributes:
        table: Schema and table, such as `silver.customer`.
        access: Privileges by group.
        confidential: Whether a column is classified, as anything but public.
        file: The contract's file.
    """

    table: str
    access: dict[str, frozenset[str]]
    confidential: bool
    file: str

    def securable(self, catalog: str) -> Securable:
        return Securable(f"{catalog}.{self.table}", "table")

    def grants_in(self, catalog: str) -> list[Grant]:
        """The grants this contract asks for."""
        return [Grant(self.securable(catalog), group, privileges) for group, privileges in self.access.items()]


def read_contracts(groups: Collection[str], folder: Path = CONTRACTS) -> list[TableContract]:
    """All contracts, by table.

    Args:
        groups: Display names of the groups that a role may name.
        folder: Where the contracts lie.

    Raises:
        FaultsError: With every fault of every file.
    """
    paths, faults = files_to_read(folder, "*.yaml", f"{folder.name}/<table>.yaml")
    found: dict[str, TableContract] = {}
    files: dict[str, str] = {}
    for path in paths:
        file = f"{folder.name}/{path.name}"
        try:
            document = read_document(path, file)
            contract = validate(OpenDataContractStandard, document)
        except FaultsError as error:
            faults += error.faults
            continue
        entries = contract.schema_ or []
        names = [entry.name for entry in entries]
        if len(names) != 1 or not names[0]:
            allowed, remedy = "one entry with a name", "write one table a file"
            faults.append(document.fault(("schema",), received=shown(names), allowed=allowed, remedy=remedy))
            continue
        table, written = f"{SCHEMA}.{names[0]}", entries[0].physicalName
        if written != table:
            allowed = f"{table}, since its name is {names[0]}"
            remedy = f"write physicalName: {table}, or correct the name"
            place = ("schema", 0, "physicalName")
            faults.append(document.fault(place, received=shown(written), allowed=allowed, remedy=remedy))
        if table in files:
            allowed, remedy = f"a table of its own; {files[table]} describes this one", "make one contract of the two"
            place = ("schema", 0, "name")
            faults.append(document.fault(place, received=shown(names[0]), allowed=allowed, remedy=remedy))
        files.setdefault(table, file)
        owner = contract.team.name if isinstance(contract.team, Team) else None
        if owner not in groups:
            remedy = "name the group that owns the table"
            faults.append(
                document.fault(("team", "name"), received=shown(owner), allowed=choices(groups), remedy=remedy)
            )
        access: dict[str, frozenset[str]] = {}
        for index, role in enumerate(contract.roles or []):
            faults += _role_faults(document, index, role, groups)
            access[role.role or ""] = access.get(role.role or "", frozenset()) | PRIVILEGES.get(
                role.access or "", frozenset()
            )
        columns = entries[0].properties or []
        confidential = any(column.classification not in (None, "public") for column in columns)
        found[table] = TableContract(table, access, confidential, file)
    if faults:
        raise FaultsError(faults)
    return [found[table] for table in sorted(found)]


def _role_faults(document: Document, index: int, role: Role, groups: Collection[str]) -> list[Fault]:
    faults, place = [], ("roles", index)
    if role.role not in groups:
        remedy = "write a known group, or add this one to churn:platform.team_groups"
        faults.append(
            document.fault((*place, "role"), received=shown(role.role), allowed=choices(groups), remedy=remedy)
        )
    if role.access not in PRIVILEGES:
        remedy = "write one of them"
        faults.append(
            document.fault((*place, "access"), received=shown(role.access), allowed=choices(PRIVILEGES), remedy=remedy)
        )
    return faults
