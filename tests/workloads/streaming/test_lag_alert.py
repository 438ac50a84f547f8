"""The query of the alert on lag: what waits, wherever it does, and a topic that is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from churn.core.tables import STREAM_FRESHNESS
from infra.layers.platform.alert import query_text
from infra.layers.platform.lag_alert import COLUMN, QUERY, values
from tests.workloads.streaming.stream_tables import Tables, ago, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "churn_lag"


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> Tables:
    made = Tables(spark, CATALOG)
    STREAM_FRESHNESS.create(spark, CATALOG)
    return made


def waits_since(tables: Tables, look_every: int = 10, longest_silence_minutes: int | None = None) -> int | None:
    """Since how many minutes something waits, to the nearest ten; None if nothing does."""
    (row,) = tables.spark.sql(query_text(QUERY, values(CATALOG, look_every, longest_silence_minutes))).collect()
    return round(row[COLUMN] / 10) * 10 if row[COLUMN] > 1 else None


def written(tables: Tables, minutes_ago: float, hop_seconds: float = 1.0) -> None:
    """Lets the online store have a batch, each of whose hops took so long."""
    at = ago(minutes=minutes_ago)
    hops = ("broker_bronze", "bronze_silver", "silver_online")
    rows = [(at, hop, 1, 1, *[hop_seconds] * 3) for hop in hops]
    tables.append(STREAM_FRESHNESS.name, tables.spark.createDataFrame(rows, STREAM_FRESHNESS.schema))


def test_the_lag_is_that_of_what_waits_longest(tables: Tables) -> None:
    assert waits_since(tables) is None, "there is no message yet"
    tables.take(event("1"), ago(minutes=120))
    assert waits_since(tables) == 120, "it waits in silver"
    written(tables, 100)
    assert waits_since(tables) is None
    tables.read(event(" 1 "), ago(minutes=90))
    tables.read(event("\t1\u00a0"), ago(minutes=88))
    assert waits_since(tables) is None, "what was a duplicate waits for nothing"
    tables.read_erased(ago(minutes=85))
    assert waits_since(tables) is None, "nor does the place of a message that was erased"
    tables.append("silver.quarantine_events", tables.quarantined(tables.read(b"{", ago(minutes=80))))
    assert waits_since(tables) is None, "nor does what is in quarantine"
    waits = tables.read(event("2"), ago(minutes=70))
    assert waits_since(tables) == 70, "the pipeline no longer brings bronze's messages to silver"
    tables.append("silver.events", tables.accepted(waits, ago(minutes=60)))
    assert waits_since(tables) == 70, "the job no longer brings silver's events to the online store"
    written(tables, 50)
    assert waits_since(tables) is None


def test_a_look_sees_all_batches_since_the_one_before(tables: Tables) -> None:
    """A batch that was slow, and whose successors are not, would be seen by no look otherwise."""
    tables.take(event("slow"), ago(minutes=49))
    written(tables, 48, hop_seconds=20 * 60)
    written(tables, 44)

    def slowest(look_every: int) -> float:
        (row,) = tables.spark.sql(query_text(QUERY, values(CATALOG, look_every, None))).collect()
        return float(row[COLUMN])

    assert slowest(60) == 60
    assert slowest(30) < 1, "the look before has seen it"
    assert int(values(CATALOG, 1, None)["recent_minutes"]) == 15, "a quarter of an hour at least"


def test_a_silent_topic_is_late_where_the_settings_say_so(tables: Tables) -> None:
    tables.take(event("last"), ago(minutes=40))
    written(tables, 39)
    assert waits_since(tables) is None
    assert waits_since(tables, longest_silence_minutes=600) is None
    assert waits_since(tables, longest_silence_minutes=30) == 40
