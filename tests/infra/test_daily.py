"""The day that the schedule of the settings scores: its moment on Databricks, read by the wheel."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from churn.core.logical_date import logical_date
from infra.written.settings.daily import TRIGGERED
from infra.written.settings.quartz import UNITS, skipped_time
from infra.written.stacks import read_settings
from local.workspace.jobs.quartz import Schedule, _values
from tests.infra.stack_files import platform_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("cron", "timezone"),
    [
        ("0 0 6 * * ?", "Asia/Tokyo"),
        ("0 30 0 * * ?", "Europe/Zurich"),
        ("0 0 20 * * ?", "America/Los_Angeles"),
        ("0 0 5 * * ?", "UTC"),
        ("0 0 0 * * ?", "Pacific/Kiritimati"),
    ],
)
@pytest.mark.parametrize(("behind", "day"), [(1, date(2026, 2, 1)), (0, date(2026, 2, 2))])
def test_a_schedule_scores_the_day_of_its_own_time_zone(
    altered: Callable[..., Path], cron: str, timezone: str, behind: int, day: date
) -> None:
    schedule = {"cron": cron, "timezone": timezone, "days_behind": behind, "logical_date": None}
    daily = platform_of(altered({f"churn:platform.daily.{name}": value for name, value in schedule.items()})).daily
    second_of_february = datetime.fromisoformat("2026-02-02").replace(tzinfo=Schedule.parse(cron, timezone).zone)
    due = Schedule.parse(cron, timezone).after(second_of_february.astimezone(UTC) - timedelta(seconds=1))
    assert due is not None
    written = daily.date_parameter.replace(TRIGGERED, due.isoformat().replace("+00:00", "Z"))
    assert logical_date(written) == day


@pytest.mark.parametrize(
    ("cron", "timezone", "skipped"),
    [
        ("0 30 2 * * ?", "Europe/Zurich", "2026-03-29 02:30"),
        ("0 0/15 2 * * ?", "Europe/Zurich", "2026-03-29 02:00"),
        ("0 30 2 * * ?", "America/New_York", "2026-03-08 02:30"),
        ("0 0 0 * * ?", "America/Santiago", "2026-09-06 00:00"),  # midnight does not come
        ("0 30 23 * * ?", "America/Nuuk", "2026-03-28 23:30"),  # the clock changes in the evening
        ("0 15 2 * * ?", "Australia/Lord_Howe", "2026-10-04 02:15"),  # half an hour
        ("0 30 2 * * ?", "UTC", None),
        ("0 30 2 * * ?", "Asia/Tokyo", None),
        ("0 30 1 * * ?", "Europe/Zurich", None),
        ("0 0 3 * * ?", "Europe/Zurich", None),
        ("0 45 2 * * ?", "Australia/Lord_Howe", None),
        ("0 0 2,5 * * ?", "Europe/Zurich", None),  # the day has another run
        ("0 0 * * * ?", "Europe/Zurich", None),
    ],
)
def test_a_time_that_a_clock_change_skips_is_refused(
    altered: Callable[..., Path], cron: str, timezone: str, skipped: str | None
) -> None:
    found = skipped_time(cron, timezone)
    assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == skipped
    path = altered({"churn:platform.daily.cron": cron, "churn:platform.daily.timezone": timezone})
    if skipped is None:
        assert platform_of(path).daily.cron == cron
        return
    day, _, clock = skipped.partition(" ")
    schedule = Schedule.parse(cron, timezone)
    next_run = schedule.after(datetime.fromisoformat(day).replace(tzinfo=schedule.zone) - timedelta(seconds=1))
    assert next_run is not None
    assert next_run.astimezone(schedule.zone).date() > date.fromisoformat(day)
    with pytest.raises(FaultsError, match=rf"daily\.cron: .* put forward on {day} and skip {clock}, .*remedy: choose"):
        read_settings(path)


@pytest.mark.parametrize("field", ["5", "05", "*", "*/7", "/20", "3/20", "10-40/15", "1,2,50", "50-10", "50-10/15,7"])
def test_both_readers_of_schedules_select_the_same_minutes(field: str) -> None:
    assert UNITS[1].numbers(field) == _values(field, 0, 59, {})
