"""Words and limits that the readers of delivered files share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.errors import FinalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from churn.core.contract import Contract

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
    """

    rows: int
    columns: Sequence[str]
    remarks: tuple[str, ...] = ()
    rewrite: bool = False


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
