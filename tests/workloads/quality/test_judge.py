"""Judgement of a day: the outcome follows the contract's severity, and the sentence says what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from churn.core.contract import contract_of
from churn.core.contract_checks import FRESHNESS, GAPS, KEYS, ORDER, REFERENCES, VOLUME
from churn.quality.feeds import Came, Feed, days_to_count
from churn.quality.judge import Check, Outcome, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE, EVENTS = contract_of("usage"), contract_of("events")
DAY = date(2026, 5, 12)  # a Tuesday
ROWS = dict.fromkeys(days_to_count(USAGE, DAY), 900)
FILES = {DAY - timedelta(days=number): Came(1) for number in range(60)}


def checked(
    rows: Mapping[date, int] = ROWS, files: Mapping[date, Came] = FILES, broken: Mapping[str, int] | None = None
) -> dict[str, Check]:
    return {check.name: check for check in judge(Feed(USAGE, DAY, files, rows), broken or {})}


def without(*days: date) -> dict[date, Came]:
    return {day: came for day, came in FILES.items() if day not in days}


def test_a_good_day_passes_every_check_of_its_contract() -> None:
    checks = checked()
    assert {check.outcome for check in checks.values()} == {Outcome.PASSED}
    assert {name: check.severity for name, check in checks.items()} == dict(USAGE.checks)
    assert checks[VOLUME].least == 540


def test_a_late_feed_is_flagged_and_a_dead_one_fails_the_day_by_name() -> None:
    late = checked(files=without(DAY))[FRESHNESS]
    assert (late.outcome, late.rows) == (Outcome.WARNED, 1), "the contract gives it a day"
    assert late.reason == (
        "usage is late: nothing usable came for 2026-05-12 (Tuesday), where one file every day is expected, at most "
        "24 hours after its day; came: 0 files admitted, 0 set aside whole; look at bronze.deliveries and "
        "silver.quarantine_usage for why, ask #churn-data for the files of these days, then repair this run"
    )
    dead = checked(files=without(DAY, date(2026, 5, 11)) | {DAY: Came(0, 2)})[FRESHNESS]
    assert (dead.outcome, dead.rows) == (Outcome.FAILED, 2)
    assert dead.reason.startswith("usage is dead: nothing usable came for 2026-05-11 (Monday), 2026-05-12 (Tuesday)")
    assert "0 files admitted, 2 set aside whole" in dead.reason


def test_files_without_rows_fail_the_day_as_no_files_do() -> None:
    checks = checked(rows=ROWS | {DAY: 0, date(2026, 5, 11): 0})
    assert checks[FRESHNESS].outcome is Outcome.FAILED
    assert checks[VOLUME].outcome is Outcome.WARNED


def test_a_halved_feed_is_flagged_with_what_was_expected() -> None:
    halved = checked(rows=ROWS | {DAY: 450})[VOLUME]
    assert (halved.outcome, halved.rows, halved.least) == (Outcome.WARNED, 450, 540)
    assert halved.reason.startswith(
        "450 accepted rows of usage are dated 2026-05-12 (Tuesday), too few; expected: at least 540, by the 900 of a "
        "usual Tuesday (6 weeks); came: 1 files admitted"
    )


def test_what_has_no_history_is_not_judged() -> None:
    checks = checked(rows={DAY: 1}, files={})
    assert {checks[name].outcome for name in (FRESHNESS, VOLUME)} == {Outcome.UNJUDGED}
    assert checks[FRESHNESS].reason == "no file of usage was ever admitted; expected: one every day"


def test_a_gap_is_flagged_by_its_days() -> None:
    gap = checked(files=without(date(2026, 5, 2)))[GAPS]
    assert (gap.outcome, gap.rows) == (Outcome.WARNED, 1)
    assert gap.reason.startswith("no file of usage was admitted for 2026-05-02 (Saturday), although others were")


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        (KEYS, Outcome.FAILED, "3 keys stand more than once in silver.usage: look for files"),
        (REFERENCES, Outcome.WARNED, "3 rows of silver.usage refer to no row of silver.customer: ask #churn-data"),
    ],
)
def test_rows_that_break_a_rule_across_tables_are_counted(name: str, outcome: Outcome, said: str) -> None:
    check = checked(broken={name: 3})[name]
    assert (check.outcome, check.rows) == (outcome, 3)
    assert check.reason.startswith(said)
    assert check.reason.endswith("silver.quality_samples names some")


def test_events_are_judged_by_what_their_contract_checks() -> None:
    checks = {check.name: check for check in judge(Feed(EVENTS, DAY, {}, {}), {ORDER: 1})}
    assert list(checks) == [KEYS, REFERENCES, ORDER, VOLUME]
    assert checks[ORDER].outcome is Outcome.WARNED
    assert checks[ORDER].reason.startswith("1 events of a session in silver.events happened before")


def test_the_severity_of_the_contract_decides() -> None:
    strict = replace(USAGE, checks={VOLUME: "fail"})
    (check,) = judge(Feed(strict, DAY, FILES, ROWS | {DAY: 450}), {})
    assert check.outcome is Outcome.FAILED


def test_a_weekly_file_is_not_late_within_its_week() -> None:
    weekly = replace(USAGE, service=replace(USAGE.service, frequency=timedelta(days=7)), checks={FRESHNESS: "fail"})
    (check,) = judge(Feed(weekly, DAY, {date(2026, 5, 8): Came(1)}, {}), {})
    assert (check.outcome, check.reason) == (
        Outcome.PASSED,
        "the file of 2026-05-12 is not due yet; expected: one every 7 days",
    )
