"""Entry point `quality`, before the features: checks what no single row shows, and says it of the day by name.

Contracts say which checks a table has and whether a broken one fails the day (`churn.core.contract_checks`). Read are
the ledger, the rows of the days that may have come with this run, and counts of earlier days that are comparable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn import tasks
from churn.core.contract import Contract, contract_of, file_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.frames import together
from churn.core.tables import ADMITTED, DELIVERIES, QUALITY_RESULTS, QUALITY_SAMPLES, QUARANTINED
from churn.ingestion.folders import DAY_OF_FILE
from churn.quality.across import broken, day_column
from churn.quality.feeds import Came, Feed, days_to_count
from churn.quality.judge import Check, Outcome, judge
from churn.streaming.events import STREAM

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

SIGNS = {Outcome.PASSED: " ", Outcome.UNJUDGED: " ", Outcome.WARNED: "!", Outcome.FAILED: "✗"}


class QualityError(FinalError):
    """Checks are broken whose contracts fail the day; the text has what was expected, what came and what to do."""


class Examination:
    """The examination of one day."""

    def __init__(self, spark: SparkSession, run: Run, contracts: Sequence[Contract]) -> None:
        """Prepares it.

        Args:
            spark: The session.
            run: The run; its date is the day.
            contracts: Of the tables to check.
        """
        self._spark, self._run, self._contracts = spark, run, contracts

    def checks(self) -> list[Check]:
        """Makes every check, and records the checks and some keys of rows that break one."""
        rows = broken(self._read, self._contracts, self._run.date).collect()
        numbers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in rows:
            numbers[row.table][row.check_name] += row.rows
        checks = [check for feed in self._feeds() for check in judge(feed, numbers[feed.contract.domain])]
        self._record(checks, rows)
        return checks

    def _feeds(self) -> Iterator[Feed]:
        files, counts = self._files(), self._counts()
        for contract in self._contracts:
            domain = contract.domain
            yield Feed(contract, self._run.date, files[domain], counts[domain])

    def _files(self) -> Mapping[str, dict[date, Came]]:
        """Files by domain and the day of their folder."""
        day = sf.regexp_extract("file", DAY_OF_FILE, 1).try_cast("date").alias("day")
        ledger = self._read(DELIVERIES.name).select("domain", "status", day)
        kept = ledger.where(sf.col("day").isNotNull()).groupBy("domain", "day")
        found: dict[str, dict[date, Came]] = defaultdict(dict)
        counted = kept.agg(
            sf.count_if(sf.col("status") == ADMITTED).alias("admitted"),
            sf.count_if(sf.col("status") == QUARANTINED).alias("quarantined"),
        )
        for row in counted.collect():
            found[row.domain][row.day] = Came(row.admitted, row.quarantined)
        return found

    def _counts(self) -> Mapping[str, dict[date, int]]:
        """Accepted rows by domain and day, of the days that feeds are judged by."""
        counted = [self._counted(contract, column) for contract in self._contracts if (column := day_column(contract))]
        found: dict[str, dict[date, int]] = defaultdict(dict)
        for row in together(counted).collect():
            found[row.table][row.day] = row.rows
        return found

    def _counted(self, contract: Contract, column: str) -> DataFrame:
        """`table`, `day` and `rows` of one table; of events the stream's, since files are a feed of their own."""
        rows = self._read(contract.table if contract.topic else f"{contract.table}_versions")
        if contract.topic:
            rows = rows.where(sf.col("_source") == STREAM)
        day = sf.to_date(column)
        days = [sf.lit(each) for each in days_to_count(contract, self._run.date)]
        by_day = rows.where(day.isin(*days)).groupBy(day.alias("day")).agg(sf.count("*").alias("rows"))
        return by_day.select(sf.lit(contract.domain).alias("table"), "day", "rows")

    def _record(self, checks: Sequence[Check], rows: Sequence[Row]) -> None:
        run = self._run
        results = [(run.run_id, run.date, *astuple(check)) for check in checks]
        recorded = self._spark.createDataFrame(results, QUALITY_RESULTS.schema)
        QUALITY_RESULTS.replace(recorded, run.catalog, run.run_id)
        there = self._spark.table(QUALITY_SAMPLES.create(self._spark, run.catalog))
        if rows or not there.isEmpty():  # a good day after another has nothing to write
            samples = [(run.run_id, row.table, row.check_name, row.key) for row in rows]
            QUALITY_SAMPLES.replace(self._spark.createDataFrame(samples, QUALITY_SAMPLES.schema), run.catalog)

    def _read(self, name: str) -> DataFrame:
        return self._spark.table(self._run.table(name))


def main(argv: Sequence[str] | None = None) -> None:
    """Makes the checks of the day, records and prints them.

    Raises:
        QualityError: A check is broken whose contract fails the day.
    """
    run, options = parse(tasks.QUALITY, argv)
    streamed = [contract_of("events")] if options.usage_table == tasks.EVENTS else []
    checks = Examination(spark_session(), run, [*file_contracts(), *streamed]).checks()
    for check in checks:
        print(f"{SIGNS[check.outcome]} {check.outcome:<9}{check.table:<14}{check.name:<12}{check.reason}")
    failed = [check.reason for check in checks if check.outcome is Outcome.FAILED]
    if failed:
        raise QualityError(f"{run.date} is not scored: " + "; ".join(failed))


if __name__ == "__main__":
    main()
