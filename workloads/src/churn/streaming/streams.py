"""Entry point `streams`, before the features: proves that the stream is up, has the run's files, and lost nothing.

It waits until silver.events has every use that the run's files delivered. It asks the brokers for what bronze has not
read: the oldest such message says how old the stream is. Then it removes what has come of customers who were erased,
and accounts for every message that was read since the account before, in mlops.stream_accounting. At last it waits for
the online store, which the job churn_activity keeps up to date.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn import tasks
from churn.core.blanks import trimmed
from churn.core.clock import processing_time
from churn.core.contract import contract_of
from churn.core.entry import Run, parse, spark_session
from churn.core.erased import erased_customers
from churn.core.errors import FinalError, RetryableError
from churn.core.tables import DELIVERIES, STREAM_ACCOUNTING, STREAM_FRESHNESS
from churn.streaming import audit
from churn.streaming.events import REMEMBERED_DAYS, STREAM
from churn.streaming.kafka import connection
from churn.streaming.removal import BRONZE, QUARANTINE, SILVER, remove_customer

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row, SparkSession

    from churn.core.erased import Erased

POLL_SECONDS = 5.0
SETTLE_MINUTES = 10  # from bronze to silver or quarantine at most; younger messages are left to the next account
SHOWN = 5
EARLIEST = -2  # the first offset that brokers still have, as Spark's source of Kafka is asked for it
EVENTS = contract_of("events")


class StreamTooOldError(RetryableError):
    """The stream is down or behind: files of the run, or messages of brokers or of bronze, still wait for it."""


class EventsLostError(FinalError):
    """Messages are neither in silver nor in quarantine nor duplicates; the text has partitions, offsets and counts."""


class EventsTwiceError(FinalError):
    """Messages or events are there more than once; the text has partitions, counts and ids."""


def main(argv: Sequence[str] | None = None) -> None:
    """Waits for the stream, accounts for what it has read, and prints both.

    Raises:
        StreamTooOldError: The stream is down or behind.
        EventsLostError: Messages are lost, perhaps beside others that are there twice.
        EventsTwiceError: Messages or events are there twice, and none is lost.
    """
    run, options = parse(tasks.STREAMS, argv)
    spark = spark_session()
    wait_for_files(spark, run, options.wait_minutes)
    age = age_of_oldest_unread(spark, run, options)
    print(f"the oldest unread message has waited for {age:.0f} s" if age else "every message is read")
    if age > options.maximum_lag_minutes * 60:
        raise StreamTooOldError(
            f"{options.topic} has a message that bronze.events has not read for {age / 60:.0f} minutes; allowed: "
            f"{options.maximum_lag_minutes}; look whether the pipeline churn_stream runs, and at its event log; then "
            "repair this run"
        )
    accounting = Accounting(spark, run)
    if erased := erased_customers(spark, run.catalog):
        for customer in accounting.returned(erased):
            remove_customer(spark, run, customer, str(erased.find(customer)), run.run_id)
            print("removed events of a customer who was erased before they came")
    accounting.check(options.wait_minutes)
    wait_for_online_store(spark, run, options)


def wait_for_files(spark: SparkSession, run: Run, wait_minutes: int) -> None:
    """Waits until silver.events has every use of the files that this run admitted.

    Raises:
        StreamTooOldError: It lacks some at the end.
    """
    deadline = time.monotonic() + wait_minutes * 60
    while missing := uses_missing(spark, run):
        if time.monotonic() > deadline:
            raise StreamTooOldError(
                f"silver.events lacks {missing:,} uses of the run's files after {wait_minutes} minutes; look whether "
                "the pipeline churn_stream runs, and at its event log; then repair this run"
            )
        time.sleep(POLL_SECONDS)


def uses_missing(spark: SparkSession, run: Run) -> int:
    """Number of accepted uses in the files of a run that silver.events does not have."""
    ledger = spark.table(run.table(DELIVERIES.name)).where(
        (sf.col("run_id") == run.run_id) & (sf.col("domain") == "usage") & sf.col("stored").isNotNull()
    )
    versions = spark.table(run.table("silver.usage_versions")).select("event_id", _name_of("_file"))
    uses = versions.join(ledger.select(_name_of("stored")), "name", "left_semi")
    there = spark.table(run.table("silver.events")).select("event_id")
    return uses.join(there, "event_id", "left_anti").count()


def age_of_oldest_unread(spark: SparkSession, run: Run, options: tasks.StreamsOptions) -> float:
    """Seconds for which the brokers have had the oldest message that bronze.events does not have; 0 if it has all.

    Kafka numbers partitions from 0 on, so those before the last one that bronze knows are asked too, each from the
    first message that it still has. Partitions after that one are left out, unless bronze has nothing at all.
    """
    ends = spark.table(run.table("bronze.events")).groupBy("partition").agg(sf.max("offset").alias("last")).collect()
    asked = {"subscribe": options.topic, "startingOffsets": "earliest"}
    if ends:
        read = {row.partition: row["last"] + 1 for row in ends}
        partitions = range(max(read) + 1)
        asked = {
            "assign": json.dumps({options.topic: [*partitions]}),
            "startingOffsets": json.dumps({options.topic: {each: read.get(each, EARLIEST) for each in partitions}}),
        }
    brokers = connection(options.bootstrap_servers, options.service_credential)
    unread = spark.read.format("kafka").options(**brokers, **asked).load()
    waited = sf.unix_micros(processing_time()) - sf.unix_micros(sf.min("timestamp"))
    return float(unread.agg(waited.alias("waited")).collect()[0].waited or 0) / 1e6


def wait_for_online_store(spark: SparkSession, run: Run, options: tasks.StreamsOptions) -> None:
    """Waits until no event of silver.events waits longer for the online store than the options allow.

    Raises:
        StreamTooOldError: One does at the end.
    """
    deadline = time.monotonic() + options.wait_minutes * 60
    while (waited := age_of_oldest_waiting(spark, run)) > options.maximum_lag_minutes * 60:
        if time.monotonic() > deadline:
            raise StreamTooOldError(
                f"the online store lacks events that silver.events has had for {waited / 60:.0f} minutes; allowed: "
                f"{options.maximum_lag_minutes}; look at the runs of the job churn_activity; then repair this run"
            )
        time.sleep(POLL_SECONDS)


def age_of_oldest_waiting(spark: SparkSession, run: Run) -> float:
    """Seconds since silver.events has its oldest event of the stream that no batch has brought to the online store."""
    measured = spark.table(STREAM_FRESHNESS.create(spark, run.catalog))
    rows = spark.table(run.table(SILVER)).where(sf.col("_source") == STREAM)
    since = _greatest(measured, "written_at")
    if since is not None:
        rows = rows.where(sf.col("_accepted_at") > sf.lit(since))
    waited = sf.unix_micros(processing_time()) - sf.unix_micros(sf.min("_accepted_at"))
    return float(rows.agg(waited.alias("waited")).collect()[0].waited or 0) / 1e6


class Accounting:
    """Accounts for the messages that were read since the account of the run before."""

    def __init__(self, spark: SparkSession, run: Run) -> None:
        """Finds where the account before has ended; one that this run has made is made anew."""
        self._spark, self._run = spark, run
        table = spark.table(STREAM_ACCOUNTING.create(spark, run.catalog))
        self._before = table.where(sf.col("run_id") != run.run_id)
        self._since: datetime | None = _greatest(self._before, "read_until")

    def check(self, wait_minutes: int, settle_minutes: int = SETTLE_MINUTES) -> None:
        """Records the account of every message that had time to come further than bronze, prints and judges it.

        Args:
            wait_minutes: Minutes that silver and quarantine have for what still waits in bronze, as after an outage.
            settle_minutes: Minutes after which a message is accounted for.

        Raises:
            StreamTooOldError: Messages still wait in bronze; nothing is recorded then.
            EventsLostError: Messages are lost.
            EventsTwiceError: Messages or events are there twice.
        """
        settled = sf.col("read_at") <= processing_time() - sf.make_dt_interval(mins=sf.lit(settle_minutes))
        until = _greatest(self._table("bronze.events").where(settled), "read_at")
        if until is None or (self._since is not None and until <= self._since):
            print("no message was read since the account before")
            return
        messages = audit.read_between(self._table("bronze.events"), self._since, until)
        rows = self.account(messages, wait_minutes)
        self.record(rows, until)
        print(f"{'partition':<11}" + "".join(f"{name:>18}" for name in audit.COUNTS))
        for row in rows:
            print(f"{row.partition:<11}" + "".join(f"{row[name]:>18,}" for name in audit.COUNTS))
        twice = self._twice(rows)
        if faults := [*self._lost(rows, messages), *twice]:
            raise (EventsTwiceError if len(faults) == len(twice) else EventsLostError)("; ".join(faults))

    def returned(self, erased: Erased) -> list[str]:
        """Erased customers of whom messages or events have come since the account before, by their ids."""
        ids = {
            BRONZE: ("key", "read_at"),
            SILVER: ("customer_id", "_accepted_at"),
            QUARANTINE: ("customer_id", "_read_at"),
        }
        found = set()
        for table, (column, moment) in ids.items():
            rows = self._table(table)
            if self._since is not None:
                rows = rows.where(sf.col(moment) > sf.lit(self._since))
            customers = rows.select(trimmed(column).alias("customer")).distinct().collect()
            found |= {row.customer for row in customers if row.customer and erased.find(row.customer)}
        return sorted(found)

    def account(self, messages: DataFrame, wait_minutes: int) -> list[Row]:
        """The account of messages, by partition, once none of them only waits for silver or quarantine.

        Raises:
            StreamTooOldError: Some still wait at the end.
        """
        deadline = time.monotonic() + wait_minutes * 60
        while True:
            silver = self._remembered("silver.events", "_accepted_at")
            quarantine = self._remembered("silver.quarantine_events", "_read_at")
            customers = self._table("silver.customer")
            rows = audit.account(messages, silver, quarantine, customers, ended=self._ended(), contract=EVENTS)
            found = rows.orderBy("partition").collect()
            lost = any(row.lost for row in found)
            behind = audit.waiting(messages, silver, quarantine, EVENTS).count() if lost else 0
            if not behind:
                return found
            if time.monotonic() > deadline:
                raise StreamTooOldError(
                    f"{behind:,} messages of bronze.events still wait for silver.events or quarantine after "
                    f"{wait_minutes} minutes; look whether the pipeline churn_stream runs, and at its event log; then "
                    "repair this run"
                )
            time.sleep(POLL_SECONDS)

    def record(self, rows: Sequence[Row], until: datetime) -> None:
        """Records an account, in the place of an earlier one of the same run."""
        values = [(self._run.run_id, self._run.date, until, *row) for row in rows]
        recorded = self._spark.createDataFrame(values, STREAM_ACCOUNTING.schema)
        STREAM_ACCOUNTING.replace(recorded, self._run.catalog, self._run.run_id)

    def _lost(self, rows: Sequence[Row], messages: DataFrame) -> list[str]:
        faults = []
        if any(row.missing for row in rows):
            gaps = audit.gaps_between(messages, self._ended()).limit(SHOWN).collect()
            shown = ", ".join(f"{gap.partition}: {gap.from_offset} to {gap.to_offset}" for gap in gaps)
            faults.append(
                f"{sum(row.missing for row in rows):,} messages are not in bronze.events, by partition: {shown}; the "
                "topic forgot them before they were read: ask their senders for them, then start the day anew"
            )
        if lost := [row for row in rows if row.lost]:
            shown = ", ".join(f"{row.lost:,} of partition {row.partition}" for row in lost)
            faults.append(
                f"messages of bronze.events are neither in silver.events nor in quarantine: {shown}; look at the event "
                "log of the pipeline churn_stream for what it has dropped"
            )
        return faults

    def _twice(self, rows: Sequence[Row]) -> list[str]:
        faults = []
        if twice := [row for row in rows if row.twice]:
            shown = ", ".join(f"{row.twice:,} of partition {row.partition}" for row in twice)
            faults.append(f"messages are there twice: {shown}; delete one row of each by its partition and offset")
        ids = self._repeated().orderBy("event_id").limit(SHOWN).collect()
        if ids:
            shown = ", ".join(row.event_id for row in ids)
            faults.append(f"silver.events has events twice, such as {shown}; delete the later row of each")
        return faults

    def _repeated(self) -> DataFrame:
        """Ids that were accepted since the account before, and are in silver.events more than once.

        A file or a refresh may bring an event long after its id was forgotten. So the new ids are looked for on all
        days of the new events, and on the day before and after, under which a file may have one.
        """
        silver = self._table("silver.events")
        new = silver if self._since is None else silver.where(sf.col("_accepted_at") > sf.lit(self._since))
        first, last = sf.date_sub(sf.min("event_date"), 1), sf.date_add(sf.max("event_date"), 1)
        days = new.agg(first.alias("first"), last.alias("last")).collect()[0]
        return audit.repeated(silver.where(sf.col("event_date").between(days.first, days.last)), new)

    def _ended(self) -> DataFrame:
        return self._before.groupBy("partition").agg(sf.max("last_offset").alias("last_offset"))

    def _remembered(self, name: str, moment: str) -> DataFrame:
        """Rows of a table since as long before the account as ids are remembered."""
        rows = self._table(name)
        if self._since is None:
            return rows
        return rows.where(sf.col(moment) > sf.lit(self._since - timedelta(days=REMEMBERED_DAYS)))

    def _table(self, name: str) -> DataFrame:
        return self._spark.table(self._run.table(name))


def _greatest(rows: DataFrame, moment: str) -> datetime | None:
    found: datetime | None = rows.agg(sf.max(moment).alias("at")).collect()[0].at
    return found


def _name_of(path: str) -> Column:
    """Last part of a path; `ingest` gives each file a name of its own."""
    return sf.element_at(sf.split(path, "/"), -1).alias("name")


if __name__ == "__main__":
    main()
