"""The time, in the two forms in which Databricks writes it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def timestamp(moment: datetime | None = None) -> str:
    """Writes a moment (now if left out) in UTC, such as `2026-01-31T05:00:00.000Z`; the texts sort by time."""
    utc = (moment or datetime.now(UTC)).astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
