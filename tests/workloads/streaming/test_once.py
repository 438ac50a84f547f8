"""Each event once: within a batch, across batches, and against what files deliver."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from churn.streaming import events
from tests.workloads.streaming.stream_rows import EVENTS, USE, bronze, value

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings


class Silver:
    """silver.events as the pipeline fills it, by batches over tables of its own."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark, self._folder = spark, folder
        self._bronze, self._files, self._silver = (f"churn_test.silver.once_{n}" for n in ("bronze", "files", "events"))
        for table in (self._bronze, self._files, self._silver):
            spark.sql(f"DROP TABLE IF EXISTS {table}")
        bronze(spark).write.saveAsTable(self._bronze)
        spark.sql(
            f"CREATE TABLE {self._files} (event_id STRING, customer_id STRING, event_date DATE, event_type STRING, "
            "minutes DOUBLE, _file STRING)"
        )

    def message(self, offset: int, **changes: object) -> None:
        bronze(self._spark, value(**changes), first=offset).write.mode("append").saveAsTable(self._bronze)

    def use(self, event_id: str) -> None:
        day = date(2026, 2, 1)
        schema = self._spark.table(self._files).schema
        row = self._spark.createDataFrame([(event_id, "a", day, "call", 1.0, "f.parquet")], schema)
        row.write.mode("append").saveAsTable(self._files)

    def update(self) -> list[tuple[str, str, int | None]]:
        """Runs the flow until nothing is left; returns id, source and offset of the rows of silver."""
        stream = self._spark.readStream
        accepted = events.accepted(events.conform(stream.table(self._bronze), EVENTS), EVENTS)
        both = accepted.unionByName(events.of_files(stream.table(self._files), EVENTS))
        query = (
            events.once(both, EVENTS)
            .writeStream.option("checkpointLocation", str(self._folder / "checkpoint"))
            .trigger(availableNow=True)
            .toTable(self._silver)
        )
        query.awaitTermination()
        rows = self._spark.table(self._silver).orderBy("event_id", "_offset").collect()
        return [(row.event_id, row._source, row._offset) for row in rows]


@pytest.fixture
def silver(spark: SparkSession, spark_home: LocalSettings, request: pytest.FixtureRequest) -> Silver:
    return Silver(spark, spark_home.home / request.node.name)


def test_an_event_is_there_once_whichever_way_it_comes(silver: Silver) -> None:
    for offset in (0, 1):
        silver.message(offset, event_id="within")
    silver.message(2, event_id="across")
    silver.use("by file first")
    first = silver.update()
    assert [(name, source) for name, source, _ in first] == [
        ("across", "stream"),
        ("by file first", "files"),
        ("within", "stream"),
    ]
    silver.message(3, event_id="across")
    silver.message(4, event_id="by file first", **USE)
    silver.message(5, event_id="by stream first", **USE)
    second = silver.update()
    assert [row for row in second if row[0] != "by stream first"] == first
    assert ("by stream first", "stream", 5) in second
    silver.use("by stream first")
    silver.use("by file alone")
    assert silver.update() == sorted([*second, ("by file alone", "files", None)])


def test_a_message_in_quarantine_does_not_keep_its_repair_out(silver: Silver) -> None:
    silver.message(0, event_id="repaired", kind="logout")
    assert silver.update() == []
    silver.message(1, event_id="repaired")
    assert silver.update() == [("repaired", "stream", 1)]


def test_an_id_is_forgotten_in_the_end(silver: Silver, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a window of no days: the state does not grow for ever, and what comes so late is there twice."""
    monkeypatch.setattr(events, "REMEMBERED_DAYS", 0)
    for offset, name in enumerate(("old", "other", "another")):
        silver.message(offset, event_id=name)
        silver.update()
    silver.message(3, event_id="old")
    found = silver.update()
    assert [offset for name, _, offset in found if name == "old"] == [0, 3]


def test_no_event_is_dropped_for_its_age(silver: Silver) -> None:
    silver.message(0, event_id="of now")
    silver.update()
    silver.message(1, event_id="of a week ago", event_time="2026-01-25T12:00:00Z")
    silver.use("of files")
    assert [name for name, *_ in silver.update()] == ["of a week ago", "of files", "of now"]


def test_a_use_of_a_file_is_an_event_of_its_day(spark: SparkSession, silver: Silver) -> None:
    silver.use("u")
    silver.update()
    (row,) = spark.table("churn_test.silver.once_events").collect()
    assert (row.kind, row.feature, row.minutes, row.event_date) == ("core_feature_use", "call", 1.0, date(2026, 2, 1))
    assert (row.event_time.isoformat(), row._file, row._partition) == ("2026-02-01T00:00:00", "f.parquet", None)
    assert row._accepted_at is not None
