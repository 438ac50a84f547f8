"""Messages as bronze keeps them: nothing of a message is lost, whatever it holds. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.clock import processing_time

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

REPLAY_OF = "replay-of"  # header of a repaired message: `<partition>/<offset>` of the one that it replaces
ERASED = "erased"  # header of a place in bronze whose message was of a customer who was erased since
FIRST_BROKER_TIME = "first-broker-time"  # and when the broker had that one, as `sf.to_json` writes a moment


def arrived(messages: DataFrame) -> DataFrame:
    """The rows of bronze.events.

    Args:
        messages: As Spark's source of Kafka gives them, with headers.

    Returns:
        `key` and `value` as text, in which U+FFFD stands for bytes that are no UTF-8; `undecoded`, key and value as
        they came if either has such bytes, else NULL; `topic`, `partition`, `offset`, `broker_time`, `headers`;
        `read_at`, when the batch read the message.
    """
    key, value = sf.col("key").cast("string"), sf.col("value").cast("string")
    readable = sf.coalesce(sf.is_valid_utf8(key), sf.lit(True)) & sf.coalesce(sf.is_valid_utf8(value), sf.lit(True))
    return messages.select(
        sf.make_valid_utf8(key).alias("key"),
        sf.make_valid_utf8(value).alias("value"),
        sf.when(~readable, sf.struct("key", "value")).alias("undecoded"),
        "topic",
        "partition",
        "offset",
        sf.col("timestamp").alias("broker_time"),
        "headers",
        processing_time().alias("read_at"),
    )


def header(name: str) -> Column:
    """Text of a header of a message in bronze, the first of its name; NULL if it has none."""
    found = sf.filter("headers", lambda each: each["key"] == name)
    return sf.try_element_at(found, sf.lit(1))["value"].cast("string")


def was_erased() -> Column:
    """Whether a row of bronze is the place of a message that was erased: it has nothing but the header that says so."""
    empty = sf.col("key").isNull() & sf.col("value").isNull() & sf.col("undecoded").isNull()
    return empty & sf.coalesce(sf.exists("headers", lambda each: each["key"] == ERASED), sf.lit(False))
