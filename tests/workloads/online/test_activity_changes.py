"""The task `activity` where silver.events loses events or is filled anew, and where much of it comes at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.workloads.online.live_stream import now, signal_of

if TYPE_CHECKING:
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
