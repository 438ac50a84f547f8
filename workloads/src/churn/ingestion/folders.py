"""Day of a delivery, by the folder that it lies in: `2026-01-02`, or Hive's `date=2026-01-02` and `dt=2026-01-02`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath

DAY = re.compile(r"(?:(?:date|dt)=)?(\d{4}-\d{2}-\d{2})")
DAY_OF_FILE = rf"/{DAY.pattern}/"  # the same in the path of a file, as Spark's expressions of Java take it
REPAIRED = "repaired-"  # begins the name of a file with one repaired row, before the id of the row that it repairs
REPAIRED_ROW = rf"/{REPAIRED}([0-9a-f-]+)[.]"  # in the path of such a file
EXAMPLES = "2026-01-02, date=2026-01-02 or dt=2026-01-02"


def day_of(file: str) -> date | None:
    """Day that a delivered file's folders name; None if they name none, or several.

    Args:
        file: Path below the schema `landing`, `<domain>/<folders>/<name>`.
    """
    days = {day for folder in PurePosixPath(file).parts[1:-1] if (day := _day(folder))}
    return days.pop() if len(days) == 1 else None


def kept_folder(file: str) -> str:
    """Folder that a delivered file is kept in: its domain, then the day as YYYY-MM-DD, then its other folders.

    Files of one folder and one content are one delivery.
    """
    domain, *folders = PurePosixPath(file).parts[:-1]
    day = day_of(file)
    if day is None:
        return str(PurePosixPath(domain, *folders))
    return str(PurePosixPath(domain, day.isoformat(), *(folder for folder in folders if _day(folder) is None)))


def _day(folder: str) -> date | None:
    """Day that a folder is named after; None if it is named after none."""
    if match := DAY.fullmatch(folder):
        try:
            return date.fromisoformat(match[1])
        except ValueError:  # such as 2026-02-30
            return None
    return None
