"""Entry point `retain`: deletes what is older than its contract's retention, and counts it.

All rows of a key go together, once the latest of them is too old: a state that still holds stays, whenever it was
reported. The column that tells the age is the contract's. Of a row that was quarantined the day of its folder counts. A
file goes with the last of its rows, and one that was set aside whole after `QUARANTINE_DAYS`. The logical date is the
day from which ages are measured, so a repeated run deletes nothing more. Rows are chosen in bronze, which loses them
last, so that the next run finishes one that was killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.contract import contract_of, file_contracts, gold_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.erased import Removed, record
from churn.core.tables import ADMITTED, DELIVERIES, ERASED_ROWS, QUARANTINED, TABLES
from churn.erasure.tables import purge, unread_files
from churn.feature_engineering.groups import FEATURES
from churn.ingestion.folders import day_of
from churn.streaming.removal import BRONZE, QUARANTINE, SILVER
from churn.transforms import removal
from churn.transforms.conform import broken_rules, conform
from churn.transforms.latest import FILE, delivery_day, latest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from churn.core.contract import Contract

# An erasure has to be done within a month (Article 12 of the GDPR), and not every such file can be searched.
QUARANTINE_DAYS = 30
RETENTION = "retention "  # so begin the causes in mlops.erased_rows
FORGET = """
MERGE INTO {table} AS there USING old_files AS gone ON there.stored = gone.stored
WHEN MATCHED THEN UPDATE SET stored = NULL, reason = concat(there.reason, '; removed after {days} days')
"""


class Retention:
    """What is too old on the date of a run."""

    def __init__(self, spark: SparkSession, run: Run, client: WorkspaceClient) -> None:
        self._spark, self._run, self._files = spark, run, client.files
        self.cause = f"{RETENTION}{run.date}"

    def apply(self) -> None:
        """Deletes all of it.

        Raises:
            SilverBehindError: Silver has not read all of bronze.
        """
        removal.require_read(self._spark, self._run, file_contracts(), RETENTION)
        changed = [table for contract in file_contracts() for table in self._delivered(contract)]
        for contract in gold_contracts():
            if contract.service.expires_by:
                changed += self._older(contract.table, contract.service.expires_by, self._oldest(contract))
        if self._exists(BRONZE):
            oldest = self._oldest(contract_of("events"))
            for table, moment in ((SILVER, "event_time"), (QUARANTINE, "_broker_time"), (BRONZE, "broker_time")):
                changed += self._older(table, moment, oldest)
        purge(self._spark, self._run, changed)
        self._emptied_files()
        self._files_set_aside()

    def vacuum(self) -> None:
        """Ends the history of the tables that tasks write, as old as Delta keeps it; pipelines see to their own."""
        for table in (*TABLES, FEATURES):
            if self._exists(table.name):
                self._spark.sql(f"VACUUM {self._run.table(table.name)}").collect()

    def _delivered(self, contract: Contract) -> list[str]:
        """Deletes rows of silver and bronze whose keys are too old; returns the tables that were changed."""
        expires_by, oldest = contract.service.expires_by, sf.lit(self._oldest(contract))
        if expires_by is None:
            return []
        bronze = f"bronze.{contract.domain}"
        self._uncount(bronze, contract.domain)
        rows = conform(self._spark.table(self._run.table(bronze)), contract)
        broken = sf.size(broken_rules(contract)) > 0
        keys = latest(rows.where(~broken), contract).where(sf.col(expires_by) < oldest).select(*contract.keys)
        set_aside = broken & sf.coalesce(delivery_day() < oldest, sf.lit(False))
        old = rows.where(~set_aside).join(keys, contract.keys, "left_semi").select(*rows.columns)
        doomed = old.unionByName(rows.where(set_aside))
        counts = removal.counted(doomed)
        if not counts:
            return []
        record(self._spark, self._run, [Removed(self.cause, bronze, *counted) for counted in counts.items()])
        removal.delete(self._spark, self._run, contract, doomed)
        return list(removal.tables_of(contract))

    def _uncount(self, bronze: str, domain: str) -> None:
        """Takes back what the last run has counted, if it was killed before it deleted any of it in bronze."""
        removed = self._spark.table(self._run.table(ERASED_ROWS.name)).where(sf.col("place") == bronze)
        causes = removed.where(sf.col("cause").startswith(RETENTION)).agg(sf.max("cause").alias("last"))
        last = causes.collect()[0]["last"]
        if last is None:
            return
        counted = removed.where(sf.col("cause") == last).select(sf.col("origin").alias("file"), "rows")
        in_all = removed.groupBy(sf.col("origin").alias("file")).agg(sf.sum("rows").alias("in_all"))
        there = self._spark.table(self._run.table(bronze)).groupBy(removal.file_of(FILE)).count()
        ledger = self._spark.table(DELIVERIES.create(self._spark, self._run.catalog)).where(sf.col("domain") == domain)
        delivered = ledger.where(sf.col("status") == ADMITTED).select(
            removal.file_of("stored"), sf.col("rows").alias("delivered")
        )
        files = counted.join(in_all, "file").join(delivered, "file").join(there, "file", "left")
        surplus = sf.coalesce("count", sf.lit(0)) + sf.col("in_all") - sf.col("delivered") - sf.col("rows")
        # One statement deletes them all, so either each of the files has its rows still, or none has.
        least = files.agg(sf.min(surplus).alias("least")).collect()[0].least
        if least is None or least < 0:
            return
        table = self._run.table(ERASED_ROWS.name)
        self._spark.sql(f"DELETE FROM {table} WHERE cause = '{last}' AND place = '{bronze}'").collect()

    def _older(self, table: str, column: str, oldest: date) -> list[str]:
        """Deletes rows of a table that is no copy of files; returns the table if it was changed."""
        if not self._exists(table):
            return []
        condition = f"{column} < DATE '{oldest}'"
        rows = self._spark.table(self._run.table(table)).where(condition).count()
        record(self._spark, self._run, [Removed(self.cause, table, self.cause, rows)])
        if rows:
            self._spark.sql(f"DELETE FROM {self._run.table(table)} WHERE {condition}").collect()
        return [table] if rows else []

    def _emptied_files(self) -> None:
        """Removes admitted files of which no row is left, once their day is too old."""
        oldest = {contract.domain: self._oldest(contract) for contract in file_contracts()}
        for domain, files in unread_files(self._spark, self._run).items():
            for file in files:
                day = day_of(file)
                if day is not None and day < oldest[domain]:
                    with suppress(NotFound):
                        self._files.delete(f"{self._run.volume('admitted')}/{file}")

    def _files_set_aside(self) -> None:
        """Removes files that were set aside whole too long ago."""
        ledger = self._spark.table(DELIVERIES.create(self._spark, self._run.catalog))
        before = self._run.date - timedelta(days=QUARANTINE_DAYS)
        old = ledger.where((sf.col("status") == QUARANTINED) & sf.col("stored").isNotNull())
        paths = [row.stored for row in old.where(sf.col("date") < sf.lit(before)).select("stored").collect()]
        if not paths:
            return
        folder = f"{self._run.volume('quarantine')}/"
        kept = [Removed(self.cause, "bronze.quarantine", path.removeprefix(folder), None) for path in paths]
        record(self._spark, self._run, kept)
        for path in paths:
            with suppress(NotFound):
                self._files.delete(path)
        self._spark.createDataFrame([(path,) for path in paths], "stored STRING").createOrReplaceTempView("old_files")
        self._spark.sql(FORGET.format(table=self._run.table(DELIVERIES.name), days=QUARANTINE_DAYS)).collect()
        self._spark.catalog.dropTempView("old_files")

    def _oldest(self, contract: Contract) -> date:
        """The first day of which rows are kept."""
        return self._run.date - contract.service.retention

    def _exists(self, table: str) -> bool:
        return self._spark.catalog.tableExists(self._run.table(table))


def main(argv: Sequence[str] | None = None) -> None:
    """Deletes what is too old on the logical date, and prints how much of which table."""
    run, _ = parse(tasks.RETAIN, argv)
    spark = spark_session()
    retention = Retention(spark, run, WorkspaceClient())
    retention.apply()
    retention.vacuum()
    rows = spark.table(run.table(ERASED_ROWS.name)).where(sf.col("cause") == retention.cause)
    for row in rows.groupBy("place").agg(sf.sum("rows").alias("rows"), sf.count("*").alias("origins")).collect():
        print(f"{row.place}: {row.rows or 0:,} rows, {row.origins} files or tables")


if __name__ == "__main__":
    main()
