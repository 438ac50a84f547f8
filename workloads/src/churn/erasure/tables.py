"""Rows of an erased customer in the tables: bronze and silver with their account, gold, and Delta's marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.blanks import trimmed
from churn.core.contract import Contract, file_contracts, gold_contracts
from churn.core.erased import Removed, customer_column, record
from churn.core.frames import together
from churn.core.tables import ADMITTED, DELIVERIES, QUALITY_SAMPLES
from churn.transforms import removal
from churn.transforms.latest import FILE
from churn.transforms.removal import delete_same, file_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from churn.core.entry import Run

WITHDRAWN = "withdrawn"  # of a file whose rows were deleted on purpose; the file itself stays
Counts = dict[str, dict[str, int]]  # rows by table, and by file


def customer_contracts() -> list[tuple[Contract, str]]:
    """Contracts of files whose rows are about customers, each with its column of the customer."""
    found = ((contract, customer_column(contract)) for contract in file_contracts())
    return [(contract, column.name) for contract, column in found if column]


def delivered_rows(spark: SparkSession, run: Run, customer: str) -> Counts:
    """Rows of a customer in bronze, by table and file."""
    return _counted(
        [
            (f"bronze.{contract.domain}", _doomed(spark, run, contract, column, customer))
            for contract, column in customer_contracts()
        ]
    )


def unread_files(spark: SparkSession, run: Run) -> dict[str, list[str]]:
    """Files in the volume `admitted` of which no table has a row, since bronze has not read them, or none is left.

    Returns:
        Their paths in the volume, by domain.
    """
    read = [
        spark.table(run.table(table)).select(file_of(FILE))
        for contract in file_contracts()
        for table in tables_of(contract)
    ]
    admitted = spark.table(run.table(DELIVERIES.name)).where(sf.col("status").isin(ADMITTED, WITHDRAWN))
    files = admitted.select("domain", file_of("stored")).join(together(read).distinct(), "file", "left_anti")
    found: dict[str, list[str]] = {}
    for row in files.orderBy("file").collect():
        found.setdefault(row.domain, []).append(row.file)
    return found


def delete_delivered(spark: SparkSession, run: Run, contract: Contract, column: str, customer: str) -> None:
    """Deletes a customer's rows of bronze, and silver's copies of them."""
    removal.delete(spark, run, contract, _doomed(spark, run, contract, column, customer))


def delete_leftovers(spark: SparkSession, run: Run, customer: str, cause: str) -> Counts:
    """Deletes rows of a customer that silver has without bronze, and records them; returns their numbers."""
    left = [
        pair
        for contract, column in customer_contracts()
        for pair in removal.leftovers(spark, run, contract, column, customer)
    ]
    counts = _counted(left)
    for table, rows in left:
        if table in counts:
            record(spark, run, [Removed(cause, table, file, number) for file, number in counts[table].items()])
            same = {name: f"there.{name}" for name in rows.columns}
            delete_same(spark, run.table(table), rows.distinct(), same)
    return counts


def delete_gold(spark: SparkSession, run: Run, customer: str, cause: str, request: str) -> list[str]:
    """Deletes a customer's rows of gold, which marts have none of, and records them; returns the tables."""
    changed = []
    for table, column in _gold(spark, run):
        rows = spark.table(run.table(table)).where(trimmed(column) == customer).select(column)
        if number := rows.count():
            record(spark, run, [Removed(cause, table, request, number)])
            delete_same(spark, run.table(table), rows.distinct(), {column: f"there.{column}"})
            changed.append(table)
    return changed


def delete_samples(spark: SparkSession, run: Run) -> list[str]:
    """Deletes all keys that the last checks kept as samples, since any may name the customer; returns the table."""
    if not spark.catalog.tableExists(run.table(QUALITY_SAMPLES.name)):
        return []
    spark.sql(f"DELETE FROM {run.table(QUALITY_SAMPLES.name)}").collect()
    return [QUALITY_SAMPLES.name]


def purge(spark: SparkSession, run: Run, tables: Sequence[str]) -> None:
    """Writes anew the files whose deleted rows are only marked so, by deletion vectors, in which VACUUM leaves them."""
    for table in tables:
        [detail] = spark.sql(f"DESCRIBE DETAIL {run.table(table)}").select("properties").collect()
        if detail.properties.get("delta.enableDeletionVectors") == "true":
            spark.sql(f"REORG TABLE {run.table(table)} APPLY (PURGE)").collect()


def _doomed(spark: SparkSession, run: Run, contract: Contract, column: str, customer: str) -> DataFrame:
    return removal.of_customer(spark.table(run.table(f"bronze.{contract.domain}")), contract, column, customer)


def _counted(chosen: Sequence[tuple[str, DataFrame]]) -> Counts:
    """Rows by table and file, in one query."""
    rows = together([frame.select(sf.lit(table).alias("table"), file_of(FILE)) for table, frame in chosen])
    counts: Counts = {}
    for row in rows.groupBy("table", "file").count().collect():
        counts.setdefault(row.table, {})[row.file] = row["count"]
    return counts


def _gold(spark: SparkSession, run: Run) -> Iterator[tuple[str, str]]:
    """Tables of gold with rows of customers that exist, each with its column of the customer."""
    for contract in gold_contracts():
        column = customer_column(contract)
        if column and spark.catalog.tableExists(run.table(contract.table)):
            yield contract.table, column.name
