"""Quartz cron expressions: when a schedule fires next.

Fields are seconds, minutes, hours, day of month, month, day of week, and optionally year. Known are `*`, `?`, lists,
ranges, steps, names, and for days `L` (day of month; Saturday as day of week), `nL` and `n#k` (day of week, 1 or SUN to
7 or SAT). Source: Quartz's CronExpression. Not known, and refused: `W`, `LW`, `L-n`.

Where the clock is put forward, times that it leaves out do not fire; where it is put back, times that it shows twice
fire once.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_HORIZON_DAYS = 366 * 8 + 2  # a 29 February may be eight years off, at the turn of a century


@dataclass(frozen=True)
class Schedule:
    """One expression in one time zone."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    month_days: frozenset[int] | None
    last_day: bool
    months: frozenset[int]
    week_days: frozenset[int] | None
    nth_week_days: frozenset[tuple[int, int]]  # (day of week, k), k = 0 for the last of its month
    years: frozenset[int] | None
    zone: ZoneInfo

    @classmethod
    def parse(cls, expression: str, timezone: str) -> Schedule:
        """Reads an expression.

        Raises:
            ValueError: The expression or the time zone is wrong; the text names the part.
        """
        parts = expression.upper().split()
        if len(parts) not in (6, 7):
            raise ValueError(f"a Quartz expression has 6 or 7 fields, {expression!r} has {len(parts)}")
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {timezone!r}") from error
        if (parts[3] == "?") == (parts[5] == "?"):
            raise ValueError(f"exactly one of day of month and day of week must be '?' in {expression!r}")
        nth, week = _week_days(parts[5])
        return cls(
            hours=tuple(sorted(_values(parts[2], 0, 23, {}))),
            minutes=tuple(sorted(_values(parts[1], 0, 59, {}))),
            seconds=tuple(sorted(_values(parts[0], 0, 59, {}))),
            month_days=None if parts[3] in ("?", "L") else _values(parts[3], 1, 31, {}),
            last_day=parts[3] == "L",
            months=_values(parts[4], 1, 12, _MONTHS),
            week_days=week,
            nth_week_days=nth,
            years=_values(parts[6], 1970, 2199, {}) if len(parts) == 7 and parts[6] != "*" else None,
            zone=zone,
        )

    def after(self, moment: datetime) -> datetime | None:
        """The first time (in UTC) it fires after a moment (with a time zone), or None if it never does again."""
        here = moment.astimezone(self.zone)
        for offset in range(_HORIZON_DAYS):
            day = here.date() + timedelta(days=offset)
            if self._on(day):
                for clock in self._clocks((here.hour, here.minute, here.second) if offset == 0 else (-1, 0, 0)):
                    candidate = datetime.combine(day, clock, self.zone).astimezone(UTC)
                    if candidate > moment and candidate.astimezone(self.zone).time() == clock:
                        return candidate
        return None

    def _clocks(self, after: tuple[int, int, int]) -> Iterator[time]:
        """Times of day at which it fires, later than an hour, minute and second."""
        hours = self.hours[bisect_left(self.hours, after[0]) :]
        return (time(*clock) for clock in product(hours, self.minutes, self.seconds) if clock > after)

    def _on(self, day: date) -> bool:
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.last_day:
            return day.day == length
        if self.month_days is not None:
            return day.day in self.month_days
        week_day = day.isoweekday() % 7 + 1
        nth = (week_day, (day.day + 6) // 7)
        last = day.day + 7 > length and (week_day, 0) in self.nth_week_days
        return week_day in (self.week_days or ()) or nth in self.nth_week_days or last


def _week_days(field: str) -> tuple[frozenset[tuple[int, int]], frozenset[int] | None]:
    if field == "?":
        return frozenset(), None
    if field == "L":
        return frozenset(), frozenset({7})
    if found := re.fullmatch(r"([1-7]|[A-Z]{3})(?:#([1-5])|L)", field):
        return frozenset({(_number(found[1], 1, 7, _DAYS), int(found[2] or 0))}), None
    return frozenset(), _values(field, 1, 7, _DAYS)


def _values(field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step_text = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?") or (not span and step_text):
            start, end = low, high
        else:
            start = _number(first, low, high, names)
            end = _number(last, low, high, names) if dash else high if step_text else start
        if "/" in part and not (step_text.isdecimal() and int(step_text) > 0):
            raise ValueError(f"{part!r} has no step after '/'")
        step = int(step_text) if step_text else 1
        count = high - low + 1
        if end < start:  # as 22-4, past the last value
            end += count
        found.update(low + (value - low) % count for value in range(start, end + 1, step))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if text.isdecimal() else -1)
    if not low <= number <= high:
        allowed = f" or one of {', '.join(names)}" if names else ""
        raise ValueError(f"{text!r} in a schedule is not a number from {low} to {high}{allowed}")
    return number
