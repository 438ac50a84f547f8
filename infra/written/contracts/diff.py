"""Differences between the contracts of today and earlier ones, with the versions that they demand."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError
from infra.written.contracts.changes import Change, changes
from infra.written.contracts.terms import read_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.written.contracts.terms import Terms


class Verdict(IntEnum):
    """What the differences amount to, as the status of the process that prints them."""

    NONE = 0
    SAFE = 2
    BREAKING = 3


@dataclass(frozen=True)
class TableDiff:
    """Differences of one contract.

    Attributes:
        table: Schema and table.
        before: Its earlier terms; None if it is new.
        now: Its terms of today; None if it is gone.
        changes: All differences.
        feeds: Columns of other tables that are made from a column, by its name.
    """

    table: str
    before: Terms | None
    now: Terms | None
    changes: tuple[Change, ...]
    feeds: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def demanded(self) -> str | None:
        """The version that the contract has to have at least; None if the one it has will do."""
        if not (self.before and self.now and self.changes):
            return None
        due = next_version(self.before.version, breaking=any(change.breaking for change in self.changes))
        return due if _numbers(self.now.version) < _numbers(due) else None


def next_version(version: str, *, breaking: bool) -> str:
    """The first version that may hold a change: https://semver.org/, where any other change is a new feature."""
    major, minor, *_ = (*_numbers(version), 0, 0)
    return f"{major + 1}.0.0" if breaking else f"{major}.{minor + 1}.0"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def diff(before: Mapping[str, Terms], now: Mapping[str, Terms]) -> list[TableDiff]:
    """Compares contracts; those that are the same are left out."""
    found = []
    for table in sorted({*before, *now}):
        one, other = before.get(table), now.get(table)
        if one and other:
            differences = tuple(sorted(changes(one, other), key=lambda change: (not change.breaking, change.what)))
        elif one:
            differences = (Change(True, "contract removed", tuple(one.roles)),)
        else:
            differences = (Change(False, "contract added", tuple(other.roles) if other else ()),)
        if differences:
            found.append(TableDiff(table, one, other, differences, _feeds(table, before)))
    return found


def _feeds(table: str, contracts: Mapping[str, Terms]) -> dict[str, list[str]]:
    """Columns that are made from the columns of a table, by the name of these."""
    feeds: dict[str, list[str]] = {}
    for other in contracts.values():
        for name, column in other.columns.items():
            for source in column.sources:
                if source.rpartition(".")[0] == table:
                    feeds.setdefault(source.rpartition(".")[2], []).append(f"{other.table}.{name}")
    return feeds


def verdict(found: list[TableDiff]) -> Verdict:
    """What differences amount to."""
    if any(change.breaking for each in found for change in each.changes):
        return Verdict.BREAKING
    return Verdict.SAFE if found else Verdict.NONE


def shown(found: list[TableDiff]) -> str:
    """Differences as text, table by table, breaking ones first."""
    lines = []
    for each in found:
        terms = each.now or each.before
        versions = " → ".join(dict.fromkeys(side.version for side in (each.before, each.now) if side))
        lines.append(f"{each.table} ({terms.file if terms else ''}, version {versions})")
        for change in each.changes:
            whom = f" [{', '.join(change.whom)}]" if change.whom else ""
            lines.append(f"  {'breaking' if change.breaking else 'safe    '}  {change.what}{whom}")
            if change.breaking and change.column in each.feeds:
                lines.append(f"            feeds {', '.join(each.feeds[change.column])}")
        if each.demanded:
            lines.append(f"  demanded  version {each.demanded}")
    return "\n".join(lines) or "no difference"


@contextmanager
def contracts_at(base: str, folder: Path) -> Iterator[Path]:
    """The folder of earlier contracts: one that is named, or that of a git revision, laid out for the time being.

    Args:
        base: A folder, or a revision.
        folder: Where the contracts of today lie, in a git repository.

    Raises:
        FaultsError: It is neither.
    """
    if Path(base).is_dir():
        yield Path(base)
        return
    git = ["git", "-C", str(folder.parent)]
    listed = subprocess.run(
        [*git, "ls-tree", "-r", "--name-only", f"{base}:{folder.name}"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        remedy = "name a branch, tag or commit of this repository that has the folder, or a folder of contracts"
        received = f"{base!r}: {listed.stderr.strip().removeprefix('fatal: ')}"
        raise FaultsError([Fault(file=base, received=received, allowed="a revision or a folder", remedy=remedy)])
    with tempfile.TemporaryDirectory() as scratch:
        earlier = Path(scratch) / folder.name
        earlier.mkdir()
        for name in listed.stdout.splitlines():
            if name.endswith(".yaml"):
                show = [*git, "show", f"{base}:{folder.name}/{name}"]
                (earlier / name).parent.mkdir(exist_ok=True)
                (earlier / name).write_bytes(subprocess.run(show, capture_output=True, check=True).stdout)
        yield earlier


def compare_with(base: str, folder: Path) -> list[TableDiff]:
    """Compares the contracts of a folder with earlier ones.

    Args:
        base: A git revision, or a folder.
        folder: The contracts of today.

    Raises:
        FaultsError: Contracts of either cannot be read, or there are none.
    """
    with contracts_at(base, folder) as earlier:
        return diff(read_terms(earlier), read_terms(folder))
