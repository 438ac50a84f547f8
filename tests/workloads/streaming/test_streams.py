"""The task `streams` over tables as the pipeline leaves them, after an outage and over weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.entry import Run
from churn.core.tables import STREAM_FRESHNESS
from churn.streaming import streams
from tests.workloads.streaming.stream_tables import Tables, ago, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "churn_accounts"


def check(tables: Tables, run_id: str, wait_minutes: int = 0) -> None:
    streams.Accounting(tables.spark, Run(CATALOG, date(2026, 2, 1), run_id)).check(wait_minutes, settle_minutes=0)


def accounts(tables: Tables) -> list[tuple[str, int, int]]:
    rows = tables.spark.table(f"{CATALOG}.mlops.stream_accounting").orderBy("read_until").collect()
    return [(row.run_id, row.produced, row.lost) for row in rows]


@pytest.fixture
def tables(spark: SparkSession) -> Tables:
    return Tables(spark, CATALOG)


def test_messages_that_wait_after_an_outage_are_not_lost(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.take(event("before"), ago(hours=3))
    tables.take(b"{", ago(hours=3))
    late, poison = tables.read(event("waits"), ago(hours=1)), tables.read(b"[", ago(hours=1))
    with pytest.raises(streams.StreamTooOldError, match=r"2 messages of bronze\.events still wait for silver\.events"):
        check(tables, "1")
    assert accounts(tables) == [], "the next run accounts for the same messages"

    def taken_meanwhile(_: float) -> None:
        tables.append("silver.events", tables.accepted(late, ago()))
        tables.append("silver.quarantine_events", tables.quarantined(poison))

    monkeypatch.setattr(streams.time, "sleep", taken_meanwhile)
    check(tables, "1", wait_minutes=1)
    assert accounts(tables) == [("1", 4, 0)]


def test_messages_that_the_stream_has_passed_over_are_lost(tables: Tables) -> None:
    tables.read(event("lost"), ago(hours=2))
    tables.take(event("later"), ago(hours=1))
    tables.read(b"{", ago(minutes=50))
    tables.take(b"[", ago(minutes=40))
    with pytest.raises(streams.EventsLostError, match="2 of partition 0; look at the event log"):
        check(tables, "1", wait_minutes=1)
    assert accounts(tables) == [("1", 4, 2)]


def test_a_use_that_comes_again_after_its_id_was_forgotten_is_twice(tables: Tables) -> None:
    happened = ago(days=21)
    tables.take(event("streamed", happened), ago(days=20))
    tables.take(event("other"), ago(hours=2))
    check(tables, "1")
    again = tables.spark.table(f"{CATALOG}.silver.events").where("event_id = 'streamed'")
    tables.append(
        "silver.events", again.withColumns({"_accepted_at": sf.lit(ago(hours=1)), "_source": sf.lit("files")})
    )
    tables.take(event("third"), ago(hours=1))
    with pytest.raises(streams.EventsTwiceError, match=r"silver\.events has events twice, such as streamed"):
        check(tables, "2")


def test_events_that_the_online_store_does_not_get_fail_the_day(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its job is dead or its database: the lake's measurements end in both cases."""
    run = Run(CATALOG, date(2026, 2, 1), "1")
    options = tasks.StreamsOptions("", "", "", wait_minutes=0, maximum_lag_minutes=30)
    tables.take(event("never"), ago(hours=10))
    with pytest.raises(streams.StreamTooOldError, match=r"for 6\d\d minutes; allowed: 30; .*churn_activity"):
        streams.wait_for_online_store(tables.spark, run, options)

    def measured(hours_ago: float) -> None:
        rows = [(ago(hours=hours_ago), "silver_online", 1, 1, 1.0, 1.0, 1.0)]
        tables.append(STREAM_FRESHNESS.name, tables.spark.createDataFrame(rows, STREAM_FRESHNESS.schema))

    measured(9.9)
    streams.wait_for_online_store(tables.spark, run, options)
    tables.take(event("waits"), ago(hours=7))
    tables.take(event("waits shortly"), ago(minutes=5))
    with pytest.raises(streams.StreamTooOldError, match=r"has had for 4\d\d minutes"):
        streams.wait_for_online_store(tables.spark, run, options)
    monkeypatch.setattr(streams.time, "sleep", lambda _: measured(6.9))
    streams.wait_for_online_store(tables.spark, run, replace(options, wait_minutes=1))
