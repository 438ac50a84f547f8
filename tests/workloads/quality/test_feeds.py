"""What is usual of a feed, and which of its days are late, short or left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from churn.core.contract import contract_of
from churn.quality.feeds import Came, Feed, dates_before, days_to_count, judged_days, weekdays_before
from churn.simulation.deliveries import deliveries as planned
from churn.simulation.deliveries import delivery_rows
from churn.simulation.world import grow

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE = contract_of("usage")
DAY = date(2026, 5, 12)  # a Tuesday
SNAPSHOT = date(2026, 1, 31)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def steady(since: date = date(2025, 5, 1), rows: int = 900) -> dict[date, int]:
    """As many rows each day, but half as many on Sundays."""
    return {day: rows // 2 if day.isoweekday() == 7 else rows for day in days(since, DAY)}


def feed(rows: Mapping[date, int] | None = None, files: Mapping[date, Came] | None = None, day: date = DAY) -> Feed:
    every = {each: Came(1) for each in days(date(2026, 1, 1), day)}
    return Feed(USAGE, day, every if files is None else files, steady() if rows is None else rows)


def changed(**rows: int) -> dict[date, int]:
    """A steady feed with other numbers on some days, named as `d2026_05_12`."""
    return {**steady(), **{date.fromisoformat(name[1:].replace("_", "-")): number for name, number in rows.items()}}


def test_days_are_compared_with_the_same_weekdays_and_days_of_the_month() -> None:
    assert weekdays_before(DAY)[:2] == [date(2026, 5, 5), date(2026, 4, 28)]
    assert dates_before(date(2026, 3, 31)) == [date(2026, 1, 31), date(2025, 12, 31), date(2025, 3, 31)]
    assert dates_before(date(2028, 2, 29))[-1] == date(2027, 11, 29), "29 February was not in 2027"


def test_few_days_are_read() -> None:
    assert judged_days(USAGE, DAY) == [DAY, date(2026, 5, 11)], "one may be on the way: the latency is a day"
    assert len(days_to_count(USAGE, DAY)) <= 2 * (1 + 6 + 4 * 3)


@pytest.mark.parametrize(
    ("rows", "short", "dead"),
    [
        ({}, False, False),
        ({"d2026_05_12": 545}, False, False),
        ({"d2026_05_12": 450}, True, False),
        ({"d2026_05_12": 0}, True, True),
        ({"d2026_05_12": 5000}, False, False),
        ({"d2026_05_05": 0, "d2026_05_12": 0}, True, True),  # a feed that was dead a week ago too
        ({"d2026_04_12": 0, "d2026_05_12": 0}, False, False),  # nothing is due on the 12th
        ({"d2025_05_12": 10, "d2026_05_12": 9}, False, False),  # a holiday, which the last year had
    ],
)
def test_a_halved_or_dead_day_is_seen_and_no_other(rows: dict[str, int], short: bool, dead: bool) -> None:
    judged = feed(changed(**rows))
    assert (judged.is_short(DAY), judged.is_dead(DAY)) == (short, dead)


def test_weekdays_are_compared_with_their_own_kind() -> None:
    sunday = date(2026, 5, 10)
    assert not feed().is_short(sunday)
    assert feed(changed(d2026_05_11=450)).is_short(date(2026, 5, 11)), "as many as on Sundays, on a Monday"


def test_growth_and_a_slow_decline_raise_no_alarm() -> None:
    every = days(date(2025, 9, 1), DAY)
    for factor in (1.01, 0.99):
        grown = {day: round(900 * factor**number) for number, day in enumerate(every)}
        assert not any(feed(grown).is_short(day) for day in every[-30:])


def test_a_small_feed_is_not_judged_by_chance() -> None:
    assert not feed(dict.fromkeys(steady(), 12) | {DAY: 4}).is_short(DAY), "4 where 12 are usual happens"
    assert feed(dict.fromkeys(steady(), 12) | {DAY: 0}).is_dead(DAY)


def test_one_odd_day_does_not_hide_the_next() -> None:
    assert feed(changed(d2026_05_05=9000, d2026_04_28=0, d2026_05_12=450)).is_short(DAY)


@pytest.mark.parametrize("weeks", [0, 1, 3])
def test_without_history_nothing_is_judged(weeks: int) -> None:
    young = steady(since=DAY - timedelta(weeks=weeks)) | {DAY: 0}
    assert feed(young).usual(DAY) is None
    assert not feed(young).is_short(DAY)
    assert not feed(young).is_dead(DAY)


def test_days_that_have_not_come_are_named_newest_first() -> None:
    files = {day: Came(1) for day in days(date(2026, 4, 1), date(2026, 5, 10))}
    assert feed(files=files).missing() == [DAY, date(2026, 5, 11)]
    assert feed(files=files | {DAY: Came(0, 1)}).missing() == [DAY, date(2026, 5, 11)], "it was set aside whole"
    assert feed(files=files | {DAY: Came(1)}).missing() == []
    assert feed(files=files | {date(2026, 5, 11): Came(1)}).missing() == [DAY]


def test_a_file_without_rows_where_rows_are_due_has_not_come() -> None:
    assert feed(changed(d2026_05_12=0)).missing() == [DAY]
    assert feed(changed(d2026_05_12=0, d2026_05_11=0)).missing() == [DAY, date(2026, 5, 11)]
    assert feed(changed(d2026_05_12=450)).missing() == [], "a short one has"


def test_a_weekly_source_is_given_its_week() -> None:
    weekly = replace(USAGE, service=replace(USAGE.service, frequency=timedelta(days=7)))
    files = {DAY - timedelta(days=1 + 7 * number): Came(1) for number in range(4)}
    judged = Feed(weekly, DAY, files, {})
    assert len(judged.missing()) == 1, "less than a week"
    assert judged.gaps() == []
    del files[date(2026, 5, 4)]
    assert judged.gaps() == [date(2026, 5, 4)]


def test_a_day_that_was_left_out_is_a_gap() -> None:
    every = {day: Came(1) for day in days(date(2026, 4, 1), DAY)}
    assert feed(files=every).gaps() == []
    without = {day: came for day, came in every.items() if day not in (date(2026, 5, 8), date(2026, 5, 9))}
    assert feed(files=without).gaps() == [date(2026, 5, 8), date(2026, 5, 9)]
    assert feed(files=every | {date(2026, 5, 8): Came(0, 1)}).gaps() == [date(2026, 5, 8)]
    newest = {day: came for day, came in every.items() if day < date(2026, 5, 11)}
    assert feed(files=newest).gaps() == [], "the newest days may be late, which is another check's"
    old = {day: came for day, came in every.items() if day != date(2026, 4, 10)}
    assert feed(files=old).gaps() == [], "it was named for four weeks"


def test_history_in_parts_of_a_month_has_no_gaps() -> None:
    files = {
        date(2026, 1, 30): Came(1),
        date(2026, 3, 1): Came(1),
        date(2026, 3, 31): Came(1),
        date(2026, 4, 30): Came(1),
    }
    assert feed(files=files | {day: Came(1) for day in days(date(2026, 5, 1), DAY)}).gaps() == []
    assert feed(files=files).gaps() == []


@pytest.mark.parametrize("domain", ["transactions", "usage"])
def test_the_simulated_world_raises_no_alarm(domain: str) -> None:
    """Bills have no rows on the days after the 28th of a month."""
    until = date(2026, 3, 2)
    world, contract, rows = grow(SNAPSHOT, until, 7), contract_of(domain), dict[date, int]()
    for number, delivery in enumerate(planned(SNAPSHOT, until)):
        delivered = delivery_rows(domain, world, delivery, initial=number == 0, seed=7)
        for day, count in delivered[contract.service.dated].value_counts().items():
            rows[day] = count
    for day in days(SNAPSHOT, until):
        judged = Feed(contract, day, {}, rows)
        assert judged.usual(day) is not None
        assert not judged.is_short(day), day
