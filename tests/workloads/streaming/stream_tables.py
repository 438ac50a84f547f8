"""Tables of a stream as its pipeline leaves them, filled by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.streaming import events
from churn.streaming.messages import ERASED
from tests.workloads.streaming.stream_rows import EVENTS, bronze, value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def ago(**delta: float) -> datetime:
    """The moment so long before this call: a module is imported long before its tests run."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**delta)


def event(event_id: str, happened: datetime | None = None) -> bytes:
    """The value of a message: a login, yesterday unless said otherwise."""
    return value(event_id=event_id, event_time=f"{happened or ago(days=1):%Y-%m-%dT%H:%M:%SZ}")


class Tables:
    """The tables of a stream, filled message by message; one that a table has not taken over waits."""

    def __init__(self, spark: SparkSession, catalog: str) -> None:
        self.spark, self.catalog, self.offset = spark, catalog, 0
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{catalog}")
        for schema in ("bronze", "silver", "mlops"):
            spark.sql(f"DROP SCHEMA IF EXISTS {self.catalog}.{schema} CASCADE")
            spark.sql(f"CREATE SCHEMA {self.catalog}.{schema}")
        none = self.messages(event("none"), ago()).where("false")
        self.append("bronze.events", none)
        self.append("silver.events", self.accepted(none, ago()))
        self.append("silver.quarantine_events", self.quarantined(none))
        self.append("silver.customer", spark.createDataFrame([("a",)], "customer_id STRING"))

    def append(self, table: str, rows: DataFrame) -> None:
        rows.write.mode("append").saveAsTable(f"{self.catalog}.{table}")

    def messages(self, text: bytes, read_at: datetime) -> DataFrame:
        rows = bronze(self.spark, text, first=self.offset)
        return rows.withColumns({"broker_time": sf.lit(read_at), "read_at": sf.lit(read_at)})

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

    def read_erased(self, read_at: datetime) -> None:
        """Lets bronze have the place of a message of a customer who was erased since."""
        rows = self.messages(b"", read_at).withColumns(
            {
                "key": sf.lit(None).cast("string"),
                "value": sf.lit(None).cast("string"),
                "headers": sf.array(sf.struct(sf.lit(ERASED).alias("key"), sf.lit(b"").alias("value"))),
            }
        )
        self.append("bronze.events", rows)
        self.offset += 1

    def take(self, text: bytes, read_at: datetime) -> None:
        """Lets bronze and silver or quarantine take over a message."""
        rows = self.read(text, read_at)
        self.append("silver.events", self.accepted(rows, read_at))
        self.append("silver.quarantine_events", self.quarantined(rows))
