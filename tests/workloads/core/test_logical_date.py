"""Logical date of a run, as every entry point reads it."""

from __future__ import annotations

from datetime import date

import pytest

from churn import tasks
from churn.core.entry import parse
from churn.core.errors import OptionError

REST = ["--catalog=churn_test", "--run_id=1"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-01", date(2026, 2, 1)),
        # the moments at which three schedules were due, as Databricks gives them, in UTC: the zone's yesterday counts
        ("2026-02-01T21:00:00Z[Asia/Tokyo]-1d", date(2026, 2, 1)),  # 0 0 6
        ("2026-02-01T23:30:00Z[Europe/Zurich]-1d", date(2026, 2, 1)),  # 0 30 0
        ("2026-02-03T04:00:00Z[America/Los_Angeles]-1d", date(2026, 2, 1)),  # 0 0 20
        ("2026-03-01T05:00:00Z[UTC]-1d", date(2026, 2, 28)),
        ("2026-03-01T05:00:00Z[UTC]", date(2026, 3, 1)),
        # however Databricks writes the moment
        ("2026-02-01T21:00:00.000+00:00[Asia/Tokyo]-1d", date(2026, 2, 1)),
        ("2026-02-01T21:00:00.123456789Z[Asia/Tokyo]-1d", date(2026, 2, 1)),
        ("2026-02-01T21:00:00[Asia/Tokyo]-1d", date(2026, 2, 1)),
        ("2026-02-02T06:00:00+09:00[Asia/Tokyo]-1d", date(2026, 2, 1)),
    ],
)
def test_a_day_is_that_of_the_schedules_time_zone(text: str, day: date) -> None:
    run, _ = parse(tasks.INGEST, [f"--date={text}", *REST])
    assert run.date == day


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "20260201",
        "2026-02-02-1d",
        "2026-02-02T05:00:00Z",
        "2026-02-02T25:00:00Z[UTC]",
        "2026-02-02T05:00:00Z[Mars/Olympus]",
        "2026-02-02T05:00:00Z[Europe]",
        "2026-02-02T05:00:00Z[../etc/passwd]",
        "2026-02-02T05:00:00Z[UTC]-d",
        "0001-01-01T05:00:00Z[UTC]-9d",
        "{{job.trigger.time.iso_datetime}}[UTC]-1d",
        "",
    ],
)
def test_a_text_that_names_no_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(OptionError, match=r"is no day: .*write YYYY-MM-DD, or a moment with its time zone"):
        parse(tasks.INGEST, [f"--date={text}", *REST])
