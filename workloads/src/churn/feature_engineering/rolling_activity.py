"""Rolling activity of a customer: one definition, without Spark, for the online store and for points in time.

It reads what is known of each day and looks back from one date. A day that is dated later does not count, so that the
same call gives what was true at any past date. Windows are of calendar days in UTC and end with that date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

KEPT_DAYS = 90  # of a customer's past: the longest window, usage_trend's 60 days, with room; a streak ends there


@dataclass(frozen=True)
class Day:
    """What a customer did on one day.

    Attributes:
        on: The day, in UTC.
        sessions: Sessions that started.
        core_uses: Uses of a core feature: calls, data, streams.
        core_minutes: Minutes of these.
    """

    on: date
    sessions: int = 0
    core_uses: int = 0
    core_minutes: float = 0.0

    @property
    def used(self) -> bool:
        """Whether the customer used the service: by a session or a core feature."""
        return self.sessions > 0 or self.core_uses > 0


@dataclass(frozen=True)
class Activity:
    """Rolling activity of a customer at a date.

    Attributes:
        sessions_7d: Sessions of the last 7 days.
        sessions_30d: Sessions of the last 30 days.
        days_since_last_use: Days since the last day of use, 0 for the date itself; None without one.
        streak_days: Days of use in a row that end with the date, or with the day before, since the date is not over.
        core_minutes_7d: Minutes on core features in the last 7 days.
        core_minutes_30d: Minutes on core features in the last 30 days.
    """

    sessions_7d: int
    sessions_30d: int
    days_since_last_use: int | None
    streak_days: int
    core_minutes_7d: float
    core_minutes_30d: float


@dataclass(frozen=True)
class Usage:
    """The features of the group `usage` at a date, from days instead of events."""

    events_7d: int
    events_30d: int
    usage_trend: float


def rolling(days: Iterable[Day], on: date) -> Activity:
    """Looks back from a date.

    Args:
        days: What is known of one customer's days, each at most once, in any order.
        on: The date.
    """
    past = [day for day in days if day.on <= on]
    used = {day.on for day in past if day.used}
    end = on if on in used else on - timedelta(days=1)
    streak = 0
    while end - timedelta(days=streak) in used:
        streak += 1
    week, month = _within(past, on, 7), _within(past, on, 30)
    return Activity(
        sum(day.sessions for day in week),
        sum(day.sessions for day in month),
        (on - max(used)).days if used else None,
        streak,
        sum((day.core_minutes for day in week), 0.0),  # a float without any day, too: the store takes no mixed column
        sum((day.core_minutes for day in month), 0.0),
    )


def usage(days: Iterable[Day], on: date) -> Usage:
    """What the group `usage` of features gives at a date: the same windows and the same ratio, from counts by day."""
    past = list(days)
    counts = {length: sum(day.core_uses for day in _within(past, on, length)) for length in (7, 30, 60)}
    return Usage(counts[7], counts[30], (counts[30] + 1) / (counts[60] - counts[30] + 1))


def _within(days: Iterable[Day], on: date, length: int) -> list[Day]:
    """Days in (on - length, on]."""
    return [day for day in days if on - timedelta(days=length) < day.on <= on]
