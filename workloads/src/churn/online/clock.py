"""The clock of what runs with the stream, and nothing else: all other code depends on dates that it is given."""

from __future__ import annotations

from datetime import UTC, datetime


def moment() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
