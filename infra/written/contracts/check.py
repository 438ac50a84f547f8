"""Everything about contracts that can be known before they are deployed.

The wheel's reader knows what the workloads need. This module adds what they need not carry: the standard's own JSON
schema, the conditions of rules as SQL, references between contracts, secrets in texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract import Contract, read_contract, read_contracts
from churn.core.faults import Fault, FaultsError
from churn.core.files import read_document
from infra.written.contracts.conditions import broken_conditions
from infra.written.contracts.references import broken_references
from infra.written.contracts.secrets import SECRET, written_secrets
from infra.written.contracts.standard import broken_standard
from infra.written.contracts.texts import unanswered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from churn.core.files import Document


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
    documents = _documents(sorted(folder.glob("*.yaml")), [])
    _refuse(faults, documents, documents)
    return found


def check_files(files: Sequence[Path]) -> list[Contract]:
    """Reads some contracts, and checks them; what they refer to lies in the folder of each.

    Raises:
        FaultsError: With every fault of these contracts.
    """
    faults: list[Fault] = []
    documents, found = _documents(files, faults), []
    for document in documents:
        try:
            found.append(read_contract(document))
        except FaultsError as error:
            faults += error.faults
    beside = {path for file in files for path in file.parent.glob("*.yaml")}
    _refuse(faults, documents, _documents(sorted(beside), []))
    return found


def _documents(files: Iterable[Path], faults: list[Fault]) -> list[Document]:
    """The files that are YAML; the faults of the others go to a list."""
    documents = []
    for path in files:
        try:
            documents.append(read_document(path, f"{path.absolute().parent.name}/{path.name}"))
        except FaultsError as error:
            faults += error.faults
    return documents


def _refuse(faults: list[Fault], documents: Sequence[Document], known: Sequence[Document]) -> None:
    """Raises the faults that the reader has found in documents, and those that this module finds, if there are any."""
    faults += broken_references(documents, known, {fault.file for fault in faults})
    for document in documents:
        faults += written_secrets(document)
        faults += _further(faults, unanswered(document))
        faults += broken_conditions(document)
        faults += _further(faults, broken_standard(document))
    if faults:
        raise FaultsError(_without_secrets(faults))


def _further(known: Collection[Fault], found: Iterable[Fault]) -> list[Fault]:
    """The faults that are about no place, or part of a place, that has a fault already."""

    def is_known(fault: Fault) -> bool:
        return any(
            fault.file == other.file and (other.field.startswith(fault.field) or fault.field.startswith(other.field))
            for other in known
        )

    return [fault for fault in found if not is_known(fault)]


def _without_secrets(faults: Collection[Fault]) -> list[Fault]:
    """The faults, but those that would show a secret: another one says of the same place that it holds one."""
    secret = {(fault.file, fault.field) for fault in faults if fault.received == SECRET}
    return [fault for fault in faults if fault.received == SECRET or (fault.file, fault.field) not in secret]
