"""Feeds: whether what a source delivers for a day is there, and as much as is usual. No I/O.

What is usual follows from the feed's own history, on days that are comparable: the same weekdays, and the same days of
the month, since bills and campaigns have a calendar of their own. A holiday that lies on a fixed date is comparable
with the one of the year before. Only too few rows are looked for, so that growth raises no alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from churn.core.contract import Contract

WEEKS = 6  # of the same weekday before a day; more would take long to follow a feed that shrinks
MONTHS = 3  # in which the same day of the month is looked up
LEAST_WEEKS = 4  # with fewer a median and a spread say little
# A feed is short below this share of the usual: a halved one is, and days of a steady one hardly ever.
LEAST_SHARE = 0.6
# Shewhart's control limit: three standard deviations (Economic Control of Quality of Manufactured Product, 1931). Of
# counts the deviation is at least the square root of the count, as Poisson's law has it.
DEVIATIONS = 3.0
# Standard deviation of a normal law over its median absolute deviation: one odd day among eight does not move it
# (Rousseeuw and Croux, Alternatives to the Median Absolute Deviation, 1993).
DEVIATION_OF_MEDIAN = 1.4826
GAP_DAYS = 28  # within which a day that was left out is named


@dataclass(frozen=True)
class Came:
    """Files of one folder's day.

    Attributes:
        admitted: Number of files that were admitted.
        quarantined: Number of files that were set aside whole.
    """

    admitted: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Usual:
    """What is usual for a day.

    Attributes:
        middle: Median of the rows of the same weekdays.
        least: The fewest rows that raise no alarm; at least one where each comparable day had rows.
        weeks: Number of the weekdays that it was taken from.
    """

    middle: float
    least: float
    weeks: int


@dataclass(frozen=True)
class Feed:
    """A feed up to a day.

    Attributes:
        contract: Of its table.
        day: The logical date.
        files: What came, by the day of the folder; empty for a topic.
        rows: Accepted rows by the day that they are dated, on the days of `days_to_count`.
    """

    contract: Contract
    day: date
    files: Mapping[date, Came]
    rows: Mapping[date, int]

    def usual(self, day: date) -> Usual | None:
        """What is usual for a day; None where history has too few comparable days."""
        weekdays, dates = weekdays_before(day), dates_before(day)
        first = min((each for each in (*weekdays, *dates) if self.rows.get(each)), default=day)
        weekly = [self.rows.get(each, 0) for each in weekdays if each >= first]
        shares = [self._share(each) for each in dates if each >= first]
        if len(weekly) < LEAST_WEEKS or not shares:
            return None
        middle = median(weekly)
        spread = DEVIATION_OF_MEDIAN * median(abs(count - middle) for count in weekly)
        within = middle - DEVIATIONS * max(spread, middle**0.5)
        quiet = min((share for share in shares if share < LEAST_SHARE), default=1.0)
        floor = 1.0 if all(weekly) and all(shares) else 0.0
        return Usual(middle, max(min(LEAST_SHARE * middle, within) * quiet, floor), len(weekly))

    def _share(self, day: date) -> float:
        """Rows of a day over those of the same weekday around it: far below 1 where little is due on such a date."""
        around = sum(self.rows.get(each, 0) for each in weekdays_around(day)) / 2
        return self.rows.get(day, 0) / around if around else 1.0

    def is_dead(self, day: date) -> bool:
        """Whether a day has no rows although rows were due."""
        usual = self.usual(day)
        return usual is not None and not self.rows.get(day) and usual.least > 0

    def is_short(self, day: date) -> bool:
        """Whether a day has fewer rows than are usual; one that is dead has."""
        usual = self.usual(day)
        return usual is not None and self.rows.get(day, 0) < usual.least

    def came(self, day: date) -> bool:
        """Whether a file of a day was admitted, and its rows too where rows were due."""
        return self.files.get(day, Came()).admitted > 0 and not self.is_dead(day)

    def missing(self) -> list[date]:
        """The newest days in a row that have not come, the logical date first; the contract's latency limits them."""
        days = judged_days(self.contract, self.day)
        newest = next((number for number, day in enumerate(days) if self.came(day)), len(days))
        return days[:newest]

    def gaps(self) -> list[date]:
        """Days that were left out between others of the last weeks.

        A source's days begin with the first two files that are as far apart as the contract says: before that, a source
        delivers its history, in whatever parts.
        """
        step = timedelta(days=_days(self.contract.service.frequency))
        delivered = sorted(day for day, came in self.files.items() if came.admitted and day <= self.day)
        pairs = list(pairwise(delivered))
        begun = next((one for one, other in pairs if other - one == step), None)
        if begun is None:
            return []
        left_out = [
            one + number * step
            for one, other in pairs
            if one >= begun
            for number in range(1, -(-(other - one).days // step.days))
        ]
        return [day for day in left_out if day > self.day - timedelta(days=GAP_DAYS)]


def judged_days(contract: Contract, day: date) -> list[date]:
    """The days that may still be on the way by the contract, and the one before them; the logical date first."""
    service = contract.service
    late = _days(service.frequency) - 1 + service.latency.days
    return [day - timedelta(days=number) for number in range(late + 1)]


def days_to_count(contract: Contract, day: date) -> list[date]:
    """All days whose rows are counted to judge a feed."""
    judged = judged_days(contract, day)
    weekdays = (other for each in judged for other in weekdays_before(each))
    dates = [other for each in judged for other in dates_before(each)]
    return sorted({*judged, *weekdays, *dates, *(other for each in dates for other in weekdays_around(each))})


def weekdays_before(day: date) -> list[date]:
    """The same weekdays of the weeks before a day."""
    return [day - timedelta(weeks=number) for number in range(1, WEEKS + 1)]


def weekdays_around(day: date) -> list[date]:
    """The same weekday a week before a day and a week after it."""
    return [day - timedelta(weeks=1), day + timedelta(weeks=1)]


def dates_before(day: date) -> list[date]:
    """The same day of the months before a day, and of the year before; months that lack it are left out."""
    wanted = (*range(1, MONTHS + 1), 12)
    months = [divmod(day.year * 12 + day.month - 1 - number, 12) for number in wanted]
    return [found for year, month in months if (found := _date(year, month + 1, day.day))]


def named(days: Sequence[date]) -> str:
    """Days with their weekdays, in order, for a sentence."""
    return ", ".join(f"{day} ({day:%A})" for day in sorted(days))


def _days(length: timedelta) -> int:
    """A length in whole days, at least one."""
    return max(length.days, 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # such as 30 February
        return None
