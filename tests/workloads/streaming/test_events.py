"""From messages to events: what each rule refuses, and that every message is in silver or in quarantine."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from churn.streaming import events
from churn.streaming.messages import FIRST_BROKER_TIME, REPLAY_OF
from churn.transforms.conform import broken_rules
from tests.workloads.streaming.stream_rows import EVENT, EVENTS, NOON, USE, ago, bronze, conformed, value

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

NOTHING = {
    "values_have_their_type",
    "event_id_is_given",
    "customer_id_is_given",
    "kind_is_given",
    "event_time_is_given",
    "kind_is_known",
}
VIEW = {"kind": "page_view", "page": "bill", "session_id": "s"}
TOGGLE = {"kind": "feature_toggle", "feature": "call", "enabled": False}
CASES: dict[str, tuple[bytes | None, set[str]]] = {
    "login": (value(), set()),
    "view": (value(**VIEW), set()),
    "toggle": (value(**TOGGLE), set()),
    "use": (value(**USE), set()),
    "use of a fraction": (value(**{**USE, "minutes": 0.25}), set()),
    "start": (value(kind="session_start", session_id="s"), set()),
    "no optional fields": (json.dumps({k: v for k, v in EVENT.items() if v is not None}).encode(), set()),
    "nearly late": (value(event_time=ago(days=7)), set()),
    "nearly ahead": (value(event_time=ago(minutes=-5)), set()),
    "unknown field": (value(app_version="7.1"), set()),
    "late": (value(event_time=ago(days=7, seconds=1)), {"event_is_not_late"}),
    "of the year before": (value(event_time="2025-02-01T12:00:00Z"), {"event_is_not_late"}),
    "ahead": (value(event_time=ago(minutes=-5, seconds=-1)), {"clock_is_right"}),
    "of the year after": (value(event_time="2027-02-01T12:00:00Z"), {"clock_is_right"}),
    "no JSON": (b'{"event_id": ', NOTHING),
    "an array": (b"[1]", NOTHING),
    "a number": (b"5", NOTHING),
    "no value": (None, NOTHING),
    "empty": (b"", NOTHING),
    "a field twice": (b'{"event_id": "a", "event_id": "b"}', NOTHING),
    "no UTF-8": (value()[:-1] + b', "note": "\xff"}', {"text_is_utf8"}),
    "number for text": (value(customer_id=5), {"values_have_their_type", "customer_id_is_given"}),
    "text for a number": (value(**{**USE, "minutes": "12"}), {"values_have_their_type", "minutes_are_possible"}),
    "text for a switch": (
        value(**{**TOGGLE, "enabled": "no"}),
        {"values_have_their_type", "feature_toggle_has_its_feature"},
    ),
    "object for text": (value(page={"name": "bill"}), {"values_have_their_type"}),
    "time without a zone": (value(event_time="2026-02-01T11:00:00"), {"values_have_their_type", "event_time_is_given"}),
    "day for a time": (value(event_time="2026-02-01"), {"values_have_their_type", "event_time_is_given"}),
    "no such day": (value(event_time="2026-02-30T11:00:00Z"), {"values_have_their_type", "event_time_is_given"}),
    "no id": (value(event_id=None), {"event_id_is_given"}),
    "blank id": (value(event_id=" "), {"event_id_is_given"}),
    "unknown kind": (value(kind="logout"), {"kind_is_known"}),
    "view without a page": (value(**{**VIEW, "page": None}), {"page_view_has_its_page"}),
    "view without a session": (value(**{**VIEW, "session_id": None}), {"session_is_given"}),
    "toggle of nothing": (value(**{**TOGGLE, "feature": None}), {"feature_toggle_has_its_feature"}),
    "use of no service": (value(**{**USE, "feature": "fax"}), {"core_feature_is_known"}),
    "use without minutes": (value(**{**USE, "minutes": None}), {"minutes_are_possible"}),
    "use for ever": (value(**{**USE, "minutes": 1e300}), {"minutes_are_possible"}),
}


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> dict[str, Row]:
    """Conformed messages with the rules that they break, by case."""
    rows = conformed(spark, *(each for each, _ in CASES.values()))
    found = rows.select("*", broken_rules(EVENTS).alias("reasons")).orderBy("offset").collect()
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_message_is_told_every_rule_it_breaks(judged: dict[str, Row], case: str) -> None:
    assert set(judged[case].reasons) == CASES[case][1]


def test_every_rule_is_broken_by_a_case() -> None:
    assert set().union(*(reasons for _, reasons in CASES.values())) == set(EVENTS.rules)


def test_values_have_the_types_of_the_contract(judged: dict[str, Row]) -> None:
    row = judged["toggle"]
    assert (row.feature, row.enabled, row.minutes) == ("call", False, None)
    assert judged["use"].minutes == 12.0
    assert judged["login"].event_time.replace(tzinfo=UTC) == datetime(2026, 2, 1, 11, 59, 58, 500_000, UTC)
    assert judged["object for text"]._malformed == "page"
    assert judged["no JSON"]._malformed == "value"


def test_a_field_that_the_contract_does_not_know_is_kept(judged: dict[str, Row]) -> None:
    assert json.loads(judged["unknown field"]._rescued_data) == {"app_version": "7.1"}
    assert judged["login"]._rescued_data is None


def test_bytes_that_are_no_text_are_kept_beside_it(spark: SparkSession) -> None:
    (odd, plain) = bronze(spark, b"\xff\xfe", value(), key=b"a").orderBy("offset").collect()
    assert odd.value == "��"
    assert bytes(odd.undecoded.value) == b"\xff\xfe"
    assert bytes(odd.undecoded.key) == b"a"
    assert (plain.value, plain.undecoded) == (value().decode(), None)


def test_each_message_is_in_silver_or_in_quarantine(spark: SparkSession) -> None:
    rows = conformed(spark, *(each for each, _ in CASES.values()))
    silver = events.accepted(rows, EVENTS).collect()
    quarantine = events.quarantined(rows, EVENTS).collect()
    well = {offset for offset, (_, reasons) in enumerate(CASES.values()) if not reasons}
    assert {row._offset for row in silver} == well
    assert {row._offset for row in quarantine} == set(range(len(CASES))) - well
    assert len(silver) + len(quarantine) == len(CASES)
    by_offset = dict(zip(CASES, range(len(CASES)), strict=True))
    (late,) = [row for row in quarantine if row._offset == by_offset["late"]]
    assert (late.event_id, late.customer_id, late._key, late._reasons) == ("e", "a", "a", ["event_is_not_late"])
    assert json.loads(late._raw)["event_id"] == "e"


def test_a_repaired_message_is_as_late_as_the_first(spark: SparkSession) -> None:
    then = f"{NOON.replace(year=2025):%Y-%m-%dT%H:%M:%SZ}".encode()
    repair = (REPLAY_OF, b"0/3")
    headers = [(FIRST_BROKER_TIME, then), repair, ("other", b"1")]
    (row,) = conformed(spark, value(event_time="2025-01-31T00:00:00Z"), headers=headers).collect()
    assert not row._late
    (row,) = conformed(spark, value(event_time="2025-01-31T00:00:00Z"), headers=headers[:1]).collect()
    assert row._late, "only a repair says when the broker had it"
    future = [(FIRST_BROKER_TIME, b"2027-02-01T00:00:00Z"), repair]
    (row,) = conformed(spark, value(event_time="2027-01-31T00:00:00Z"), headers=future).collect()
    assert row._ahead, "no repair is of the future"
    (row,) = conformed(spark, value(event_time="2025-01-31T00:00:00Z"), headers=[("other", then)]).collect()
    assert row._late


def test_the_day_of_an_event_is_that_of_utc(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.session.timeZone")
    try:
        spark.conf.set("spark.sql.session.timeZone", "Pacific/Auckland")
        (row,) = events.accepted(conformed(spark, value()), EVENTS).select("event_date").collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", before or "UTC")
    assert row.event_date == date(2026, 2, 1)
