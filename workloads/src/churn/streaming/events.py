"""From messages in bronze to events in silver: types, rules, quarantine, once by id. No I/O.

Names and types come of the contract. Two rules are about time: an event is late if the broker had it more than some
days after it happened, and a device's clock is wrong if the event happened after the broker had it. Both compare what
the message carries, so a replay of bronze gives the same rows at any time. Lateness is a rule and no watermark, since a
watermark drops rows silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.blanks import trimmed
from churn.core.clock import processing_time
from churn.streaming.messages import FIRST_BROKER_TIME, REPLAY_OF, header
from churn.transforms.conform import WRITTEN, broken_rules

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Column as Field
    from churn.core.contract import Contract

LATE_DAYS = 7  # from an event to the broker: a phone that was off for a week still counts
REMEMBERED_DAYS = 2 * LATE_DAYS  # a repeat of an event that came at once may be as late as any, and so may its file
CLOCK_MINUTES = 5  # a device's clock may run ahead of the broker's; Kerberos tolerates as much
STREAM, FILES = "stream", "files"
USE = "core_feature_use"
ORIGIN = ("_source", "_partition", "_offset", "_file", "_broker_time", "_read_at", "_accepted_at", "_rescued_data")

# Types of JSON that a column of silver takes, as `schema_of_variant` names them.
JSON_TYPES = {
    "STRING": "STRING",
    "DATE": "STRING",
    "TIMESTAMP": "STRING",
    "BOOLEAN": "BOOLEAN",
    "INT": "BIGINT",
    "DOUBLE": r"BIGINT|DOUBLE|DECIMAL\(\d+,\d+\)",
}


def conform(messages: DataFrame, contract: Contract) -> DataFrame:
    """Gives messages silver's names and types.

    Args:
        messages: bronze.events.
        contract: Of the topic.

    Returns:
        The contract's columns (NULL where absent, blank or of another type), `_malformed` (names of the columns that
        hold something of another type, or `value` where there is no JSON object; else NULL), `_late`, `_ahead`,
        `_unreadable` (whether text is no UTF-8), `_rescued_data` (JSON of the fields that the contract does not know;
        NULL if none), `_first_broker_time` (of the message, or of the one that it replays), bronze's columns.
    """
    names = [column.name for column in contract.columns]
    fields = sf.try_variant_get(sf.try_parse_json("value"), "$", "map<string,variant>")
    read = messages.select("*", fields.alias("_fields"), _first_broker_time().alias("_first_broker_time"))
    unknown = sf.map_filter("_fields", lambda name, _: ~name.isin(names))
    kinds = read.select("*", *(_kind(column).alias(f"_kind_{column.name}") for column in contract.columns))
    typed = kinds.select(
        "*",
        *(_typed(column).alias(column.name) for column in contract.columns),
        sf.when(sf.size(unknown) > 0, sf.to_json(unknown)).alias("_rescued_data"),
    )
    misfits = [sf.when(_misfit(column), column.name) for column in contract.columns]
    malformed = sf.filter(sf.array(*misfits), lambda name: name.isNotNull())
    after = sf.col("event_time") - sf.col("_first_broker_time")
    return typed.select(
        *names,
        sf.when(sf.col("_fields").isNull(), "value")
        .when(sf.size(malformed) > 0, sf.array_join(malformed, ", "))
        .alias("_malformed"),
        sf.coalesce(after < sf.make_dt_interval(sf.lit(-LATE_DAYS)), sf.lit(False)).alias("_late"),
        sf.coalesce(after > sf.make_dt_interval(mins=sf.lit(CLOCK_MINUTES)), sf.lit(False)).alias("_ahead"),
        sf.col("undecoded").isNotNull().alias("_unreadable"),
        "_rescued_data",
        "_first_broker_time",
        *("key", "value", "undecoded", "partition", "offset", "broker_time", "read_at"),
    )


def accepted(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The conformed events that break no rule, in the columns of `once`."""
    return conformed.where(sf.size(broken_rules(contract)) == 0).select(
        *(column.name for column in contract.columns),
        sf.to_date(sf.to_utc_timestamp("event_time", sf.current_timezone())).alias("event_date"),
        sf.lit(STREAM).alias("_source"),
        sf.col("partition").alias("_partition"),
        sf.col("offset").alias("_offset"),
        sf.lit(None).cast("string").alias("_file"),
        sf.col("broker_time").alias("_broker_time"),
        sf.col("read_at").alias("_read_at"),
        "_rescued_data",
    )


def quarantined(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The conformed messages that break a rule: silver.quarantine_events.

    Returns:
        `event_id` and `customer_id` as far as they can be read, `_reasons` (names of the broken rules), `_malformed`,
        `_key`, `_raw` (the value), `_undecoded`, `_partition`, `_offset`, `_broker_time`, `_first_broker_time`,
        `_read_at`, `_contract_version` (that had the rules).
    """
    reasons = broken_rules(contract)
    return conformed.where(sf.size(reasons) > 0).select(
        *("event_id", "customer_id"),
        reasons.alias("_reasons"),
        "_malformed",
        sf.col("key").alias("_key"),
        sf.col("value").alias("_raw"),
        sf.col("undecoded").alias("_undecoded"),
        sf.col("partition").alias("_partition"),
        sf.col("offset").alias("_offset"),
        sf.col("broker_time").alias("_broker_time"),
        "_first_broker_time",
        sf.col("read_at").alias("_read_at"),
        sf.lit(contract.version).alias("_contract_version"),
    )


def of_files(uses: DataFrame, contract: Contract) -> DataFrame:
    """Uses that files deliver, as events in the columns of `once`; midnight in UTC stands for their unknown time.

    Args:
        uses: silver.usage_versions.
        contract: Of the topic.
    """
    known = {
        "event_id": sf.col("event_id"),
        "customer_id": sf.col("customer_id"),
        "kind": sf.lit(USE),
        "event_time": sf.to_timestamp(sf.concat(sf.col("event_date").cast("string"), sf.lit("T00:00:00Z"))),
        "feature": sf.col("event_type"),
        "minutes": sf.col("minutes"),
    }
    return uses.select(
        *(known.get(c.name, sf.lit(None).cast(c.type)).alias(c.name) for c in contract.columns),
        "event_date",
        sf.lit(FILES).alias("_source"),
        sf.lit(None).cast("int").alias("_partition"),
        sf.lit(None).cast("bigint").alias("_offset"),
        "_file",
        sf.lit(None).cast("timestamp").alias("_broker_time"),
        sf.lit(None).cast("timestamp").alias("_read_at"),
        sf.lit(None).cast("string").alias("_rescued_data"),
    )


def once(events: DataFrame, contract: Contract) -> DataFrame:
    """silver.events: of the events with one id the first, whether from the stream or from files.

    An id is remembered for `REMEMBERED_DAYS` after it was accepted, by processing time. All rows of a batch have the
    time of that batch, which no watermark has passed: no row is ever dropped for its age.

    Args:
        events: A stream of `accepted` and `of_files` together.
        contract: Of the topic.
    """
    known = events.select("*", processing_time().alias("_accepted_at"))
    first = known.withWatermark("_accepted_at", f"{REMEMBERED_DAYS} days").dropDuplicatesWithinWatermark(contract.keys)
    return first.select(*(column.name for column in contract.columns), "event_date", *ORIGIN)


def _first_broker_time() -> Column:
    """When the broker first had a message: for a repaired one as its header says, which can be no later than now.

    The header counts beside `replay-of` alone. A sender may still write both; bronze keeps them, so that each message
    that claims to be a repair can be compared with what it replaces.
    """
    said = sf.when(header(REPLAY_OF).isNotNull(), header(FIRST_BROKER_TIME).try_cast("timestamp"))
    return sf.least(said, sf.col("broker_time"))


def _given(column: Field) -> Column:
    """The value of a column as the message has it, or NULL."""
    return sf.try_element_at("_fields", sf.lit(column.name))


def _kind(column: Field) -> Column:
    """The type of JSON of the value; NULL where it is absent or null."""
    return sf.nullif(sf.schema_of_variant(_given(column)), sf.lit("VOID"))


def _text(column: Field) -> Column:
    return sf.nullif(trimmed(sf.try_variant_get(_given(column), "$", "string")), sf.lit(""))


def _typed(column: Field) -> Column:
    """The value, or NULL where there is none of its type."""
    fits = sf.col(f"_kind_{column.name}").rlike(f"^({JSON_TYPES[column.type]})$")
    if JSON_TYPES[column.type] != "STRING":
        return sf.when(fits, sf.try_variant_get(_given(column), "$", column.type.lower()))
    if column.type == "STRING":
        return sf.when(fits, _text(column))
    return sf.when(fits & _text(column).rlike(WRITTEN[column.type]), _text(column).try_cast(column.type))


def _misfit(column: Field) -> Column:
    """Whether the message has something for a column that is not of its type; blank text is nothing."""
    blank = (sf.col(f"_kind_{column.name}") == "STRING") & _text(column).isNull()
    return sf.col(f"_kind_{column.name}").isNotNull() & sf.col(column.name).isNull() & ~blank
