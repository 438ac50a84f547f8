"""silver.events and the online store that follows it, for the tests of the task `activity`."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from churn.core.entry import Run
from churn.online import writer
from churn.online.activity import Updater, keep_up
from churn.online.removal import KeptOut
from churn.online.rescoring import Rescorer
from tests.workloads.ml_world import CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from churn.online.connection import OnlineStore
    from tests.workloads.ml_world import World

ENDPOINT, DATABASE = "projects/online/branches/production/endpoints/primary", "databricks_postgres"
MODEL = f"{CATALOG}.mlops.churn_live"
EVENTS = (
    "event_id STRING, customer_id STRING, session_id STRING, kind STRING, event_time TIMESTAMP, event_date DATE, "
    "page STRING, feature STRING, enabled BOOLEAN, minutes DOUBLE, _source STRING, _partition INT, _offset BIGINT, "
    "_file STRING, _broker_time TIMESTAMP, _read_at TIMESTAMP, _accepted_at TIMESTAMP"
)
NAMES = [column.split()[0] for column in EVENTS.split(", ")]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Stream:
    """silver.events, and the online store that follows it."""

    world: World
    store: OnlineStore
    sent: int = 0

    @property
    def table(self) -> str:
        return f"{CATALOG}.{writer.SOURCE}"

    def make(self, feed: str = "true") -> None:
        properties = f"TBLPROPERTIES (delta.enableChangeDataFeed={feed})"
        self.world.spark.sql(f"DROP TABLE IF EXISTS {self.table}").collect()
        self.world.spark.sql(f"CREATE TABLE {self.table} ({EVENTS}) USING DELTA {properties}").collect()

    def add(self, *events: dict[str, Any]) -> None:
        """One commit of events; each has the fields that differ from those of an event of the stream just now."""
        rows = []
        for event in events:
            self.sent += 1
            at = event.get("event_time", now() - timedelta(seconds=4))
            way = {"_broker_time": at + timedelta(seconds=1), "_read_at": at + timedelta(seconds=2)}
            plain = {"event_id": f"e{self.sent}", "event_time": at, "event_date": at.date(), "_source": "stream"}
            full = {**plain, **way, "_accepted_at": at + timedelta(seconds=3), **event}
            rows.append(tuple(full.get(name) for name in NAMES))
        self.world.spark.createDataFrame(rows, EVENTS).write.mode("append").saveAsTable(self.table)

    def updater(self, days: int = 31) -> Updater:
        """What takes events over; features and scores count for some days."""
        spark, of_run = self.world.spark, Run(CATALOG, date(2026, 1, 31), "live")
        return Updater(spark, of_run, Rescorer(spark, of_run, MODEL, days), KeptOut(self.store.client))

    def catch_up(self, days: int = 31) -> None:
        keep_up(self.store, self.updater(days), 0.1, threading.Event(), until_caught_up=True)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.store.connect() as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def days(self) -> list[tuple[Any, ...]]:
        """Days in the store."""
        columns = "customer_id, event_date, events, sessions, core_uses, core_minutes"
        return self.rows(f"SELECT {columns} FROM churn.customer_days ORDER BY 1, 2")

    def days_of_silver(self) -> list[tuple[Any, ...]]:
        """The same days, counted by Spark from silver.events."""
        return [
            tuple(row)
            for row in self.world.spark.sql(
                "SELECT customer_id, event_date, count(*), count_if(kind = 'session_start'), "
                "count_if(kind = 'core_feature_use'), coalesce(sum(if(kind = 'core_feature_use', minutes, 0)), 0D) "
                f"FROM {self.table} GROUP BY ALL ORDER BY 1, 2"
            ).collect()
        ]


def wait_until(ready: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.2)


def signal_of(customer: str, session: str, at: datetime | None = None) -> list[dict[str, Any]]:
    """A session that has started and looks at how to cancel."""
    begun = at or now() - timedelta(minutes=1)
    base = {"customer_id": customer, "session_id": session}
    return [
        {**base, "kind": "session_start", "event_time": begun},
        {**base, "kind": "page_view", "page": "cancel", "event_time": begun + timedelta(seconds=30)},
    ]
