"""New events of silver.events by versions of its Delta table, as its change feed has them.

The position that a batch ends at is kept in the online store, in the transaction of the batch. A checkpoint of
Structured Streaming would lie elsewhere, and a crash between both would count a batch twice or lose it; the function of
`foreachBatch` would besides run on the server, away from the task's log, its credentials and its signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as sf

from churn.core.errors import FinalError
from churn.feature_engineering.rolling_activity import KEPT_DAYS
from churn.online.event import Event
from churn.online.events import COLUMNS, TIMES, DayTotals
from churn.online.writer import ACTIVE, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession


ROWS_AT_ONCE = 10_000
SESSION = timedelta(days=1)  # longer than any session, so that one which runs is read whole


class NoEventsError(FinalError):
    """silver.events is missing, or has no change feed; the text says what makes it."""


@dataclass(frozen=True)
class Commit:
    """What one version of a table has changed.

    Attributes:
        version: The version.
        added: Rows that it added.
        otherwise: Rows that it deleted or changed, as a full refresh or the erasure of a customer does.
    """

    version: int
    added: int
    otherwise: int


def head(spark: SparkSession, table: str) -> Position:
    """The present version of a table.

    Raises:
        NoEventsError: The table is missing.
    """
    try:
        [detail] = spark.sql(f"DESCRIBE DETAIL {table}").select("id", "properties").collect()
        [latest] = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").select("version").collect()
    except AnalysisException as error:
        raise NoEventsError(f"{table} cannot be read: run the pipeline churn_stream first ({error})") from error
    if detail.properties.get("delta.enableChangeDataFeed") != "true":
        raise NoEventsError(f"{table} has no change feed: its pipeline sets delta.enableChangeDataFeed to true")
    return Position(detail.id, latest.version)


def latest_version(spark: SparkSession, table: str) -> int:
    """The present version of a table that is known."""
    [latest] = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").select("version").collect()
    return int(latest.version)


def commits(spark: SparkSession, table: str, after: int, until: int) -> list[Commit]:
    """What the versions after one, up to another, have changed, in order; a version without rows is left out."""
    added = sf.col("_change_type") == "insert"
    by_version = _feed(spark, table, after, until).groupBy(sf.col("_commit_version").alias("version"))
    rows = by_version.agg(sf.count_if(added).alias("added"), sf.count_if(~added).alias("otherwise"))
    return [Commit(*row) for row in rows.orderBy("version").collect()]


def changes(spark: SparkSession, table: str, after: int, until: int, parts: int = 1) -> Iterator[list[Event]]:
    """Events that were added, all those of a customer together.

    Args:
        spark: A session.
        table: Full name of the table.
        after: Version after which they were added.
        until: Version with which the last were.
        parts: Number of lists that customers are spread over, of which one is in memory at a time.
    """
    rows = _feed(spark, table, after, until).where("_change_type = 'insert'")
    part_of = sf.pmod(sf.xxhash64("customer_id"), sf.lit(parts))
    for part in range(parts):
        yield _events(rows.where(part_of == part) if parts > 1 else rows)


def within(found: Sequence[Commit], until: int, most: int) -> int:
    """The last version with which no more than so many rows were added, or the first version that added any.

    Args:
        found: Commits, in order.
        until: The last version of all.
        most: Number of rows.
    """
    total = 0
    for number, commit in enumerate(found):
        total += commit.added
        if number and total > most:
            return commit.version - 1
    return until


def running(spark: SparkSession, table: str, version: int, at: datetime) -> list[Event]:
    """All events of the sessions that may run at a moment, as of a version, for the first batch of all."""
    key = ["customer_id", "session_id"]
    rows = _at(spark, table, version).where(sf.col("event_time") > sf.lit(at - SESSION))
    recent = rows.where(sf.col("event_time") > sf.lit(at - ACTIVE)).select(*key).distinct()
    return _events(rows.join(recent, key, "left_semi"))


def totals(spark: SparkSession, table: str, version: int, on: date) -> dict[tuple[str, date], DayTotals]:
    """Totals of days as of a version, by customer and day, as far back as activity looks from a date."""
    used = sf.col("kind") == "core_feature_use"
    rows = (
        _at(spark, table, version)
        .where(sf.col("event_date") > sf.lit(on - timedelta(days=KEPT_DAYS)))
        .groupBy("customer_id", "event_date")
        .agg(
            sf.max("event_time").alias("last_event_time"),
            sf.count("*").alias("events"),
            sf.count_if(sf.col("kind") == "session_start").alias("sessions"),
            sf.count_if(used).alias("core_uses"),
            sf.coalesce(sf.sum(sf.when(used, sf.col("minutes").cast("double"))), sf.lit(0.0)).alias("core_minutes"),
        )
    )
    found = {}
    for row in rows.toArrow().to_pylist():
        key = row.pop("customer_id"), row.pop("event_date")
        found[key] = DayTotals(**row)
    return found


def _feed(spark: SparkSession, table: str, after: int, until: int) -> DataFrame:
    """Rows that the versions after one, up to another, have changed."""
    feed = spark.read.option("readChangeFeed", "true").option("startingVersion", after + 1)
    return feed.option("endingVersion", until).table(table)


def _at(spark: SparkSession, table: str, version: int) -> DataFrame:
    return spark.sql(f"SELECT * FROM {table} VERSION AS OF {version}")


def _events(rows: DataFrame) -> list[Event]:
    moments = {name: name.removeprefix("_") for name in TIMES}
    chosen = rows.select(*COLUMNS, *(sf.col(name).alias(new) for name, new in moments.items()))
    batches = chosen.toArrow().to_batches(max_chunksize=ROWS_AT_ONCE)  # a dictionary a row takes five times as much
    return [Event(**row) for batch in batches for row in batch.to_pylist()]
