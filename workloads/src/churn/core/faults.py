"""Faults in hand-written files (settings, contracts, requests), collected and reported together, each with its remedy.

Imports neither Spark nor a provider SDK: the program that deploys the platform uses these modules too.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MAXIMUM_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        file: The file as its author knows it.
        line: Line of the property, or of what should hold it, counted from 1; None where no line is known.
        field: Path of the property, such as `churn:platform.compute.workers`; empty for the whole file.
        received: The value that was read, as text; never a secret.
        allowed: The values that are accepted.
        remedy: What to do; it does not repeat `allowed`.
    """

    file: str
    line: int | None = None
    field: str = ""
    received: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        """The fault as one line: `file:line: field: received …; allowed: …; remedy: …`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = f"{place}: {self.field}" if self.field else place
        return f"{where}: received {self.received}; allowed: {self.allowed}; remedy: {self.remedy}"


class FaultsError(ValueError):
    """Raised with all faults of the files that were read, by file and line; a retry does not help."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Sorts the faults and writes the error's text, a line for each.

        Args:
            faults: At least one, in any order.
        """
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line or 0, fault.field)))
        files = sorted({fault.file for fault in self.faults})
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n  ".join([f"{count} in {', '.join(files)}", *map(str, self.faults)]))


def shown(value: Any) -> str:
    """The value as its author wrote it, shortened; an encrypted value is not shown."""
    if isinstance(value, dict) and "secure" in value:
        return "a secret"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MAXIMUM_SHOWN_CHARACTERS else text[:MAXIMUM_SHOWN_CHARACTERS] + "…"


def choices(values: Iterable[str]) -> str:
    """The accepted values as text, sorted."""
    return ", ".join(sorted(values))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most resembles after its namespace; None if none resembles it."""
    endings = {each.rpartition(":")[2]: each for each in sorted(known)}
    close = difflib.get_close_matches(name.rpartition(":")[2], endings, n=1)
    return endings[close[0]] if close else None
