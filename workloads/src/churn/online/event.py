"""One event of silver.events, as the online store reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as silver.events has it; the moments of the way are None for one that came in a file."""

    customer_id: str
    session_id: str | None
    kind: str
    event_time: datetime
    event_date: date
    page: str | None = None
    feature: str | None = None
    enabled: bool | None = None
    minutes: float | None = None
    broker_time: datetime | None = None
    read_at: datetime | None = None
    accepted_at: datetime | None = None
