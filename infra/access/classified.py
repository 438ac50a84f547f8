"""Places of classified values: the columns of tables, and the volumes, where the values of a contract's columns lie.

A value is delivered as a file or message, kept raw in bronze, typed in silver or quarantined there, and read by gold
under its own name. Each place follows from the contract, so that a tag or a guard that goes by this list misses none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.contract import gold_contracts
from churn.core.tables import LABELS, LIVE_SCORES, QUALITY_SAMPLES, SCORES
from infra.names import LANDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from churn.core.contract import Column, Contract

# Class of text as it came, which may hold anything that its contract classifies: the mask of this class shows nothing.
RAW = "pii.name"
# Tables of gold with a row for each customer. Marts have none.
GOLD = ("gold.churn_features", LABELS.name, SCORES.name, LIVE_SCORES.name)
# Keys of rows that break a check, of any table.
SAMPLES = QUALITY_SAMPLES.name


@dataclass(frozen=True, order=True)
class Place:
    """A column that holds values of a class.

    Attributes:
        table: Schema and table, such as `silver.customer`.
        column: Name of the column there; in bronze the one that sources write.
        classification: Class of its values.
    """

    table: str
    column: str
    classification: str


def classified_places(contracts: Iterable[Contract]) -> list[Place]:
    """Lists all columns of the platform that hold classified values, in sorted order."""
    derived = (
        Place(contract.table, column.name, column.classification)
        for contract in gold_contracts()
        for column in _classified(contract)
    )
    return sorted({*derived, Place(SAMPLES, "key", "pii.id"), *delivered_places(contracts)})


def delivered_places(contracts: Iterable[Contract]) -> list[Place]:
    """Lists those in tables that pipelines make, of bronze and silver, in sorted order."""
    return sorted({place for contract in contracts for place in _delivered(contract)})


def classified_tables(contracts: Iterable[Contract]) -> list[str]:
    """Names the tables that hold classified values, in sorted order."""
    return sorted({place.table for place in classified_places(contracts)})


def raw_tables(contract: Contract) -> list[str]:
    """Names the tables that hold a contract's rows or messages as they came."""
    return [f"bronze.{contract.domain}", f"silver.quarantine_{contract.domain}"]


def streamed_tables(contracts: Iterable[Contract]) -> list[str]:
    """Names the tables that the stream fills, in sorted order."""
    streamed = (contract for contract in contracts if contract.topic is not None)
    return sorted({table for contract in streamed for table in (contract.table, *raw_tables(contract))})


def classified_volumes(domains: Iterable[str]) -> list[str]:
    """Names the volumes whose files hold classified values: what is delivered, admitted, or set aside."""
    return [*(f"{LANDING}.{domain}" for domain in domains), "bronze.admitted", "bronze.quarantine"]


def _delivered(contract: Contract) -> Iterator[Place]:
    """The places of one contract's values in bronze and silver."""
    if not contract.confidential:
        return
    bronze, quarantine = raw_tables(contract)
    typed = [contract.table, *([] if contract.topic else [f"{contract.table}_versions"])]
    for column in _classified(contract):
        class_of = column.classification
        yield from (Place(table, column.name, class_of) for table in typed)
        if column.key:
            yield Place(quarantine, column.name, class_of)
        if contract.topic is None:
            yield Place(bronze, column.bronze, class_of)
    if contract.topic is None:
        raw = [(bronze, "_rescued_data"), (bronze, "_corrupt_record"), (quarantine, "_raw")]
    else:
        raw = [(bronze, name) for name in ("key", "value", "undecoded")]
        raw += [(quarantine, name) for name in ("_key", "_raw", "_undecoded")]
        raw += [(contract.table, "_rescued_data")]
    yield from (Place(table, name, RAW) for table, name in raw)


def _classified(contract: Contract) -> list[Column]:
    return [column for column in contract.columns if column.classified]
