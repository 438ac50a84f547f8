"""The task `activity` with real Spark, PostgreSQL, registry and model: what it writes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from churn.core.tables import LIVE_SCORES, SCORES, STREAM_FRESHNESS
from churn.feature_engineering.groups import FEATURES
from churn.online import schema, writer
from churn.serving import registry
from tests.workloads.dashboards import FOLDER, expect_answers, load
from tests.workloads.ml_world import CATALOG, challenge
from tests.workloads.online.live_stream import MODEL, Stream, now, signal_of

if TYPE_CHECKING:
    from tests.workloads.ml_world import World


def test_the_schema_is_applied_once_and_versions_add(stream: Stream) -> None:
    with stream.store.connect() as connection:
        assert schema.apply(connection) == 0
        number = len(schema.VERSIONS)
        assert connection.execute("SELECT max(version) FROM churn.schema_version").fetchone() == (number,)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "VERSIONS", (*schema.VERSIONS, "ALTER TABLE churn.activity ADD COLUMN more text"))
            assert schema.apply(connection) == 1
            assert schema.apply(connection) == 0
        connection.execute("ALTER TABLE churn.activity DROP COLUMN more")
        connection.execute("DELETE FROM churn.schema_version WHERE version > %s", (number,))


def test_activity_follows_events_of_the_stream_and_of_files(stream: Stream) -> None:
    at = now() - timedelta(seconds=10)
    file = {"_source": "files", "session_id": None, "_broker_time": None, "_read_at": None}
    stream.add(
        {"customer_id": "a", "session_id": "s1", "kind": "session_start", "event_time": at},
        {"customer_id": "a", "session_id": "s1", "kind": "core_feature_use", "feature": "call", "minutes": 2.5},
        {"customer_id": "a", "kind": "core_feature_use", "minutes": 4.0, "event_time": at - timedelta(days=3), **file},
    )
    stream.add({"customer_id": "a", "kind": "core_feature_use", "minutes": 8.0, "event_time": at - timedelta(days=8)})
    stream.catch_up()
    assert stream.days() == stream.days_of_silver()
    columns = "sessions_7d, sessions_30d, days_since_last_use, streak_days, core_minutes_7d, core_minutes_30d"
    assert stream.rows(f"SELECT {columns} FROM churn.activity WHERE customer_id = 'a'") == [(1, 1, 0, 1, 6.5, 14.5)]
    stream.catch_up()
    assert stream.days() == stream.days_of_silver(), "what was taken over is not taken over again"


def test_a_new_day_moves_the_windows_of_all_customers(stream: Stream) -> None:
    with stream.store.connect() as connection:
        later = now() + timedelta(days=5)
        with connection.transaction(force_rollback=True):
            assert writer.move_windows(connection, later)
            query = "SELECT as_of, core_minutes_7d, days_since_last_use, streak_days FROM churn.activity"
            found = connection.execute(f"{query} WHERE customer_id = 'a'").fetchone()
            assert found == (later.date(), 2.5, 5, 0)


def test_what_is_older_than_activity_looks_is_forgotten(stream: Stream) -> None:
    with stream.store.connect() as connection, connection.transaction(force_rollback=True):
        writer.move_windows(connection, now() + timedelta(days=100))
        for table in ("customer_days", "sessions"):
            assert connection.execute(f"SELECT count(*) FROM churn.{table}".encode()).fetchone() == (0,)
        query = "SELECT sessions_30d, days_since_last_use, last_event_time FROM churn.activity WHERE customer_id = 'a'"
        found = connection.execute(query).fetchone()
        assert found
        assert found[:2] == (0, None)
        assert found[2] < now()


def test_sessions_keep_their_faults_of_order(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    at = now() - timedelta(minutes=5)
    minute = timedelta(minutes=1)
    kinds = {
        "no-start": [("page_view", 0)],
        "early-end": [("session_end", 0), ("session_start", 1)],
        "after-end": [("session_start", 0), ("session_end", 1), ("login", 2)],
        "good": [("session_end", 3), ("session_start", 0), ("login", 1)],
    }
    for place in range(3):  # in batches of their own, in the order written
        batch = [
            {"customer_id": "b", "session_id": name, "kind": kind, "event_time": at + after * minute}
            for name, events in kinds.items()
            for kind, after in events[place : place + 1]
        ]
        stream.add(*batch)
        stream.catch_up()
    found = dict(stream.rows("SELECT session_id, order_faults FROM churn.sessions WHERE customer_id = 'b'"))
    assert found == {
        "no-start": ["no_start"],
        "early-end": ["end_before_start", "event_after_end"],
        "after-end": ["event_after_end"],
        "good": [],
    }
    assert re.search(r"; 3 of \d+ sessions out of order$", capsys.readouterr().out, re.MULTILINE)


def test_freshness_is_measured_for_each_hop(stream: Stream, world: World) -> None:
    stream.add({"customer_id": "c", "kind": "login"}, {"customer_id": "c", "kind": "login", "_broker_time": None})
    stream.catch_up()
    newest = stream.rows("SELECT max(written_at) FROM churn.freshness")[0][0]
    found = (
        world.spark.table(f"{CATALOG}.{STREAM_FRESHNESS.name}").where(f"written_at = TIMESTAMP '{newest}'").collect()
    )
    assert {row.hop: row.rows for row in found} == dict.fromkeys(
        ("event_broker", "broker_bronze", "bronze_silver", "silver_online", "event_online"), 1
    )
    assert {row.hop: row.p95 for row in found}["bronze_silver"] == 1.0
    assert all(row.p50 <= row.p95 <= row.p99 for row in found)
    expect_answers(world.spark, load(FOLDER / "stream.lvdash.json", CATALOG))


def test_a_signal_in_a_running_session_scores_once(stream: Stream, customers: list[str], world: World) -> None:
    one, two, ended, old = customers[:4]
    stream.add(*signal_of(one, "s"), *signal_of(old, "s", now() - timedelta(hours=2)), *signal_of("unknown", "s"))
    closing = {"customer_id": ended, "session_id": "s", "kind": "session_end"}
    stream.add(*signal_of(ended, "s"), closing, {"customer_id": two, "session_id": "s", "kind": "login"})
    stream.catch_up()
    stream.add(*signal_of(one, "s")[1:])  # the same signal again
    stream.catch_up()
    query = "SELECT customer_id, signal, band, reason, model_version, previous_score FROM churn.scores"
    assert stream.rows(f"{query} WHERE session_id = 's'") == [
        (one, "cancel_page", "unrated", "The customer looks at how to cancel.", 1, None)
    ]
    support = {"customer_id": two, "session_id": "s", "kind": "page_view", "page": "support"}
    stream.add(support, support)
    stream.catch_up()
    assert not stream.rows(f"{query} WHERE customer_id = %s", two)
    stream.add(support)
    stream.catch_up()
    assert [row[1] for row in stream.rows(f"{query} WHERE customer_id = %s", two)] == ["support_pages"]
    live = world.spark.table(f"{CATALOG}.{LIVE_SCORES.name}").toPandas()
    assert sorted(live["customer_id"]) == sorted([one, two])
    assert set(live["run_id"]) == {"live"}


def test_features_that_are_too_old_give_no_live_score(stream: Stream, customers: list[str]) -> None:
    query = "SELECT customer_id FROM churn.scores WHERE session_id = %s"
    stream.add(*signal_of(customers[4], "too old"))
    stream.catch_up(days=0)
    assert not stream.rows(query, "too old")
    stream.add(*signal_of(customers[4], "young"))
    stream.catch_up()
    assert stream.rows(query, "young") == [(customers[4],)]


def test_a_new_champion_scores_with_fresh_usage(stream: Stream, customers: list[str], world: World) -> None:
    [(before,)] = stream.rows("SELECT score FROM churn.scores WHERE customer_id = %s", customers[0])
    version = challenge(MODEL, world.frame)
    updater = stream.updater()
    first = updater.rescorer.champion()
    registry.set_alias(version, registry.CHAMPION)
    second = updater.rescorer.champion()
    assert first
    assert second
    assert (first.version.number, second.version.number) == (1, version.number)
    assert updater.rescorer.champion() is second, "it is loaded once"
    uses = [{"customer_id": customers[0], "kind": "core_feature_use", "minutes": 1.0}] * 4
    stream.add(*uses, *signal_of(customers[0], "next"))
    stream.catch_up()
    query = "SELECT score, previous_score, model_version, band FROM churn.scores WHERE session_id = 'next'"
    [(score, previous, number, band)] = stream.rows(query)
    rows = world.spark.table(f"{CATALOG}.{FEATURES.name}").where(f"customer_id = '{customers[0]}'").toPandas()
    latest = rows.sort_values("observation_date").tail(1)
    fresh = latest.assign(events_7d=4.0, events_30d=4.0, usage_trend=5.0)
    expected = pd.DataFrame(second.model.predict(fresh[second.columns.all])).iloc[0]
    assert (score, previous, number, band) == (expected["score"], before, version.number, expected["band"])
    assert score != second.scores(latest.astype({"events_7d": float, "events_30d": float}))[0]


def test_the_daily_score_is_the_previous_one(stream: Stream, customers: list[str], world: World) -> None:
    table = SCORES.create(world.spark, CATALOG)
    day = now().date()
    row = f"('{customers[3]}', DATE '{day}', 0.25, 'low', 1, '0', NULL)"
    world.spark.sql(f"INSERT INTO {table} VALUES {row}").collect()
    try:
        stream.add(*signal_of(customers[3], "daily"))
        stream.catch_up()
        assert stream.rows("SELECT previous_score FROM churn.scores WHERE session_id = 'daily'") == [(0.25,)]
    finally:
        world.spark.sql(f"DELETE FROM {table} WHERE date = DATE '{day}'").collect()
