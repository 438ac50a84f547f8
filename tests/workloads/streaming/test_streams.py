"""The task `streams` over tables as the pipeline leaves them, after an outage and over weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn.core.entry import Run
from churn.streaming import events, streams
from tests.workloads.streaming.stream_rows import EVENTS, bronze, value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CATALOG = "churn_accounts"
NOW = datetime.now(UTC).replace(microsecond=0)


class Tables:
    """The tables of a stream, filled message by message; one that a table has not taken over waits."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark, self.offset = spark, 0
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{CATALOG}")
        for schema in ("bronze", "silver", "mlops"):
            spark.sql(f"DROP SCHEMA IF EXISTS {CATALOG}.{schema} CASCADE")
            spark.sql(f"CREATE SCHEMA {CATALOG}.{schema}")
        none = self.messages(value(), NOW).where("false")
        self.append("bronze.events", none)
        self.append("silver.events", self.accepted(none, NOW))
        self.append("silver.quarantine_events", self.quarantined(none))
        self.append("silver.customer", spark.createDataFrame([("a",)], "customer_id STRING"))

    def append(self, table: str, rows: DataFrame) -> None:
        rows.write.mode("append").saveAsTable(f"{CATALOG}.{table}")

    def messages(self, text: bytes, read_at: datetime) -> DataFrame:
        rows = bronze(self.spark, text, first=self.offset)
        return rows.withColumn("read_at", sf.lit(read_at))

    def accepted(self, messages: DataFrame, accepted_at: datetime) -> DataFrame:
        rows = events.accepted(events.conform(messages, EVENTS), EVENTS)
        return rows.withColumn("_accepted_at", sf.lit(accepted_at))

    def quarantined(self, messages: DataFrame) -> DataFrame:
        return events.quarantined(events.conform(messages, EVENTS), EVENTS)

    def read(self, text: bytes, read_at: datetime) -> DataFrame:
        """Lets bronze read a message, which waits there."""
        rows = self.messages(text, read_at)
        self.append("bronze.events", rows)
        self.offset += 1
        return rows

    def take(self, text: bytes, read_at: datetime) -> None:
        """Lets bronze and silver or quarantine take over a message."""
        rows = self.read(text, read_at)
        self.append("silver.events", self.accepted(rows, read_at))
        self.append("silver.quarantine_events", self.quarantined(rows))

    def check(self, run_id: str, wait_minutes: int = 0) -> None:
        streams.Accounting(self.spark, Run(CATALOG, date(2026, 2, 1), run_id)).check(wait_minutes, settle_minutes=0)

    def accounts(self) -> list[tuple[str, int, int]]:
        rows = self.spark.table(f"{CATALOG}.mlops.stream_accounting").orderBy("read_until").collect()
        return [(row.run_id, row.produced, row.lost) for row in rows]


@pytest.fixture
def tables(spark: SparkSession) -> Tables:
    return Tables(spark)


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


def test_messages_that_wait_after_an_outage_are_not_lost(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.take(value(event_id="before"), ago(hours=3))
    tables.take(b"{", ago(hours=3))
    late, poison = tables.read(value(event_id="waits"), ago(hours=1)), tables.read(b"[", ago(hours=1))
    with pytest.raises(streams.StreamTooOldError, match=r"2 messages of bronze\.events still wait for silver\.events"):
        tables.check("1")
    assert tables.accounts() == [], "the next run accounts for the same messages"

    def taken_meanwhile(_: float) -> None:
        tables.append("silver.events", tables.accepted(late, NOW))
        tables.append("silver.quarantine_events", tables.quarantined(poison))

    monkeypatch.setattr(streams.time, "sleep", taken_meanwhile)
    tables.check("1", wait_minutes=1)
    assert tables.accounts() == [("1", 4, 0)]


def test_messages_that_the_stream_has_passed_over_are_lost(tables: Tables) -> None:
    tables.read(value(event_id="lost"), ago(hours=2))
    tables.take(value(event_id="later"), ago(hours=1))
    tables.read(b"{", ago(minutes=50))
    tables.take(b"[", ago(minutes=40))
    with pytest.raises(streams.EventsLostError, match="2 of partition 0; look at the event log"):
        tables.check("1", wait_minutes=1)
    assert tables.accounts() == [("1", 4, 2)]
