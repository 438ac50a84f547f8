"""Quartz expressions: which are read, and when they fire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.workspace.jobs.quartz import Schedule
from tests.quartz_cases import INVALID, VALID, QuartzCase

# expression, time zone, after, next fire (UTC); the first four from Quartz's tutorial, read for the given moments
CASES = [
    ("0 15 10 ? * *", "UTC", "2026-11-23 10:15:00", "2026-11-24 10:15:00"),
    ("0 0/5 14 * * ?", "UTC", "2026-11-23 14:07:00", "2026-11-23 14:10:00"),
    ("0 15 10 ? * 6L", "UTC", "2026-11-23 00:00:00", "2026-11-27 10:15:00"),
    ("0 15 10 ? * 6#3", "UTC", "2026-11-23 00:00:00", "2026-12-18 10:15:00"),
    ("0 15 10 L * ?", "UTC", "2026-02-10 00:00:00", "2026-02-28 10:15:00"),
    ("0 0 12 29 2 ?", "UTC", "2026-01-01 00:00:00", "2028-02-29 12:00:00"),
    ("0 0 2 ? * MON-FRI", "UTC", "2026-11-27 03:00:00", "2026-11-30 02:00:00"),
    ("0 0 22-2 * * ?", "UTC", "2026-11-23 23:30:00", "2026-11-24 00:00:00"),
    ("0 0 22-4/2 * * ?", "UTC", "2026-11-23 22:30:00", "2026-11-24 00:00:00"),
    ("0 0 22-4/2 * * ?", "UTC", "2026-11-24 00:30:00", "2026-11-24 02:00:00"),
    ("0 0 12 ? * L", "UTC", "2026-11-23 00:00:00", "2026-11-28 12:00:00"),
    ("0 0 12 ? * /5", "UTC", "2026-11-23 00:00:00", "2026-11-27 12:00:00"),
    ("0 /20 * * * ?", "UTC", "2026-11-23 14:07:00", "2026-11-23 14:20:00"),
    ("0 30 5 * * ?", "Europe/Zurich", "2026-11-23 04:00:00", "2026-11-23 04:30:00"),
    ("0 30 5 * * ?", "Europe/Zurich", "2026-07-01 03:00:00", "2026-07-01 03:30:00"),
    ("0 0 0 1 1 ? 2030", "UTC", "2026-11-23 00:00:00", "2030-01-01 00:00:00"),
    # 15 August 2026 is a Saturday, 15 November a Sunday, 15 December a Tuesday
    ("0 0 5 15W * ?", "UTC", "2026-08-01 00:00:00", "2026-08-14 05:00:00"),
    ("0 0 5 15W * ?", "UTC", "2026-08-14 05:00:00", "2026-09-15 05:00:00"),
    ("0 0 5 15W * ?", "UTC", "2026-11-01 00:00:00", "2026-11-16 05:00:00"),
    ("0 0 5 15W * ?", "UTC", "2026-12-01 00:00:00", "2026-12-15 05:00:00"),
    # the nearest weekday stays in its month: 1 August 2026 is a Saturday, 28 February and 31 May are Saturday, Sunday
    ("0 0 5 1W * ?", "UTC", "2026-07-31 00:00:00", "2026-08-03 05:00:00"),
    ("0 0 5 1W * ?", "UTC", "2026-02-20 00:00:00", "2026-03-02 05:00:00"),
    ("0 0 5 31W * ?", "UTC", "2026-05-01 00:00:00", "2026-05-29 05:00:00"),
    ("0 0 5 31W * ?", "UTC", "2026-05-29 05:00:00", "2026-07-31 05:00:00"),
    ("0 0 5 LW * ?", "UTC", "2026-02-10 00:00:00", "2026-02-27 05:00:00"),
    ("0 0 5 LW * ?", "UTC", "2026-05-10 00:00:00", "2026-05-29 05:00:00"),
    ("0 0 5 LW * ?", "UTC", "2026-06-10 00:00:00", "2026-06-30 05:00:00"),
    ("0 0 5 L-3 * ?", "UTC", "2026-02-10 00:00:00", "2026-02-25 05:00:00"),
    ("0 0 5 L-3 * ?", "UTC", "2028-02-10 00:00:00", "2028-02-26 05:00:00"),
    ("0 0 5 L-0 * ?", "UTC", "2026-04-10 00:00:00", "2026-04-30 05:00:00"),
    ("0 0 5 L-30 * ?", "UTC", "2026-02-01 06:00:00", "2026-03-01 05:00:00"),
    ("0 0 5 L-3W * ?", "UTC", "2026-06-10 00:00:00", "2026-06-26 05:00:00"),
    ("0 0 5 L-2W * ?", "UTC", "2026-05-10 00:00:00", "2026-05-29 05:00:00"),
]


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_next_fire(expression: str, zone: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule.parse(expression, zone).after(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def _fires(expression: str, begin: str, count: int) -> list[str]:
    schedule, moment = Schedule.parse(expression, "Europe/Zurich"), datetime.fromisoformat(f"{begin}+00:00")
    fires = []
    for _ in range(count):
        moment = schedule.after(moment) or moment
        fires.append(f"{moment:%d %H:%M}")
    return fires


def test_a_time_that_comes_twice_fires_once() -> None:
    assert _fires("0 30 2 * * ?", "2026-10-24 12:00", 2) == ["25 00:30", "26 01:30"]
    # the clock shows 2 to 3 twice, from 00:00 to 02:00 UTC
    assert _fires("0 0/30 * * * ?", "2026-10-24 23:45", 3) == ["25 00:00", "25 00:30", "25 02:00"]


def test_a_time_that_does_not_come_does_not_fire() -> None:
    assert _fires("0 30 2 * * ?", "2026-03-28 00:00", 2) == ["28 01:30", "30 00:30"]
    assert _fires("0 0/30 * * * ?", "2026-03-29 00:20", 3) == ["29 00:30", "29 01:00", "29 01:30"]


def test_a_schedule_of_the_past_never_fires() -> None:
    assert Schedule.parse("0 0 0 1 1 ? 2020", "UTC").after(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("case", VALID, ids=[case.expression for case in VALID])
def test_what_quartz_accepts_is_accepted(case: QuartzCase) -> None:
    Schedule.parse(case.expression, "UTC")


@pytest.mark.parametrize("case", INVALID, ids=[case.expression for case in INVALID])
def test_what_quartz_refuses_is_refused(case: QuartzCase) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Schedule.parse(case.expression, "UTC")


WRONG = {
    "0 0 5 * *": "6 or 7 fields",
    "0 0 5 * * *": r"must be '\?'",
    "0 60 5 * * ?": "'60'",
    "0 0 5 32W * ?": "'32'",
    "0 0 5 ? * MONDAY": "'MONDAY'",
    "0 0/0 5 * * ?": "'0/0'",
    "0 0, 5 * * ?": "''",
    "0 / 5 * * ?": "'/'",
    "0 0 5 1 1 ? 2030-2026": "'2030-2026' ends before it begins",
}


@pytest.mark.parametrize("expression", WRONG)
def test_a_wrong_part_is_named(expression: str) -> None:
    with pytest.raises(ValueError, match=WRONG[expression]):
        Schedule.parse(expression, "UTC")
