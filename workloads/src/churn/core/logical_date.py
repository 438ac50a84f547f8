"""Logical date of a run, read from the job's parameter `date`.

A person writes a day. The schedule writes the moment that it was due, which Databricks gives in UTC, with the time zone
of the schedule and the days that the logical date lies behind: `2026-02-02T21:00:00Z[Asia/Tokyo]-1d`. The form of the
first two is that of RFC 9557. So the logical date depends on the parameter alone, and a run that waited, or that is
repaired, keeps its day.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MOMENT = re.compile(r"(?P<moment>[^\[\]]+)\[(?P<zone>[^\[\]]+)\](?:-(?P<behind>\d{1,4})d)?", re.ASCII)
_FORM = "write YYYY-MM-DD, or a moment with its time zone, such as 2026-02-02T21:00:00Z[Asia/Tokyo]-1d"


def logical_date(text: str) -> date:
    """The day that a text names: itself, or the day of a moment in a time zone, less the days behind.

    Args:
        text: `YYYY-MM-DD`, or `<moment>[<zone>]`, perhaps with `-<days>d`. A moment without an offset is in UTC.

    Raises:
        argparse.ArgumentTypeError: It names no day.
    """
    try:
        if moment := _MOMENT.fullmatch(text):
            return _day(moment["moment"], moment["zone"]) - timedelta(days=int(moment["behind"] or 0))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except (ValueError, KeyError, OSError, OverflowError) as error:  # ZoneInfo: unknown, not a name, a folder of names
        raise argparse.ArgumentTypeError(f"{text!r} is no day: {error}; {_FORM}") from error
    raise argparse.ArgumentTypeError(f"{text!r} is no day: {_FORM}")


def _day(moment: str, zone: str) -> date:
    """The day that a zone's calendar shows at a moment."""
    read = datetime.fromisoformat(moment)
    in_utc = read if read.tzinfo else read.replace(tzinfo=UTC)
    return in_utc.astimezone(ZoneInfo(zone)).date()
