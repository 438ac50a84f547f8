"""The day that the schedule of the settings scores: its moment on Databricks, read by the wheel."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from churn.core.logical_date import logical_date
from infra.written.settings.daily import TRIGGERED
from local.workspace.jobs.quartz import Schedule
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
