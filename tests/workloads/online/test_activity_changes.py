"""The task `activity` where silver.events loses events or is filled anew, and where much of it comes at once."""

from __future__ import annotations

import os
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.core.tables import STREAM_FRESHNESS
from churn.online import activity, source, writer
from churn.online.source import Commit, within
from tests.workloads.ml_world import CATALOG
from tests.workloads.online.live_stream import now, signal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from pyspark.sql import DataFrame

    from churn.online.event import Event
    from tests.workloads.online.live_stream import Stream


def activity_of(stream: Stream, customer: str) -> list[tuple[object, ...]]:
    return stream.rows("SELECT sessions_7d, core_minutes_7d FROM churn.activity WHERE customer_id = %s", customer)


def test_a_full_refresh_that_keeps_the_table_counts_no_event_twice(stream: Stream) -> None:
    """As of a streaming table: its rows go, then come again, in versions of one table."""
    spark, kept = stream.world.spark, f"{stream.table}_kept"
    stream.add(*signal_of("full", "s"), {"customer_id": "full", "kind": "core_feature_use", "minutes": 2.0})
    stream.catch_up()
    spark.sql(f"CREATE OR REPLACE TABLE {kept} USING DELTA AS SELECT * FROM {stream.table}").collect()
    spark.sql(f"TRUNCATE TABLE {stream.table}").collect()
    spark.sql(f"INSERT INTO {stream.table} SELECT * FROM {kept} WHERE kind = 'session_start'").collect()
    stream.catch_up()
    spark.sql(f"INSERT INTO {stream.table} SELECT * FROM {kept} WHERE kind <> 'session_start'").collect()
    stream.catch_up()
    assert stream.days() == stream.days_of_silver() != []
    assert activity_of(stream, "full") == [(1, 2.0)]
    [(started, counted)] = stream.rows("SELECT started_at, counted FROM churn.sessions WHERE customer_id = 'full'")
    assert started
    assert counted["cancel_page"] == 1


def test_an_erased_customer_is_taken_out(stream: Stream) -> None:
    stream.add(*signal_of("erased", "s"), {"customer_id": "stays", "kind": "login"})
    stream.catch_up()
    stream.world.spark.sql(f"DELETE FROM {stream.table} WHERE customer_id = 'erased'").collect()
    stream.add({"customer_id": "stays", "kind": "login"})
    stream.catch_up()
    assert stream.days() == stream.days_of_silver() != []
    for table in ("customer_days", "activity", "sessions"):
        assert not stream.rows(f"SELECT 1 FROM churn.{table} WHERE customer_id = 'erased'")


def test_a_session_that_runs_is_taken_over_whole(stream: Stream) -> None:
    begun = now() - timedelta(minutes=50)
    last = {"customer_id": "long", "session_id": "s", "kind": "login"}
    stream.add(*signal_of("long", "s", begun), last)
    stream.rows("DELETE FROM churn.position RETURNING 1")
    stream.catch_up()
    [(started, faults)] = stream.rows("SELECT started_at, order_faults FROM churn.sessions WHERE customer_id = 'long'")
    assert (started, faults) == (begun, [])


def test_what_is_in_memory_is_bounded_by_events(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    read, lists = source._events, []

    def counted(rows: DataFrame) -> list[Event]:
        found = read(rows)
        lists.append(len(found))
        return found

    monkeypatch.setattr(source, "_events", counted)
    monkeypatch.setattr(activity, "MANY_EVENTS", 10)
    for _ in range(3):
        stream.add(*[{"customer_id": "in versions", "kind": "login"}] * 6)
    stream.catch_up()
    assert lists == [6, 6, 6], "versions are taken together up to the bound alone"
    lists.clear()
    stream.add(*[{"customer_id": f"in parts {number}", "kind": "session_start"} for number in range(40)])
    stream.catch_up()
    assert len(lists) == 4, "the customers of a large version are spread"
    assert (sum(lists), max(lists) < 40) == (40, True)
    assert stream.days() == stream.days_of_silver()


def test_a_whole_table_is_taken_over_in_parts_of_customers(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, sizes = source.whole, []

    def counted(*arguments: Any) -> Iterator[Any]:
        for days, events in whole(*arguments):
            sizes.append(len(days) + len(events))
            yield days, events

    monkeypatch.setattr(source, "whole", counted)
    monkeypatch.setattr(activity, "MANY_EVENTS", 10)
    stream.add(*[each for number in range(20) for each in signal_of(f"whole {number}", "s")])
    stream.rows("DELETE FROM churn.position RETURNING 1")
    stream.catch_up()
    [(rows, parts)] = re.findall(
        r"(\d+) days and events of sessions that may run, in (\d+) parts", capsys.readouterr().out
    )
    assert (sum(sizes), len(sizes)) == (int(rows), int(parts))
    assert (len(sizes) >= 6, max(sizes) <= 30) == (True, True), sizes
    assert stream.days() == stream.days_of_silver()
    assert stream.rows("SELECT count(*) FROM churn.sessions WHERE starts_with(customer_id, 'whole')") == [(20,)]
    assert len(activity_of(stream, "whole 7")) == 1


def test_windows_of_a_new_day_move_a_bounded_number_of_customers_a_round(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.add(*[{"customer_id": f"window {number}", "kind": "session_start"} for number in range(10)])
    stream.catch_up()
    query = "SELECT count(*) FROM churn.activity WHERE as_of < CURRENT_DATE"
    [(everybody,)] = stream.rows("SELECT count(*) FROM churn.activity")
    stream.rows("UPDATE churn.activity SET as_of = as_of - 1, sessions_7d = -1 RETURNING 1")
    monkeypatch.setattr(writer, "CUSTOMERS_AT_ONCE", 4)
    updater, left = stream.updater(), everybody
    with stream.store.connect() as connection:
        while left > 4:
            assert not updater.round(connection), "it goes on at once"
            assert connection.execute(query).fetchone() == (left - 4,)
            left -= 4
    stream.add({"customer_id": "window 3", "kind": "session_start"})
    stream.catch_up()
    assert stream.rows(query) == [(0,)]
    assert stream.rows("SELECT count(*) FROM churn.activity WHERE sessions_7d < 0") == [(0,)]
    assert activity_of(stream, "window 3") == [(2, 0.0)]


def test_files_that_were_compacted_and_vacuumed_are_taken_over_anew(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    spark, unchecked = stream.world.spark, "spark.databricks.delta.retentionDurationCheck.enabled"
    for _ in range(2):
        stream.add(*signal_of("compacted", "s"))
    spark.sql(f"OPTIMIZE {stream.table}").collect()
    spark.conf.set(unchecked, "false")
    spark.sql(f"VACUUM {stream.table} RETAIN 0 HOURS").collect()
    spark.conf.unset(unchecked)
    stream.catch_up()
    assert "are no longer kept: all are taken over anew" in capsys.readouterr().out
    assert stream.days() == stream.days_of_silver() != []
    name, newest = f"{CATALOG}.{STREAM_FRESHNESS.name}", f"SELECT max(_accepted_at) FROM {stream.table}"
    waits = f"SELECT 1 FROM {name} WHERE hop = 'taken_over' AND written_at > ({newest})"
    assert spark.sql(waits).collect(), "the lake knows that no event waits"
    stream.add({"customer_id": "compacted", "kind": "login"})
    stream.catch_up()
    assert stream.days() == stream.days_of_silver(), "and it goes on from there"


def test_versions_whose_log_was_cleaned_are_taken_over_anew(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    """By Delta's own cleaning, which goes by the days of the log's files."""
    spark = stream.world.spark
    for _ in range(2):
        stream.add({"customer_id": "cleaned", "kind": "login"})
    [detail] = spark.sql(f"DESCRIBE DETAIL {stream.table}").collect()
    log = Path(detail.location.removeprefix("file:")) / "_delta_log"
    past = time.time() - 40 * 86_400
    for file in log.glob("*.json"):
        os.utime(file, (past, past))
    kept = "'delta.logRetentionDuration' = 'interval 1 days', 'delta.deletedFileRetentionDuration' = 'interval 1 days'"
    spark.sql(f"ALTER TABLE {stream.table} SET TBLPROPERTIES ({kept}, 'delta.checkpointInterval' = '1')").collect()
    stream.add({"customer_id": "cleaned", "kind": "login"})
    assert not (log / f"{1:020}.json").exists()
    stream.catch_up()
    assert "are no longer kept: all are taken over anew" in capsys.readouterr().out
    assert stream.days() == stream.days_of_silver() != []


def test_versions_are_taken_up_to_a_number_of_events() -> None:
    added = [Commit(3, 40, 0), Commit(4, 60, 0), Commit(7, 1, 0)]
    assert within(added, 9, 101) == 9
    assert within(added, 9, 100) == 6, "versions without rows belong to those before"
    assert within(added, 9, 10) == 3, "one is always taken"
    assert within([], 9, 10) == 9


def test_a_signal_without_a_score_is_raised_by_its_next_event(stream: Stream, customers: list[str]) -> None:
    events, query = signal_of(customers[3], "again"), "SELECT 1 FROM churn.scores WHERE session_id = 'again'"
    marked = "SELECT signals FROM churn.sessions WHERE session_id = 'again'"
    stream.add(*events)
    stream.catch_up(days=0)  # no features are young enough
    assert (stream.rows(query), stream.rows(marked)) == ([], [([],)])
    for _ in range(2):
        stream.add(*events[1:])
        stream.catch_up()
        assert (stream.rows(query), stream.rows(marked)) == ([(1,)], [(["cancel_page"],)])
