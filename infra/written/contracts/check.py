"""Everything about contracts that can be known before they are deployed.

The wheel's reader knows what the workloads need. This module adds what they need not carry: the standard's own JSON
schema, the conditions of rules as SQL, references between contracts, secrets in texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract import Contract, contract_file, read_contract, read_contracts
from churn.core.contract_rules import GOLD, SILVER
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
    """Reads all contracts of a folder and of its folder `gold`, and checks them.

    Args:
        folder: Where they lie.
        groups: Display names of the groups that may own or use a table; None takes any.

    Returns:
        The contracts of delivered tables, by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    return check_every_contract(folder, groups)[0]


def check_every_contract(
    folder: Path, groups: Collection[str] | None = None
) -> tuple[tuple[Contract, ...], tuple[Contract, ...]]:
    """Reads and checks as `check_contracts` does; returns the contracts of silver, and those of gold."""
    faults: list[Fault] = []
    found: dict[str, tuple[Contract, ...]] = {SILVER: (), GOLD: ()}
    for schema, place in ((SILVER, folder), (GOLD, folder / GOLD)):
        try:
            found[schema] = read_contracts(place, groups, schema)
        except FaultsError as error:
            faults += error.faults
    documents = _documents(contract_files(folder), [])
    _refuse(faults, documents, documents)
    return found[SILVER], found[GOLD]


def check_files(files: Sequence[Path]) -> list[Contract]:
    """Reads some contracts, and checks them; what they refer to lies in the folder of each, and in `gold` beside it.

    Raises:
        FaultsError: With every fault of these contracts.
    """
    faults: list[Fault] = []
    found = []
    documents = _documents(files, faults)
    for document in documents:
        try:
            found.append(read_contract(document, schema=GOLD if f"/{GOLD}/" in document.file else SILVER))
        except FaultsError as error:
            faults += error.faults
    folders = {path.absolute().parent.parent if path.absolute().parent.name == GOLD else path.parent for path in files}
    beside = [path for folder in folders for path in contract_files(folder)]
    _refuse(faults, documents, _documents(beside, []))
    return found


def contract_files(folder: Path) -> list[Path]:
    """The files of contracts of a folder, those of its folder `gold` last."""
    return [*sorted(folder.glob("*.yaml")), *sorted(folder.glob(f"{GOLD}/*.yaml"))]


def _documents(files: Iterable[Path], faults: list[Fault]) -> list[Document]:
    """The files that are YAML; the faults of the others go to a list."""
    documents = []
    for path in files:
        try:
            documents.append(read_document(path, contract_file(path)))
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
