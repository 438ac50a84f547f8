"""The task `activity` where silver.events loses events or is filled anew, and where much of it comes at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from churn.online import activity, source
from churn.online.source import Commit, within
from tests.workloads.online.live_stream import now, signal_of

if TYPE_CHECKING:
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
