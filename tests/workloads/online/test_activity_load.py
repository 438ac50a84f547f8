"""The task `activity` where the online store is large, slow or full: what it scans, and what ends a run."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from churn.core.tables import LIVE_SCORES
from churn.online import connection, copies
from churn.online.activity import keep_up
from churn.online.connection import OnlineStoreFailedError, is_away
from tests.workloads.ml_world import CATALOG
from tests.workloads.online.live_stream import Stream, now, signal_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM churn.customer_days WHERE event_date <= '2020-01-01'",
        "DELETE FROM churn.sessions WHERE last_event_at < '2020-01-01'",
        "SELECT customer_id FROM churn.activity WHERE as_of < '2020-01-01' LIMIT 10",
        "DELETE FROM churn.scores WHERE copied AND scored_at < '2020-01-01'",
        "DELETE FROM churn.freshness WHERE copied AND written_at < '2020-01-01'",
    ],
)
def test_what_each_round_asks_has_an_index(stream: Stream, query: str) -> None:
    with stream.store.connect() as connected:
        connected.execute("SET enable_seqscan = off")
        plan = connected.execute(f"EXPLAIN {query}".encode()).fetchall()
    assert "Seq Scan" not in str(plan)


@pytest.fixture
def locked(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A table of the store that nobody can write to, and little time for a statement."""
    with stream.store.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE churn.freshness IN ACCESS EXCLUSIVE MODE")
        monkeypatch.setattr(connection, "STATEMENT_SECONDS", 1)
        yield


def test_a_statement_that_takes_too_long_fails_the_run(stream: Stream, locked: None) -> None:
    stream.add({"customer_id": "slow", "kind": "login"})
    stop = threading.Event()
    limit = threading.Timer(60, stop.set)
    limit.start()
    with pytest.raises(OnlineStoreFailedError, match="canceling statement due to statement timeout"):
        keep_up(stream.store, stream.updater(), 0.1, stop, until_caught_up=True)
    limit.cancel()


def test_only_a_lost_connection_or_server_is_waited_for() -> None:
    lost = psycopg.OperationalError("server closed the connection unexpectedly")
    assert all(map(is_away, [lost, psycopg.errors.AdminShutdown(), psycopg.errors.ConnectionException()]))
    refused = (psycopg.errors.QueryCanceled(), psycopg.errors.DiskFull(), psycopg.errors.DeadlockDetected())
    assert not any(map(is_away, refused))


def test_the_store_forgets_scores_that_are_old_and_the_lake_keeps_them(stream: Stream, customers: list[str]) -> None:
    stream.add(*signal_of(customers[0], "forgotten"), *signal_of(customers[1], "kept"))
    stream.catch_up()
    mine = "WHERE session_id IN ('forgotten', 'kept')"
    old = now() - timedelta(days=91)
    stream.rows("UPDATE churn.scores SET scored_at = %s WHERE session_id = 'forgotten' RETURNING 1", old)
    with stream.store.connect() as connected:
        copies.copy(connected, stream.world.spark, CATALOG)
    assert stream.rows(f"SELECT session_id FROM churn.scores {mine}") == [("kept",)]
    name = f"{CATALOG}.{LIVE_SCORES.name}"
    lake = stream.world.spark.sql(f"SELECT session_id FROM {name} {mine} ORDER BY 1").collect()
    assert [row.session_id for row in lake] == ["forgotten", "kept"]
    stream.world.spark.sql(f"DELETE FROM {name} WHERE session_id = 'forgotten'").collect()  # as in the store


def test_a_copy_looks_at_recent_rows_of_the_lake_alone(stream: Stream, customers: list[str]) -> None:
    """Each copy, twice a minute, would otherwise read a table that grows for ever."""
    stream.add(*signal_of(customers[2], "bound"))
    stream.catch_up()
    spark, name = stream.world.spark, f"{CATALOG}.{LIVE_SCORES.name}"
    table = spark.table(name).where("session_id = 'bound'")
    [row] = table.collect()
    again = spark.createDataFrame([row], table.schema)
    for since, expected in ((row.scored_at, 1), (row.scored_at + timedelta(seconds=1), 2)):
        LIVE_SCORES.insert_missing(again, CATALOG, moment="scored_at", since=since)
        assert table.count() == expected
    spark.sql(f"DELETE FROM {name} WHERE session_id = 'bound'").collect()
    stream.rows("DELETE FROM churn.scores WHERE session_id = 'bound' RETURNING 1")
