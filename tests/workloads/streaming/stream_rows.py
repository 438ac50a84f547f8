"""Messages and rows of the stream's tables for tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from churn.core.contract import contract_of
from churn.streaming import events, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

EVENTS = contract_of("events")
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)  # when the broker has each message
EVENT: dict[str, Any] = {
    "event_id": "e",
    "customer_id": "a",
    "session_id": None,
    "kind": "login",
    "event_time": "2026-02-01T11:59:58.5Z",
    "page": None,
    "feature": None,
    "enabled": None,
    "minutes": None,
}
USE = {"kind": "core_feature_use", "feature": "call", "minutes": 12}
SCHEMA = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)


def value(**changes: Any) -> bytes:
    """The value of a message: a login, changed."""
    return json.dumps({**EVENT, **changes}).encode()


def bronze(
    spark: SparkSession,
    *values: bytes | None,
    headers: Sequence[tuple[str, bytes]] | None = None,
    partition: int = 0,
    first: int = 0,
    key: bytes | None = b"a",
) -> DataFrame:
    """bronze.events of messages with these values, one after the other in a partition."""
    rows = [
        (key, each, "customer.events", partition, offset, NOON, headers and [*headers])
        for offset, each in enumerate(values, first)
    ]
    return messages.arrived(spark.createDataFrame(rows, SCHEMA))


def conformed(spark: SparkSession, *values: bytes | None, **options: Any) -> DataFrame:
    """The same, conformed to the contract."""
    return events.conform(bronze(spark, *values, **options), EVENTS)


def ago(**delta: float) -> str:
    """A moment before the broker has the messages, as they write it."""
    return f"{NOON - timedelta(**delta):%Y-%m-%dT%H:%M:%S.%fZ}"
