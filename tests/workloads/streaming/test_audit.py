"""The account of the stream: it adds up, and it finds what is missing, lost, or there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn.streaming import audit, events
from churn.streaming.messages import ERASED
from tests.workloads.streaming.stream_rows import EVENTS, bronze, conformed, value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

# Offsets 10 to 16 of partition 0: two events, a repeat of the first, three faults, and an event that files have.
VALUES = (
    value(event_id="1"),
    value(event_id="2", customer_id="stranger"),
    value(event_id="1"),
    b"{",
    value(event_id="3", kind="logout"),
    value(event_id="4", event_time="2020-01-01T00:00:00Z"),
    value(event_id="by file"),
)
WELL = {
    "produced": 7,
    "missing": 0,
    "accepted": 2,
    "quarantined": 3,
    "duplicates": 2,
    "erased": 0,
    "lost": 0,
    "twice": 0,
    "unknown_customers": 1,
}


class Tables:
    """The tables of a stream that has lost nothing."""

    def __init__(self, spark: SparkSession) -> None:
        self.bronze = bronze(spark, *VALUES, first=10)
        rows = conformed(spark, *VALUES, first=10)
        accepted = events.accepted(rows, EVENTS).where("_offset NOT IN (12, 16)")
        use = accepted.where("_offset = 10").select(
            sf.lit("by file").alias("event_id"),
            *(name for name in accepted.columns if name not in ("event_id", "_source", "_partition", "_offset")),
            sf.lit("files").alias("_source"),
            sf.lit(None).cast("int").alias("_partition"),
            sf.lit(None).cast("bigint").alias("_offset"),
        )
        self.silver = accepted.unionByName(use)
        self.quarantine = events.quarantined(rows, EVENTS)
        self.customers = spark.createDataFrame([("a",)], "customer_id STRING")
        self.ended = spark.createDataFrame([], "partition INT, last_offset BIGINT")

    def account(self) -> list[Row]:
        rows = audit.account(
            self.bronze, self.silver, self.quarantine, self.customers, ended=self.ended, contract=EVENTS
        )
        return rows.orderBy("partition").collect()


@pytest.fixture
def tables(spark: SparkSession) -> Tables:
    return Tables(spark)


def counts(row: Row) -> dict[str, int]:
    assert row.produced == row.missing + row.accepted + row.quarantined + row.duplicates + row.erased + row.lost
    return {name: row[name] for name in audit.COUNTS}


def changed(**numbers: int) -> dict[str, int]:
    return {**WELL, **numbers}


def without(rows: DataFrame, offset: int, name: str = "_offset") -> DataFrame:
    return rows.where(sf.coalesce(sf.col(name) != offset, sf.lit(True)))


def test_produced_is_silver_and_quarantine_and_duplicates(tables: Tables) -> None:
    (row,) = tables.account()
    assert counts(row) == WELL
    assert (row.partition, row.first_offset, row.last_offset) == (0, 10, 16)


def test_offsets_that_bronze_lacks_are_missing(spark: SparkSession, tables: Tables) -> None:
    tables.bronze = without(tables.bronze, 11, "offset")
    tables.silver = without(tables.silver, 11)
    tables.ended = spark.createDataFrame([(0, 7)], tables.ended.schema)
    (row,) = tables.account()
    assert counts(row) == changed(produced=9, missing=3, accepted=1, unknown_customers=0)
    assert (row.first_offset, row.last_offset) == (8, 16)
    gaps = audit.gaps_between(tables.bronze, tables.ended).collect()
    assert [tuple(gap) for gap in gaps] == [(0, 8, 9), (0, 11, 11)]


def test_a_message_that_came_no_further_than_bronze_is_lost(tables: Tables) -> None:
    tables.silver = without(tables.silver, 11)
    tables.quarantine = without(tables.quarantine, 13)
    (row,) = tables.account()
    assert counts(row) == changed(accepted=1, quarantined=2, lost=2, unknown_customers=0)


def test_an_erased_message_is_not_lost_and_an_empty_one_is(spark: SparkSession, tables: Tables) -> None:
    tables.silver, tables.quarantine = without(tables.silver, 11), without(tables.quarantine, 13)
    places = without(without(tables.bronze, 11, "offset"), 13, "offset")
    gone = bronze(spark, None, headers=[(ERASED, b"")], key=None, first=11)
    empty = bronze(spark, None, key=None, first=13)
    tables.bronze = places.unionByName(gone).unionByName(empty)
    (row,) = tables.account()
    assert counts(row) == changed(accepted=1, quarantined=2, erased=1, lost=1, unknown_customers=0)


@pytest.mark.parametrize("table", ["bronze", "silver", "quarantine"])
def test_a_row_twice_is_counted(tables: Tables, table: str) -> None:
    rows = getattr(tables, table)
    again = rows.where("offset = 10" if table == "bronze" else "_offset IN (10, 14)")
    setattr(tables, table, rows.unionByName(again))
    (row,) = tables.account()
    assert counts(row) == changed(twice=1)


def test_a_message_in_silver_and_in_quarantine_is_twice(tables: Tables) -> None:
    both = tables.quarantine.where("_offset = 14").select(
        *(sf.lit(10).cast("bigint").alias(n) if n == "_offset" else n for n in tables.quarantine.columns)
    )
    tables.quarantine = tables.quarantine.unionByName(both)
    (row,) = tables.account()
    assert counts(row) == changed(twice=1)


def test_partitions_are_accounted_for_apart(spark: SparkSession, tables: Tables) -> None:
    other = bronze(spark, value(event_id="other"), partition=1, first=5)
    tables.bronze = tables.bronze.unionByName(other)
    tables.ended = spark.createDataFrame([(0, 9), (1, 4), (2, 3)], tables.ended.schema)
    first, second = tables.account()
    assert counts(first) == WELL
    assert (second.partition, second.first_offset, second.last_offset, second.lost) == (1, 5, 5, 1)


def test_an_id_twice_in_silver_is_named(tables: Tables) -> None:
    assert audit.repeated(tables.silver, tables.silver).collect() == []
    again = tables.silver.unionByName(tables.silver.where("_offset = 10"))
    assert [tuple(row) for row in audit.repeated(again, again).collect()] == [("1", 2)]
    assert audit.repeated(again, again.where("event_id = '2'")).collect() == []


def test_messages_of_a_batch_are_in_an_account_whole(spark: SparkSession) -> None:
    rows = bronze(spark, *VALUES).select("*").withColumn("read_at", sf.expr("timestamp_seconds(offset)"))
    until = rows.where("offset = 4").collect()[0].read_at
    since = rows.where("offset = 1").collect()[0].read_at
    assert {row.offset for row in audit.read_between(rows, since, until).collect()} == {2, 3, 4}
    assert {row.offset for row in audit.read_between(rows, None, until).collect()} == {0, 1, 2, 3, 4}
