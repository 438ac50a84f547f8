"""The queries of `platform stream` and of the alert on lag, on real Spark with tables as the stream makes them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cli import stream_account, stream_repair, stream_status
from cli.brokers import Offsets
from infra.layers.platform.alert import query_text
from infra.layers.platform.lag_alert import COLUMN, QUERY, values
from tests.conftest import TEST_CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from cli.deployed_stream import DeployedStream

BRONZE = (
    "partition INT, offset BIGINT, key STRING, value STRING, headers ARRAY<STRUCT<key: STRING, value: BINARY>>, "
    "broker_time TIMESTAMP, read_at TIMESTAMP"
)
SILVER = (
    "event_id STRING, _source STRING, _partition INT, _offset BIGINT, _broker_time TIMESTAMP, _read_at TIMESTAMP, "
    "_accepted_at TIMESTAMP"
)
QUARANTINE = (
    "_partition INT, _offset BIGINT, _reasons ARRAY<STRING>, _malformed ARRAY<STRING>, _first_broker_time TIMESTAMP, "
    "_key STRING, _raw STRING, _read_at TIMESTAMP"
)
FRESHNESS = "written_at TIMESTAMP, hop STRING, version BIGINT, rows BIGINT, p50 DOUBLE, p95 DOUBLE, p99 DOUBLE"
TABLES = {
    "bronze.events": BRONZE,
    "silver.events": SILVER,
    "silver.quarantine_events": QUARANTINE,
    "mlops.stream_freshness": FRESHNESS,
}


class Tables:
    """The stream's tables, which a test fills."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def add(self, table: str, *rows: str) -> None:
        """Adds rows, each as the values of its columns."""
        values = ", ".join(f"({row})" for row in rows)
        self._spark.sql(f"INSERT INTO {TEST_CATALOG}.{table} VALUES {values}").collect()

    def rows(self, statement: str) -> list[list[Any]]:
        """Runs a query as the warehouse does: its values are texts."""
        found = self._spark.sql(statement.format(catalog=TEST_CATALOG)).collect()
        return [[None if value is None else str(value) for value in row] for row in found]

    @property
    def stream(self) -> DeployedStream:
        return cast("DeployedStream", SimpleNamespace(rows=self.rows, topic="t", brokers="b", state="RUNNING"))


@pytest.fixture
def tables(spark: SparkSession) -> Iterator[Tables]:
    for table, columns in TABLES.items():
        spark.sql(f"CREATE OR REPLACE TABLE {TEST_CATALOG}.{table} ({columns}) USING delta").collect()
    yield Tables(spark)
    for table in TABLES:
        spark.sql(f"DROP TABLE {TEST_CATALOG}.{table}").collect()


def message(partition: int, offset: int, event_id: str | None = None, replays: str = "") -> str:
    """A row of bronze; without an id its value is no JSON."""
    value = json.dumps({"event_id": event_id}).replace("\\", "\\\\") if event_id else "no JSON"
    headers = f"array(named_struct('key', 'replay-of', 'value', CAST('{replays}' AS BINARY)))" if replays else "array()"
    return f"{partition}, {offset}, 'c', '{value}', {headers}, current_timestamp(), current_timestamp()"


def event(event_id: str, place: str = "NULL, NULL", source: str = "stream") -> str:
    return f"'{event_id}', '{source}', {place}, {', '.join(['current_timestamp()'] * 3)}"


def poison(partition: int, offset: int, value: str = "no JSON") -> str:
    utc = "to_utc_timestamp(TIMESTAMP '2026-01-31 08:15:00.123', current_timezone())"
    moment = f"from_utc_timestamp({utc}, current_timezone())"
    return f"{partition}, {offset}, array('a'), NULL, {moment}, 'c', '{value}', current_timestamp()"


def test_each_message_is_found_where_it_is(tables: Tables) -> None:
    tables.add("bronze.events", message(0, 0, "a"), message(0, 1), message(0, 2, " a "), message(0, 3, "f"))
    tables.add("bronze.events", message(0, 4, "\ta\u00a0"))
    tables.add("bronze.events", message(1, 7, "b"), message(1, 8, "z"), message(1, 9, "x"))
    tables.add("silver.events", event("a", "0, 0"), event("f", source="files"), event("b", "1, 7"), event("z", "1, 8"))
    tables.add("silver.quarantine_events", poison(0, 1))
    account = stream_account.account_of(tables.stream, {0: Offsets(0, 5), 1: Offsets(7, 9), 2: Offsets(3, 3)})
    first, second, third = account.partitions
    assert (first.produced, first.silver, first.quarantined, first.duplicates) == (5, 1, 1, 3)
    assert (second.produced, second.silver) == (2, 2), "offset 9 came after the range"
    assert third.produced == 0
    assert (account.lost, account.twice) == (0, 0)


def test_lost_and_repeated_messages_are_seen(tables: Tables) -> None:
    tables.add("bronze.events", message(0, 0, "a"), message(0, 0, "a"), message(0, 1, "b"), message(0, 3, "c"))
    tables.add("silver.events", event("a", "0, 0"), event("c", "0, 3"), event("c", "0, 3"))
    account = stream_account.account_of(tables.stream, {0: Offsets(0, 5)})
    (partition,) = account.partitions
    assert partition.lost == 3, "2 and 4 are not in bronze, 1 is nowhere else"
    assert partition.twice == 2, "0 is twice in bronze, 3 in silver"
    assert account.ids_twice == 1


def test_poison_is_listed_until_it_was_replayed(tables: Tables, tmp_path: Path) -> None:
    tables.add("silver.quarantine_events", poison(1, 5), poison(0, 9, "{"), poison(0, 3))
    tables.add("bronze.events", message(0, 10, "a", replays="0/3"), message(0, 11, "b"))
    file = tmp_path / "poison.jsonl"
    assert stream_repair.quarantine(tables.stream, file) == 2
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first == {
        "partition": 0,
        "offset": 9,
        "reasons": ["a"],
        "first_broker_time": "2026-01-31T08:15:00.123000Z",
        "key": "c",
        "value": "{",
    }
    assert (second["partition"], second["offset"]) == (1, 5)


def test_what_is_replayed_is_read_with_the_message_that_it_replaces(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.add("silver.quarantine_events", poison(0, 9, "{"), poison(0, 3))
    tables.add("bronze.events", message(0, 10, "a", replays="0/3"))
    given: dict[str, Any] = {}

    def send(_stream: object, what: dict[str, Any], *, dry: bool) -> int:
        assert not dry
        given.update(what)
        tables.add("bronze.events", message(0, 12, "b", replays="0/9"))
        return 1

    monkeypatch.setattr(stream_repair, "_send", send)
    file = tmp_path / "poison.jsonl"
    file.write_text(json.dumps({"partition": 0, "offset": 9, "value": "{}"}))
    assert stream_repair.replay(tables.stream, file) == 1
    assert (given["quarantined"], given["done"]) == ([[0, 9, "{"]], [[0, 3]])


def fresh(seconds_ago: int, **p95: float) -> list[str]:
    moment = f"current_timestamp() - INTERVAL {seconds_ago} SECONDS"
    return [f"{moment}, '{hop}', 1, 10, {value} / 2, {value}, {value}" for hop, value in p95.items()]


def lag(tables: Tables) -> float:
    """What the alert's query says."""
    query = query_text(QUERY, values(TEST_CATALOG, 1, None))
    assert f"AS {COLUMN}" in query
    ((minutes,),) = tables.rows(query)
    return float(minutes)


def test_the_alert_is_calm_before_the_first_event(tables: Tables) -> None:
    assert lag(tables) == 0


def test_the_alert_adds_up_the_hops_behind_the_broker(tables: Tables) -> None:
    hops = {"event_broker": 9000.0, "broker_bronze": 60.0, "bronze_silver": 30.0, "silver_online": 90.0}
    tables.add("mlops.stream_freshness", *fresh(30, **hops), *fresh(3600, silver_online=1e6))
    assert lag(tables) == pytest.approx(3), "neither late devices nor what is an hour old counts"


def test_the_alert_sees_events_that_wait_for_the_online_store(tables: Tables) -> None:
    tables.add("mlops.stream_freshness", *fresh(1800, silver_online=1.0))
    then = "current_timestamp() - INTERVAL 20 MINUTES"
    waiting = f"'e', 'stream', 0, 1, {then}, {then}, {then}"
    tables.add("silver.events", waiting, event("f", source="files"))
    assert lag(tables) == pytest.approx(20, abs=1)


def test_freshness_and_counts_are_those_of_the_tables(tables: Tables) -> None:
    tables.add("mlops.stream_freshness", *fresh(5, event_online=4.0, broker_bronze=2.0), *fresh(9, event_online=8.0))
    tables.add("bronze.events", message(0, 0, "a"), message(0, 1), message(1, 4, "b"))
    tables.add("silver.events", event("a", "0, 0"), event("f", source="files"))
    assert stream_status._freshness(tables.stream) == {"broker_bronze": [10, 1, 2, 2], "event_online": [20, 3, 8, 8]}
    assert sorted(tables.rows(stream_status.READ)) == [["0", "2"], ["1", "5"]]
    assert tables.rows(stream_status.COUNTS) == [["3", "1", "0"]]


def test_the_oldest_event_that_waits_for_the_online_store_is_seen(tables: Tables) -> None:
    tables.add("silver.events", event("f", source="files"))
    assert stream_status._waits(tables.stream) == 0
    then = "current_timestamp() - INTERVAL 20 MINUTES"
    tables.add("silver.events", f"'e', 'stream', 0, 1, {then}, {then}, {then}", event("late", "0, 2"))
    assert stream_status._waits(tables.stream) == pytest.approx(1200, abs=60)
    tables.add("mlops.stream_freshness", *fresh(-60, silver_online=1.0))
    assert stream_status._waits(tables.stream) == 0
