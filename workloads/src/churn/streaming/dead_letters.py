"""Dead letters: what was quarantined, as messages of the topic of dead letters, and repaired ones to replay. No I/O."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.errors import FinalError
from churn.streaming.messages import FIRST_BROKER_TIME, REPLAY_OF, header

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Place = tuple[int, int]  # partition and offset of a message
SHOWN_FAULTS = 10  # of the lines of a file


class ReplayError(FinalError):
    """Repaired messages cannot be replayed; the text has their lines, what is wrong, and the remedy."""


@dataclass(frozen=True)
class Message:
    """A message to send to the topic of events.

    Attributes:
        key: Its key; None if it has none.
        value: Its value.
        headers: Its headers.
    """

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def dead_letters(quarantined: DataFrame) -> DataFrame:
    """The messages of the topic of dead letters.

    Args:
        quarantined: silver.quarantine_events.

    Returns:
        `key` and `value` as they came, and `headers`: `reasons` (names of the broken rules, with commas), `partition`
        and `offset` of the message, and `first-broker-time`.
    """
    headers = {
        "reasons": sf.array_join("_reasons", ","),
        "partition": sf.col("_partition").cast("string"),
        "offset": sf.col("_offset").cast("string"),
        FIRST_BROKER_TIME: _moment("_first_broker_time"),
    }
    return quarantined.select(
        *(_as_it_came(name, text).alias(name) for name, text in (("key", "_key"), ("value", "_raw"))),
        sf.array(
            *(
                sf.struct(sf.lit(name).alias("key"), value.cast("binary").alias("value"))
                for name, value in headers.items()
            )
        ).alias("headers"),
    )


def listing(quarantined: DataFrame) -> DataFrame:
    """Quarantined messages as lines of JSON for people to repair: they correct `value`, and leave the rest.

    Args:
        quarantined: silver.quarantine_events.

    Returns:
        The column `line`, in the order of partitions and offsets.
    """
    fields = sf.struct(
        sf.col("_partition").alias("partition"),
        sf.col("_offset").alias("offset"),
        sf.col("_reasons").alias("reasons"),
        sf.col("_malformed").alias("malformed"),
        _moment("_first_broker_time").alias("first_broker_time"),
        sf.col("_key").alias("key"),
        sf.col("_raw").alias("value"),
    )
    return quarantined.orderBy("_partition", "_offset").select(sf.to_json(fields).alias("line"))


def replayed(messages: DataFrame) -> DataFrame:
    """The `partition` and `offset` of every message that a later one has replayed.

    Args:
        messages: bronze.events.
    """
    place = sf.split(header(REPLAY_OF), "/")
    found = messages.select(
        sf.try_element_at(place, sf.lit(1)).try_cast("int").alias("partition"),
        sf.try_element_at(place, sf.lit(2)).try_cast("bigint").alias("offset"),
    )
    return found.where("partition IS NOT NULL AND offset IS NOT NULL").distinct()


def replay(lines: Sequence[str], quarantined: Mapping[Place, str], done: Collection[Place]) -> list[Message]:
    """Prepares repaired messages, each for one time only.

    Args:
        lines: Of JSON, as from `listing`, with `value` repaired; blank ones are passed over.
        quarantined: What the lines may replace, by place: the value as it was.
        done: Places of what was replayed before.

    Returns:
        One message a line, with the header `replay-of`, and with the time at which the broker first had it, so that a
        repair is not late.

    Raises:
        ReplayError: With the first faults of lines, and the number of the others. Nothing is to be sent then.
    """
    faults: list[str] = []
    messages: list[Message] = []
    seen: set[Place] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            place, message = _repaired(line)
        except (ValueError, TypeError, KeyError) as error:
            faults.append(f"line {number}: {error}; write the line as it was listed, with another value")
            continue
        fault = next(_refusals(place, message, quarantined, done, seen), None)
        if fault:
            faults.append(f"line {number}: {fault}")
        seen.add(place)
        messages.append(message)
    if faults:
        more = [f"and {len(faults) - SHOWN_FAULTS} more lines"] if len(faults) > SHOWN_FAULTS else []
        raise ReplayError("; ".join(faults[:SHOWN_FAULTS] + more))
    return messages


def _refusals(
    place: Place, message: Message, quarantined: Mapping[Place, str], done: Collection[Place], seen: Collection[Place]
) -> Iterator[str]:
    name = f"partition {place[0]}, offset {place[1]}"
    if place not in quarantined:
        yield f"{name} is not in silver.quarantine_events; remove the line"
    if place in done:
        yield f"{name} was replayed before; remove the line"
    if place in seen:
        yield f"{name} stands in an earlier line too; remove one of them"
    if message.value.decode() == quarantined.get(place):
        yield f"{name} is as it was; repair its value, or remove the line"


def _repaired(line: str) -> tuple[Place, Message]:
    """Place and message of a line.

    Raises:
        KeyError: It lacks a field.
        TypeError: A field has another type.
        ValueError: It is no JSON object, or its time is none.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise TypeError("it is no JSON object")
    missing = [name for name in ("partition", "offset", "first_broker_time", "value") if name not in fields]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    partition, offset, value, key = (fields.get(name) for name in ("partition", "offset", "value", "key"))
    if not (type(partition) is int and type(offset) is int):
        raise TypeError(f"partition and offset are {partition!r} and {offset!r} and must be whole numbers")
    if not isinstance(value, str) or not isinstance(key, str | None):
        raise TypeError("value and key must be text")
    first = datetime.fromisoformat(fields["first_broker_time"]).astimezone(UTC)
    headers = {REPLAY_OF: f"{partition}/{offset}", FIRST_BROKER_TIME: f"{first:%Y-%m-%dT%H:%M:%S.%fZ}"}
    encoded = tuple((name, text.encode()) for name, text in headers.items())
    return (partition, offset), Message(None if key is None else key.encode(), value.encode(), encoded)


def _as_it_came(name: str, text: str) -> Column:
    """Key or value of a message: its bytes, which are kept where they are no UTF-8."""
    undecoded = sf.col("_undecoded")
    return sf.when(undecoded.isNotNull(), undecoded[name]).otherwise(sf.col(text).cast("binary"))


def _moment(column: str) -> Column:
    """A moment as text, in UTC."""
    return sf.date_format(sf.to_utc_timestamp(column, sf.current_timezone()), "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
