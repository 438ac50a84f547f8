"""Quartz cron expressions: the next time at which a schedule fires.

Fields are seconds, minutes, hours, day of month, month, day of week, and optionally year. Each can have `*`, lists,
ranges, steps and names. A day of month can also be `L` (the last day), `L-3` (three days before the last), `15W` (the
weekday nearest to the 15th, in the same month) or `LW` (the last weekday); a day of week `L` (Saturday), `6L` (the last
Friday) or `6#3` (the third Friday), with days from 1 or SUN to 7 or SAT. One of the two day fields is `?`. Years go
from 1970 to 2099. Source: Quartz's CronExpression, and its tutorial for `W`, which stands alone, and for the years.

Times that a clock leaves out when it is put forward do not fire; times that it shows twice fire once.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_YEARS = (1970, 2099)
_HORIZON_DAYS = 366 * 8 + 2  # the next 29 February can be eight years away, at the turn of a century


@dataclass(frozen=True)
class MonthDays:
    """The field "day of month".

    Attributes:
        numbers: Days by number; empty where they count from the last day.
        before_last: Days before the last day of the month; None where days have numbers.
        nearest_weekday: Whether the nearest day from Monday to Friday is meant, in the same month.
    """

    numbers: frozenset[int]
    before_last: int | None = None
    nearest_weekday: bool = False

    def include(self, day: date) -> bool:
        """Whether a date is one of these days of its month."""
        length = calendar.monthrange(day.year, day.month)[1]
        wanted = self.numbers if self.before_last is None else {length - self.before_last}
        days = (day.replace(day=number) for number in wanted if 1 <= number <= length)
        return day in (_nearest_weekday(other, length) if self.nearest_weekday else other for other in days)


@dataclass(frozen=True)
class Schedule:
    """One expression in one time zone."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    month_days: MonthDays | None
    months: frozenset[int]
    week_days: frozenset[int] | None
    nth_week_days: frozenset[tuple[int, int]]  # (day of week, k), k = 0 for the last of its month
    years: frozenset[int] | None
    zone: ZoneInfo

    @classmethod
    def parse(cls, expression: str, timezone: str) -> Schedule:
        """Reads an expression.

        Args:
            expression: The expression.
            timezone: Name of a time zone, such as `Europe/Zurich`.

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
            month_days=_month_days(parts[3]),
            months=_values(parts[4], 1, 12, _MONTHS),
            week_days=week,
            nth_week_days=nth,
            years=_values(parts[6], *_YEARS, {}) if len(parts) == 7 and parts[6] != "*" else None,
            zone=zone,
        )

    def after(self, moment: datetime) -> datetime | None:
        """Returns the first fire time (in UTC) after a moment (with a time zone), or None if there is none."""
        local_time = moment.astimezone(self.zone)
        for offset in range(_HORIZON_DAYS):
            day = local_time.date() + timedelta(days=offset)
            if self._on(day):
                for clock in self._clocks(
                    (local_time.hour, local_time.minute, local_time.second) if offset == 0 else (-1, 0, 0)
                ):
                    candidate = datetime.combine(day, clock, self.zone).astimezone(UTC)
                    if candidate > moment and candidate.astimezone(self.zone).time() == clock:
                        return candidate
        return None

    def _clocks(self, after: tuple[int, int, int]) -> Iterator[time]:
        """Fire times of a day, later than an hour, minute and second."""
        hours = self.hours[bisect_left(self.hours, after[0]) :]
        return (time(*clock) for clock in product(hours, self.minutes, self.seconds) if clock > after)

    def _on(self, day: date) -> bool:
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        if self.month_days is not None:
            return self.month_days.include(day)
        length = calendar.monthrange(day.year, day.month)[1]
        week_day = day.isoweekday() % 7 + 1
        nth = (week_day, (day.day + 6) // 7)
        last = day.day + 7 > length and (week_day, 0) in self.nth_week_days
        return week_day in (self.week_days or ()) or nth in self.nth_week_days or last


def _nearest_weekday(day: date, length: int) -> date:
    """The day itself, or the nearest one from Monday to Friday in a month of this length."""
    if day.isoweekday() == 6:
        return day + timedelta(days=2 if day.day == 1 else -1)
    if day.isoweekday() == 7:
        return day + timedelta(days=-2 if day.day == length else 1)
    return day


def _month_days(field: str) -> MonthDays | None:
    if field == "?":
        return None
    if match := re.fullmatch(r"L(?:-([0-9]|[12][0-9]|30))?(W)?", field):
        return MonthDays(frozenset(), int(match[1] or 0), match[2] is not None)
    if match := re.fullmatch(r"([0-9]+)W", field):
        return MonthDays(frozenset({_number(match[1], 1, 31, {})}), nearest_weekday=True)
    return MonthDays(_values(field, 1, 31, {}))


def _week_days(field: str) -> tuple[frozenset[tuple[int, int]], frozenset[int] | None]:
    if field == "?":
        return frozenset(), None
    if field == "L":
        return frozenset(), frozenset({7})
    if match := re.fullmatch(r"([1-7]|[A-Z]{3})(?:#([1-5])|L)", field):
        return frozenset({(_number(match[1], 1, 7, _DAYS), int(match[2] or 0))}), None
    return frozenset(), _values(field, 1, 7, _DAYS)


def _values(field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """The numbers that a field selects between a lowest and a highest one."""
    values: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*" or (not span and slash):
            start, end = low, high
        else:
            start = _number(first, low, high, names)
            end = _number(last, low, high, names) if dash else high if slash else start
        if slash and not (step_text.isdecimal() and 1 <= int(step_text) <= high):
            raise ValueError(f"{part!r} has no step from 1 to {high} after '/'")
        count = high - low + 1
        if end < start:  # such as the hours 22-4, over midnight
            if (low, high) == _YEARS:
                raise ValueError(f"{part!r} ends before it begins")
            end += count
        values.update(low + (value - low) % count for value in range(start, end + 1, int(step_text or 1)))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if text.isdecimal() else -1)
    if not low <= number <= high:
        allowed = f" or one of {', '.join(names)}" if names else ""
        raise ValueError(f"{text!r} in a schedule is not a number from {low} to {high}{allowed}")
    return number
