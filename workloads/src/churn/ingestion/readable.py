"""Words and limits that the readers of delivered files share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from churn.core.blanks import stripped
from churn.core.erased import customer_column
from churn.core.errors import FinalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from churn.core.contract import Contract
    from churn.core.erased import Erased

MAXIMUM_LETTERS = 2**20  # of a line or a JSON object; what is longer would be held in memory whole
PLACES_SHOWN = 5


class UnreadableFileError(FinalError):
    """The file as a whole cannot be read as its contract says; the text is the reason."""


@dataclass(frozen=True)
class Contents:
    """Contents of a file, as one pass over it shows them.

    Attributes:
        rows: Number of records.
        columns: Names of columns as delivered.
        remarks: What is odd about it.
        rewrite: Whether bronze reads the file only after it was written anew.
        erased: Records of erased customers, by the hash of each; a file that is written anew has none of them.
    """

    rows: int
    columns: Sequence[str]
    remarks: tuple[str, ...] = ()
    rewrite: bool = False
    erased: Mapping[str, int] = field(default_factory=dict)


class Owners:
    """Whose the records of a file are, as far as that matters: those of erased customers.

    A record is a customer's if its column says so. One whose column is empty, or that has not the fields of its file's
    header, is theirs if the id stands anywhere in it.
    """

    def __init__(self, contract: Contract, erased: Erased | None) -> None:
        column = customer_column(contract)
        self._erased = erased if column else None
        self.source = column.source if column else ""

    def __bool__(self) -> bool:
        """Whether anybody was erased whose records the file may have."""
        return self._erased is not None

    def of(self, customer: str | None, text: str, *, in_order: bool = True) -> str | None:
        """The hash of the erased customer whose record it is; None if it is nobody's of them.

        Args:
            customer: Value of the column, if the record has it.
            text: The whole record.
            in_order: Whether its values stand under their names.
        """
        if self._erased is None:
            return None
        found = self._erased.find(customer) if customer and stripped(customer) else None
        if found is None and not (in_order and customer and stripped(customer)):
            return self._erased.mentioned(text)
        return found


def spelled(names: Iterable[str], contract: Contract) -> list[str]:
    """Names of columns as the contract spells them, where capitals or blanks around alone differ."""
    sources = {_folded(source): source for source in contract.sources}
    return [sources.get(_folded(name), name) for name in names]


def check_columns(contents: Contents, contract: Contract) -> tuple[str | None, tuple[str, ...]]:
    """Compares the columns of a file with those of its contract.

    More people may read why a file was set aside than what is in it. So nothing is quoted of a first line that has
    none of the contract's names: it may be a customer's.

    Returns:
        Why the file is set aside, or None; and remarks on the columns of one that is not.
    """
    names = spelled(contents.columns, contract)
    if not set(names) & set(contract.sources):
        return f"none of the contract's columns: {', '.join(contract.sources)}; text begins with a line of names", ()
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    missing = [name for name in contract.sources if name not in names]
    unknown = [name for name in names if name not in contract.sources]
    lists = {"columns stand twice": twice, "missing columns": missing, "unknown columns": unknown}
    remarks = tuple(f"{what}: {', '.join(columns)}" for what, columns in lists.items() if columns)
    if twice or missing:
        return "; ".join(remarks), ()  # a renamed column is both missing and unknown
    other = [f"{name!r}" for name, meant in zip(contents.columns, names, strict=True) if name != meant]
    respelled = (f"columns spelled otherwise: {', '.join(other)}",) if other else ()
    return None, (*remarks, *respelled)


class Places:
    """Numbers of odd lines or records: their count, and the first few."""

    def __init__(self) -> None:
        self.count, self._first = 0, list[str]()

    def add(self, number: int) -> None:
        """Adds one."""
        self.count += 1
        if self.count <= PLACES_SHOWN:
            self._first.append(str(number))

    def __str__(self) -> str:
        """The first few, for a remark."""
        return ", ".join(self._first) + (", …" if self.count > PLACES_SHOWN else "")


def _folded(name: str) -> str:
    return name.strip().casefold()
