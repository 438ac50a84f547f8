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
        ("2026-02-02-1d", date(2026, 2, 1)),
        ("2026-03-01-1d", date(2026, 2, 28)),
        ("2026-02-01-0d", date(2026, 2, 1)),
    ],
)
def test_the_logical_date_may_lie_behind_the_day_that_is_given(text: str, day: date) -> None:
    run, _ = parse(tasks.INGEST, [f"--date={text}", *REST])
    assert run.date == day


@pytest.mark.parametrize("text", ["2026-02-30", "20260201", "2026-02-02-d", "2026-02-02 -1d", "2026-02-02+1d", ""])
def test_a_text_that_names_no_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(OptionError, match="is no day"):
        parse(tasks.INGEST, [f"--date={text}", *REST])
