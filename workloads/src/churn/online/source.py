"""New events of silver.events by versions of its Delta table, as its change feed has them.

The position that a batch ends at is kept in the online store, in the transaction of the batch. A checkpoint of
Structured Streaming would lie elsewhere, and a crash between both would count a batch twice or lose it; the function of
`foreachBatch` would besides run on the server, away from the task's log, its credentials and its signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException, PySparkException
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
# Conditions of errors by which Spark and Delta say that a version or a file of the past is no longer there, here and on
# Databricks: its log went by delta.logRetentionDuration, or files that OPTIMIZE has replaced went by VACUUM.
GONE = (
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
    "DELTA_FILE_NOT_FOUND",
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION",
    "DELTA_VERSION_NOT_FOUND",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    "FAILED_READ_FILE.DBR_FILE_NOT_EXIST",
    "FAILED_READ_FILE.FILE_NOT_EXIST",
)
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


def is_gone(error: PySparkException) -> bool:
    """Whether an error says that a version, or a file of one, is no longer there."""
    said = f"{error.getCondition()} {error}"
    return any(condition in said for condition in GONE)


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
    for part in range(parts):
        yield _events(_part(rows, part, parts))


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


def size(spark: SparkSession, table: str, version: int, at: datetime) -> int:
    """Number of days and events that `whole` gives."""
    rows = _at(spark, table, version)
    days = _in_window(rows, at).select("customer_id", "event_date").distinct()
    return days.count() + _running(rows, at).count()


def whole(
    spark: SparkSession, table: str, version: int, at: datetime, parts: int = 1
) -> Iterator[tuple[dict[tuple[str, date], DayTotals], list[Event]]]:
    """Days and running sessions as of a version, all those of a customer together.

    Args:
        spark: A session.
        table: Full name of the table.
        version: The version.
        at: The moment: activity looks back from it, and a session may run at it.
        parts: Number of parts that customers are spread over, of which one is in memory at a time.

    Returns:
        For each part the totals of days by customer and day, and all events of the sessions that may run.
    """
    for part in range(parts):
        rows = _part(_at(spark, table, version), part, parts)
        yield _totals(_in_window(rows, at)), _events(_running(rows, at))


def _in_window(rows: DataFrame, at: datetime) -> DataFrame:
    """Events as far back as activity looks from a moment."""
    return rows.where(sf.col("event_date") > sf.lit(at.date() - timedelta(days=KEPT_DAYS)))


def _running(rows: DataFrame, at: datetime) -> DataFrame:
    """All events of the sessions that may run at a moment."""
    key = ["customer_id", "session_id"]
    late = rows.where(sf.col("event_time") > sf.lit(at - SESSION))
    recent = late.where(sf.col("event_time") > sf.lit(at - ACTIVE)).select(*key).distinct()
    return late.join(recent, key, "left_semi")


def _totals(rows: DataFrame) -> dict[tuple[str, date], DayTotals]:
    """Totals of days, by customer and day."""
    used = sf.col("kind") == "core_feature_use"
    days = rows.groupBy("customer_id", "event_date").agg(
        sf.max("event_time").alias("last_event_time"),
        sf.count("*").alias("events"),
        sf.count_if(sf.col("kind") == "session_start").alias("sessions"),
        sf.count_if(used).alias("core_uses"),
        sf.coalesce(sf.sum(sf.when(used, sf.col("minutes").cast("double"))), sf.lit(0.0)).alias("core_minutes"),
    )
    found = {}
    for row in days.toArrow().to_pylist():
        key = row.pop("customer_id"), row.pop("event_date")
        found[key] = DayTotals(**row)
    return found


def _part(rows: DataFrame, part: int, parts: int) -> DataFrame:
    """The rows of the customers of one part."""
    return rows.where(sf.pmod(sf.xxhash64("customer_id"), sf.lit(parts)) == part) if parts > 1 else rows


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
