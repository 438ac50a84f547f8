"""Everything about contracts that can be known before they are deployed.

The wheel's reader knows what the workloads need. This module adds what they need not carry: the standard's own JSON
schema, the conditions of rules as SQL, secrets in texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract import Contract, read_contracts
from churn.core.faults import Fault, FaultsError
from churn.core.files import read_document
from infra.written.contracts.conditions import broken_conditions
from infra.written.contracts.secrets import SECRET, written_secrets
from infra.written.contracts.standard import broken_standard

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


def check_contracts(folder: Path, groups: Collection[str] | None = None) -> tuple[Contract, ...]:
    """Reads all contracts of a folder, and checks them.

    Args:
        folder: Where they lie.
        groups: Display names of the groups that may own or use a table; None takes any.

    Returns:
        The contracts by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    faults: list[Fault] = []
    found: tuple[Contract, ...] = ()
    try:
        found = read_contracts(folder, groups)
    except FaultsError as error:
        faults += error.faults
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_document(path, f"{folder.name}/{path.name}")
        except FaultsError:
            continue  # the reader has said so
        faults += written_secrets(document)
        faults += broken_conditions(document)
        faults += _further(faults, broken_standard(document))
    if faults:
        raise FaultsError(_without_secrets(faults))
    return found


def _further(known: Iterable[Fault], found: Iterable[Fault]) -> list[Fault]:
    """The faults that are about no place, or part of a place, that has a fault already."""
    places = {(fault.file, fault.field) for fault in known}

    def is_known(fault: Fault) -> bool:
        return any(
            fault.file == file and (field.startswith(fault.field) or fault.field.startswith(field))
            for file, field in places
        )

    return [fault for fault in found if not is_known(fault)]


def _without_secrets(faults: Collection[Fault]) -> list[Fault]:
    """The faults, but those that would show a secret: one that says so is about the same place."""
    secret = {(fault.file, fault.field) for fault in faults if fault.received == SECRET}
    return [fault for fault in faults if fault.received == SECRET or (fault.file, fault.field) not in secret]
