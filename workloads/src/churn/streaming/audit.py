"""Account of the stream, by partition and range of offsets. No I/O.

Produced is what the offsets say: Kafka numbers the messages of a partition one by one, so a number that bronze lacks is
a message lost (or one that retention took before it was read). Every other message is in silver, in quarantine, or is a
duplicate: its id is in silver by another message or by a file. Of a message of a customer who was erased bronze has the
place alone. What is none of these is lost; what is more than one of
these, or there more than once, is there twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as sf

from churn.streaming.events import STREAM, conform
from churn.streaming.messages import was_erased
from churn.transforms.conform import broken_rules

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Contract

COUNTS = (
    *("produced", "missing", "accepted", "quarantined", "duplicates", "erased"),
    *("lost", "twice", "unknown_customers"),
)
PLACE = ("partition", "offset")


def read_between(bronze: DataFrame, since: datetime | None, until: datetime) -> DataFrame:
    """The messages that were read after a moment, up to another. A batch of the stream is in it whole or not at all."""
    rows = bronze.where(sf.col("read_at") <= sf.lit(until))
    return rows if since is None else rows.where(sf.col("read_at") > sf.lit(since))


def account(
    messages: DataFrame,
    silver: DataFrame,
    quarantine: DataFrame,
    customers: DataFrame,
    *,
    ended: DataFrame,
    contract: Contract,
) -> DataFrame:
    """Accounts for messages, a row a partition.

    Args:
        messages: bronze.events, or those of `read_between`.
        silver: silver.events, as far back as ids are remembered.
        quarantine: silver.quarantine_events.
        customers: silver.customer.
        ended: `partition` and `last_offset` of the account before, whose end these messages continue.
        contract: Of the topic.

    Returns:
        `partition`, `first_offset`, `last_offset`, then `COUNTS`. In each row, produced = missing + accepted +
        quarantined + duplicates + erased + lost. `missing` messages are not in bronze, `lost` ones in bronze and no
        further; `twice` counts the rows too many in any of the three tables.
    """
    found = messages.groupBy(*PLACE).agg(sf.count("*").alias("copies"), sf.bool_and(was_erased()).alias("gone"))
    accepted = silver.where(sf.col("_source") == STREAM).groupBy(_place("_partition"), _place("_offset"))
    in_silver = accepted.agg(sf.count("*").alias("silver_rows"), sf.first("customer_id").alias("customer_id"))
    in_quarantine = quarantine.groupBy(_place("_partition"), _place("_offset")).agg(
        sf.count("*").alias("quarantine_rows")
    )
    repeats = _elsewhere(messages, silver, quarantine, contract).join(
        silver.select("event_id"), "event_id", "left_semi"
    )
    duplicates = repeats.select(*PLACE, sf.lit(True).alias("duplicate")).distinct()
    known = customers.select("customer_id", sf.lit(True).alias("known")).distinct()
    rows = (
        found.join(in_silver, [*PLACE], "left")
        .join(in_quarantine, [*PLACE], "left")
        .join(duplicates, [*PLACE], "left")
        .join(known, "customer_id", "left")
    )
    counts = _counted(rows)
    gaps = gaps_between(found, ended).groupBy("partition").agg(sf.sum(_length()).alias("gap"))
    totals = counts.join(ended, "partition", "left").join(gaps, "partition", "left")
    first = sf.coalesce(sf.col("last_offset") + 1, "least_offset")
    return totals.select(
        "partition",
        first.alias("first_offset"),
        sf.col("greatest_offset").alias("last_offset"),
        (sf.col("messages") + sf.coalesce("gap", sf.lit(0))).alias("produced"),
        sf.coalesce("gap", sf.lit(0)).alias("missing"),
        *COUNTS[2:],
    )


def waiting(messages: DataFrame, silver: DataFrame, quarantine: DataFrame, contract: Contract) -> DataFrame:
    """Messages that are nowhere and only wait, since the table that they belong to has none that was read later.

    Silver and quarantine each take messages in the order in which they were read. One that is nowhere, while its table
    has later ones, was passed over: it is lost. One of an erased customer waits for nothing.

    Args:
        messages: bronze.events, or some of it.
        silver: silver.events, as far back as ids are remembered.
        quarantine: silver.quarantine_events.
        contract: Of the topic.

    Returns:
        `partition`, `offset`, `read_at`.
    """
    nowhere = _elsewhere(messages.where(~was_erased()), silver, quarantine, contract).join(
        silver, "event_id", "left_anti"
    )
    latest = silver.agg(sf.max("_read_at").alias("silver")).crossJoin(
        quarantine.agg(sf.max("_read_at").alias("poison"))
    )
    reached = sf.when(sf.size(broken_rules(contract)) > 0, sf.col("poison")).otherwise(sf.col("silver"))
    behind = nowhere.crossJoin(latest).where(reached.isNull() | (sf.col("read_at") >= reached))
    return behind.select(*PLACE, "read_at")


def gaps_between(messages: DataFrame, ended: DataFrame) -> DataFrame:
    """Ranges of offsets that no message has, after the end of the account before.

    Args:
        messages: `partition`, `offset`.
        ended: `partition` and `last_offset` of the account before.

    Returns:
        `partition`, `from_offset`, `to_offset`, both included.
    """
    by_partition = Window.partitionBy("partition").orderBy("offset")
    rows = messages.select(*PLACE).join(ended, "partition", "left")
    before = sf.lag("offset").over(by_partition)
    return (
        rows.select(
            "partition",
            (sf.coalesce(before, "last_offset") + 1).alias("from_offset"),
            (sf.col("offset") - 1).alias("to_offset"),
        )
        .where("from_offset <= to_offset")
        .orderBy("partition", "from_offset")
    )


def repeated(silver: DataFrame, new: DataFrame) -> DataFrame:
    """Ids that silver has more than once: `event_id`, `rows`.

    Args:
        silver: silver.events.
        new: The rows of it whose ids are looked at.
    """
    found = silver.join(new.select("event_id").distinct(), "event_id", "left_semi")
    return found.groupBy("event_id").agg(sf.count("*").alias("rows")).where("rows > 1")


def _elsewhere(messages: DataFrame, silver: DataFrame, quarantine: DataFrame, contract: Contract) -> DataFrame:
    """The messages that are neither in silver nor in quarantine, conformed."""
    placed = silver.where(sf.col("_source") == STREAM).select(_place("_partition"), _place("_offset"))
    placed = placed.unionByName(quarantine.select(_place("_partition"), _place("_offset")))
    return conform(messages.join(placed, [*PLACE], "left_anti"), contract)


def _counted(rows: DataFrame) -> DataFrame:
    """Counts by partition of messages with `copies`, `silver_rows`, `quarantine_rows`, `duplicate`, `known`, `gone`."""
    accepted, quarantined = sf.col("silver_rows").isNotNull(), sf.col("quarantine_rows").isNotNull()
    elsewhere, duplicate = ~accepted & ~quarantined, sf.col("duplicate").isNotNull()
    too_many = [sf.coalesce(sf.col(name) - 1, sf.lit(0)) for name in ("copies", "silver_rows", "quarantine_rows")]
    return rows.groupBy("partition").agg(
        sf.min("offset").alias("least_offset"),
        sf.max("offset").alias("greatest_offset"),
        sf.count("*").alias("messages"),
        sf.count_if(accepted).alias("accepted"),
        sf.count_if(quarantined & ~accepted).alias("quarantined"),
        sf.count_if(elsewhere & duplicate).alias("duplicates"),
        sf.count_if(elsewhere & ~duplicate & sf.col("gone")).alias("erased"),
        sf.count_if(elsewhere & ~duplicate & ~sf.col("gone")).alias("lost"),
        sf.sum(too_many[0] + too_many[1] + too_many[2] + (accepted & quarantined).cast("int")).alias("twice"),
        sf.count_if(accepted & sf.col("known").isNull()).alias("unknown_customers"),
    )


def _place(name: str) -> Column:
    """Column of a place in silver or quarantine, under bronze's name."""
    return sf.col(name).alias(name.removeprefix("_"))


def _length() -> Column:
    """Number of offsets in a range."""
    return sf.col("to_offset") - sf.col("from_offset") + 1
