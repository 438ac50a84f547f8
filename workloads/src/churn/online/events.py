"""A batch of events of silver.events, and what it adds to days and sessions. Plain Python: a batch is small."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from churn.online.event import Event
from churn.online.signals import SIGNALS

COLUMNS = ("customer_id", "session_id", "kind", "event_time", "event_date", "page", "feature", "enabled", "minutes")
TIMES = ("_broker_time", "_read_at", "_accepted_at")
WRITTEN = "written_at"  # the one moment of the way that no event has
HOPS = {
    "event_broker": ("event_time", "broker_time"),
    "broker_bronze": ("broker_time", "read_at"),
    "bronze_silver": ("read_at", "accepted_at"),
    "silver_online": ("accepted_at", WRITTEN),
    "event_online": ("event_time", WRITTEN),
}


@dataclass
class DayTotals:
    """What a batch adds to one day of a customer."""

    last_event_time: datetime
    events: int = 0
    sessions: int = 0
    core_uses: int = 0
    core_minutes: float = 0.0


@dataclass
class SessionPart:
    """What a batch says of one session.

    Attributes:
        last_event_at: Latest event.
        started_at: Its start, if the batch has it.
        ended_at: Its end, if the batch has it.
        counted: By signal: how many events count for it, and the latest of them.
    """

    last_event_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    counted: dict[str, tuple[int, datetime]] = field(default_factory=dict)


def days_of(events: Iterable[Event]) -> dict[tuple[str, date], DayTotals]:
    """What events add to days, by customer and day."""
    days: dict[tuple[str, date], DayTotals] = {}
    for event in events:
        key = event.customer_id, event.event_date
        totals = days.setdefault(key, DayTotals(event.event_time))
        totals.last_event_time = max(totals.last_event_time, event.event_time)
        totals.events += 1
        totals.sessions += event.kind == "session_start"
        if event.kind == "core_feature_use":
            totals.core_uses += 1
            totals.core_minutes += float(event.minutes or 0)
    return days


def sessions_of(events: Iterable[Event]) -> dict[tuple[str, str], SessionPart]:
    """What events say of sessions, by customer and session; the order in which they came does not matter."""
    sessions: dict[tuple[str, str], SessionPart] = {}
    for event in events:
        if event.session_id is None:
            continue
        part = sessions.setdefault((event.customer_id, event.session_id), SessionPart(event.event_time))
        part.last_event_at = max(part.last_event_at, event.event_time)
        if event.kind == "session_start":
            part.started_at = min(part.started_at or event.event_time, event.event_time)
        elif event.kind == "session_end":
            part.ended_at = max(part.ended_at or event.event_time, event.event_time)
        for signal in SIGNALS:
            if signal.counts(event):
                number, latest = part.counted.get(signal.name, (0, event.event_time))
                part.counted[signal.name] = number + 1, max(latest, event.event_time)
    return sessions


def freshness(events: Iterable[Event], written_at: datetime) -> dict[str, tuple[int, float, float, float]]:
    """How long each hop took: by its name the rows, and p50, p95, p99 in seconds. Files have no broker, and no part."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.broker_time is not None:
            for hop, (begin, end) in HOPS.items():
                began = getattr(event, begin)
                ended = written_at if end == WRITTEN else getattr(event, end)
                if began is not None and ended is not None:
                    seconds[hop].append((ended - began).total_seconds())
    return {
        hop: (len(values), *(percentile(sorted(values), share) for share in (0.5, 0.95, 0.99)))  # type: ignore[misc]  # three
        for hop, values in seconds.items()
    }


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of values does not exceed (the nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
