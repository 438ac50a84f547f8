"""Quartz expressions, which Databricks takes as schedules of jobs.

Source: Quartz's CronExpression and its tutorial,
https://www.quartz-scheduler.org/documentation/quartz-2.5.x/tutorials/crontrigger.html. The local workspace has a reader
of its own; both are tested with the same cases.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from infra.written.sections import wrong_value

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

YEARS = range(2026, 2036)  # in which clock changes are looked for
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Unit:
    """Unit that one field of an expression counts.

    Attributes:
        name: Name for messages.
        lowest: Lowest number.
        highest: Highest number, which is also the largest step.
        names: Names that can be written instead of numbers.
        alone: Pattern of values that only the whole field can have, in capitals.
        wraps: Whether a range may pass the highest number, as the hours 22-4 do.
    """

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    alone: str = r"(?!)"  # nothing
    wraps: bool = True

    def has(self, value: str) -> bool:
        """Whether a text is a number or a name of the unit; numbers may have a leading zero."""
        return value in self.names or (
            re.fullmatch(r"\d{1,2}|\d{4}", value) is not None and self.lowest <= int(value) <= self.highest
        )

    def takes(self, part: str) -> bool:
        """Whether a field may have this part of a list."""
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and 1 <= int(step) <= self.highest):
            return False
        if span == "*" or (slash and not span):
            return True
        first, dash, last = span.partition("-")
        in_order = self.wraps or not dash or first <= last
        return self.has(first) and (not dash or self.has(last)) and in_order

    def numbers(self, field: str) -> set[int]:
        """The numbers that a field selects, of a unit without names whose lowest number is 0."""
        found: set[int] = set()
        for part in field.split(","):
            span, slash, step = part.partition("/")
            first, dash, last = span.partition("-")
            start = 0 if first in ("", "*") else int(first)
            end = int(last) if dash else self.highest if slash or first == "*" else start
            ahead = range(start, end + 1 if end >= start else end + self.highest + 2, int(step or 1))
            found.update(number % (self.highest + 1) for number in ahead)
        return found


UNITS = (
    Unit("seconds", 0, 59),
    Unit("minutes", 0, 59),
    Unit("hours", 0, 23),
    Unit("day of month", 1, 31, alone=r"\?|L(-([12]?\d|30))?W?|(0?[1-9]|[12]\d|3[01])W"),
    Unit("month", 1, 12, MONTHS),
    Unit("day of week", 1, 7, WEEKDAYS, alone=rf"\?|L|([1-7]|{'|'.join(WEEKDAYS)})(L|#[1-5])"),
    Unit("year", 1970, 2099, wraps=False),
)


def check_quartz(expression: str) -> str:
    """Refuses an expression that Quartz cannot read, and returns every other."""
    if not re.fullmatch(r"[\w*?/,#-]+( [\w*?/,#-]+){5,6}", expression, re.ASCII):
        allowed = "six or seven fields of letters, digits and *?/,#- with one blank between them"
        raise wrong_value(allowed, "write a field for each unit, in their order")
    fields = expression.upper().split(" ")
    for number, (unit, field) in enumerate(zip(UNITS, fields, strict=False), start=1):
        for part in [] if re.fullmatch(unit.alone, field) else field.split(","):
            if not unit.takes(part):
                names = f" or {unit.names[0]} to {unit.names[-1]}" if unit.names else ""
                allowed = f"for {unit.name} numbers from {unit.lowest} to {unit.highest}{names}, * for all"
                raise wrong_value(allowed, f"replace {part!r} in field {number}")
    if (fields[3] == "?") == (fields[5] == "?"):
        remedy = "write * instead of one ?" if fields[3] == "?" else "write ? instead of the one that restricts no days"
        raise wrong_value("? for exactly one of day of month and day of week, as in 0 0 5 * * ?", remedy)
    return expression


QuartzExpression = Annotated[str, AfterValidator(check_quartz)]


def skipped_time(expression: str, timezone: str) -> dt.datetime | None:
    """Returns the first time of day of an expression, with its day, that a clock skips, if it leaves none of that day.

    A clock that is put forward skips an hour, or another span. The days of the expression do not count: a schedule is
    meant to be right whatever its days become.

    Args:
        expression: As `check_quartz` accepts it.
        timezone: A name of the IANA time zone database.
    """
    fields, zone = expression.upper().split(" "), ZoneInfo(timezone)
    minutes, hours = (unit.numbers(field) for unit, field in zip(UNITS[1:3], fields[1:3], strict=True))
    clocks = [dt.time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)]
    day = dt.date(YEARS.start, 1, 1)
    while day.year < YEARS.stop:
        if zone.utcoffset(_noon(day)) != zone.utcoffset(_noon(day - DAY)):
            for begun in (day - DAY, day):  # between two noons
                if all(_is_skipped(dt.datetime.combine(begun, clock, zone)) for clock in clocks):
                    return dt.datetime.combine(begun, clocks[0])
        day += DAY
    return None


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12))


def _is_skipped(moment: dt.datetime) -> bool:
    """Whether no clock of the moment's zone ever shows the moment."""
    return moment.astimezone(dt.UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None)
