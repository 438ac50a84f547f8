"""Entry point `activity`: keeps the online store up to date with silver.events until it is stopped.

Each round takes the events that were added since the position in the store, a bounded number of versions at a time, and
writes days, sessions, activity, scores, measurements and the new position in one transaction. It ends at SIGTERM, after
the round. While the store is away it waits, longer each time, and goes on where it was.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from pyspark.errors import PySparkException

from churn import tasks
from churn.core.clock import moment
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import RetryableError
from churn.online import copies, schema, source, writer
from churn.online.connection import OnlineStore, OnlineStoreAwayError, OnlineStoreFailedError, is_away
from churn.online.events import days_of, freshness, sessions_of
from churn.online.removal import KeptOut
from churn.online.rescoring import Rescorer
from churn.online.writer import Position

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import SparkSession

    from churn.online.event import Event
    from churn.online.events import DayTotals

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0  # while the store is away; each wait is twice the one before
COPY_SECONDS = 30.0  # between two copies to the lake, each of which is a commit of Delta
API_SECONDS = 30  # how long the client of the API tries one call again by itself
FEW_EVENTS = 50_000  # in one round: below, more versions are taken at once
MANY_EVENTS = 200_000  # in memory at once, about 130 MB: above, fewer versions, or the customers of one in parts
MOST_VERSIONS = 256
TAKEN_OVER = "taken_over"  # in the place of a hop, for a whole table


class MovedMeanwhileError(RetryableError):
    """Another task has moved the position: the round is given up, and the next one begins where that task is."""


@dataclass
class Updater:
    """What takes events over, round by round.

    Attributes:
        spark: Session that reads silver and gold.
        run: The run.
        rescorer: Scores customers anew.
        kept_out: Customers who were erased, whose events are passed over.
        versions: How many versions of silver.events a round takes at most.
    """

    spark: SparkSession
    run: Run
    rescorer: Rescorer
    kept_out: KeptOut
    versions: int = 16
    _table_id: str = field(default="")

    @property
    def table(self) -> str:
        """Full name of silver.events."""
        return self.run.table(writer.SOURCE)

    def round(self, connection: psycopg.Connection[Any]) -> bool:
        """Takes over what is new, up to a number of versions.

        Returns:
            Whether all that there was is in the store now.
        """
        old = writer.position(connection)
        if old is None or old.table_id != self._table_id:
            now = source.head(self.spark, self.table)
            self._table_id, newest = now.table_id, now.version
            if old is None or old.table_id != now.table_id or old.version > newest:
                self._begin(connection, now)
                return True
        else:
            newest = source.latest_version(self.spark, self.table)
        if newest < old.version:  # the table was made anew: the next round looks at it whole
            self._table_id = ""
            return False
        with connection.transaction():
            moved = writer.move_windows(connection, moment())
        if newest == old.version:
            return moved
        try:
            return self._take(connection, old, newest) and moved
        except PySparkException as error:
            if not source.is_gone(error):
                raise
            print(f"versions after {old.version} are no longer kept: all are taken over anew ({error.getCondition()})")
            self._begin(connection, source.head(self.spark, self.table))
            return True

    def _take(self, connection: psycopg.Connection[Any], old: Position, newest: int) -> bool:
        """Takes over the next versions: as many as memory has room for, at least one; returns whether none is left."""
        began = time.monotonic()
        asked = min(newest, old.version + self.versions)
        commits = source.commits(self.spark, self.table, old.version, asked)
        if any(each.otherwise for each in commits):
            print(f"versions {old.version + 1} to {asked} delete or change events: all are taken over anew")
            self._begin(connection, source.head(self.spark, self.table))
            return True
        until = source.within(commits, asked, MANY_EVENTS)
        events = sum(each.added for each in commits if each.version <= until)
        parts = max(1, math.ceil(events / MANY_EVENTS))
        found = source.changes(self.spark, self.table, old.version, until, parts)
        lag = self._write(connection, old, Position(old.table_id, until), ((days_of(part), part) for part in found))
        if until < asked:
            self.versions = max(1, self.versions // 2)
        elif events < FEW_EVENTS:
            self.versions = min(MOST_VERSIONS, self.versions * 2)
        sessions, faulty = writer.out_of_order(connection, moment())
        print(
            f"versions {old.version + 1} to {until} ({newest - until} left): {events:,} events, "
            f"{time.monotonic() - began:.1f} s, lag {lag:.1f} s; {faulty:,} of {sessions:,} sessions out of order"
        )
        return until == newest

    def _begin(self, connection: psycopg.Connection[Any], now: Position) -> None:
        """Takes over a whole version: at first, and where the table was made anew or has lost events or history.

        A full refresh keeps the table and its id on some platforms, and the erasure of a customer does on all: days and
        sessions are sums, from which nothing can be taken away.
        """
        at = moment()
        rows = source.size(self.spark, self.table, now.version, at)
        parts = max(1, math.ceil(rows / MANY_EVENTS))
        with connection.transaction():
            writer.clear(connection)
            self._write(connection, None, now, source.whole(self.spark, self.table, now.version, at, parts))
            if rows:  # most are of no batch, whose hops are measured; that none of them waits can still be read
                self._insert(connection, [(moment(), TAKEN_OVER, now.version, rows, 0.0, 0.0, 0.0)])
        print(f"begun with version {now.version}: {rows:,} days and events of sessions that may run, in {parts} parts")

    def _write(
        self,
        connection: psycopg.Connection[Any],
        old: Position | None,
        new: Position,
        parts: Iterable[tuple[dict[tuple[str, Any], DayTotals], Sequence[Event]]],
    ) -> float:
        """Writes days and events, part by part, with the position; returns how old the oldest event is in silver."""
        raised, scored, lag = 0, 0, 0.0
        with connection.transaction():
            if not writer.move(connection, old, new, moment()):
                raise MovedMeanwhileError("another task has taken over the same events: is activity running twice?")
            for everybodys_days, everything in parts:
                at = moment()
                gone = self.kept_out.among(connection, [customer for customer, _ in everybodys_days])
                days = {key: totals for key, totals in everybodys_days.items() if key[0] not in gone}
                found = [event for event in everything if event.customer_id not in gone]
                writer.add_days(connection, days)
                signals = writer.add_sessions(connection, sessions_of(found), at)
                writer.refresh_activity(connection, (customer for customer, _ in days), at)
                raised, scored = raised + len(signals), scored + self.rescorer.score(connection, signals, at)
                self._measure(connection, found, new, moment())
                lag = max(lag, *((at - each.accepted_at).total_seconds() for each in found if each.accepted_at), 0.0)
        if raised:
            print(f"{raised} signals in running sessions, {scored} new scores")
        return lag

    def _measure(
        self, connection: psycopg.Connection[Any], found: Sequence[Event], new: Position, at: datetime
    ) -> None:
        self._insert(connection, [(at, hop, new.version, *measured) for hop, measured in freshness(found, at).items()])

    @staticmethod
    def _insert(connection: psycopg.Connection[Any], rows: Sequence[tuple[Any, ...]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO churn.freshness VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)


def keep_up(
    store: OnlineStore, updater: Updater, every: float, stop: threading.Event, *, until_caught_up: bool
) -> None:
    """Takes events over until it is stopped.

    Args:
        store: The online store.
        updater: What takes them over.
        every: Seconds between the beginnings of two rounds, where nothing is left.
        stop: Ends it after the round.
        until_caught_up: Whether it ends when nothing is left.

    Raises:
        OnlineStoreFailedError: The store answers, and refuses a statement or takes too long for it.
    """
    connection: psycopg.Connection[Any] | None = None
    wait, copied = FIRST_WAIT_SECONDS, 0.0
    while not stop.is_set():
        began = time.monotonic()
        try:
            if connection is None:
                connection = store.connect()
                schema.apply(connection)
            caught_up = updater.round(connection)
            if time.monotonic() - copied > COPY_SECONDS or (until_caught_up and caught_up):
                copies.copy(connection, updater.spark, updater.run.catalog)
                copied = time.monotonic()
        except (OnlineStoreAwayError, MovedMeanwhileError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection is not None:
                connection.close()
            connection = None
            if isinstance(error, psycopg.Error) and not is_away(error):
                raise OnlineStoreFailedError(f"the online store has refused what it was asked: {error}") from error
            said = "the round is given up" if isinstance(error, MovedMeanwhileError) else "the online store is away"
            print(f"{said}, next try in {wait:.0f} s: {' '.join(str(error).split())}")
            stop.wait(wait)
            wait = min(LONGEST_WAIT_SECONDS, wait * 2)
            continue
        wait = FIRST_WAIT_SECONDS
        if caught_up and until_caught_up:
            break
        if caught_up:
            stop.wait(max(0.0, every - (time.monotonic() - began)))
    if connection is not None:
        connection.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Keeps the online store up to date until SIGTERM or SIGINT.

    Raises:
        NoOnlineStoreError: There is no such endpoint.
        NoEventsError: silver.events is missing, or has no change feed.
        OnlineStoreFailedError: The store answers, and refuses a statement or takes too long for it.
    """
    run, options = parse(tasks.ACTIVITY, argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    client = WorkspaceClient(config=Config(retry_timeout_seconds=API_SECONDS))
    store = OnlineStore(client, options.endpoint, options.database, options.sslmode)
    spark = spark_session()
    copies.create(spark, run.catalog)
    updater = Updater(spark, run, Rescorer(spark, run, options.model, options.features_days), KeptOut(client))
    keep_up(store, updater, options.trigger_seconds, stop, until_caught_up=options.until_caught_up)
    print("caught up" if not stop.is_set() else "stopped, after a whole round")


if __name__ == "__main__":
    main()
