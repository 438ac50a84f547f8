"""Rows that are removed from bronze and silver on purpose, with their count by file, which the row account needs.

Rows are chosen in bronze, as silver conforms them. Silver's copies of them are the rows of the same file with the same
values, so both lose the same rows. Bronze loses them last: until then a killed removal chooses the same rows again.
Values stand in no statement: Delta keeps the conditions of a MERGE in its log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import quoted
from churn.core.erased import ESCAPE, WORD
from churn.core.errors import FinalError
from churn.core.frames import together
from churn.core.tables import ERASED_ROWS
from churn.transforms.conform import conform, raw_row
from churn.transforms.delivered import CORRUPT, RESCUED
from churn.transforms.latest import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from churn.core.contract import Contract
    from churn.core.entry import Run

RAW = "_raw"
FILES_NAMED = 5


class SilverBehindError(FinalError):
    """Bronze has rows that silver has not read; the text names files and remedy."""


def of_customer(bronze: DataFrame, contract: Contract, column: str, customer: str) -> DataFrame:
    """The rows of bronze that are a customer's, as `conform` gives them.

    A row is a customer's if its column says so. One whose column is empty, or whose values stand under wrong names, is
    theirs if the id stands anywhere in it.

    Args:
        bronze: Of a contract whose rows are about customers.
        contract: The contract.
        column: Its column of the customer.
        customer: Id of the customer, without blanks around it.
    """
    texts = [sf.col(quoted(name)).cast("string") for name in (*(each.bronze for each in contract.columns), RESCUED)]
    somewhere = sf.concat_ws(" ", *texts, sf.col(CORRUPT)).contains(sf.lit(customer))
    rows = conform(bronze.where(somewhere), contract)
    nobodys = sf.col(column).isNull() | sf.col("_uneven")
    return rows.where((sf.col(column) == customer) | (nobodys & mentions(RAW, customer)))


def mentions(column: str, customer: str) -> Column:
    """Whether an id is a word of a text."""
    word = WORD.removesuffix("+").replace("[", "[^")
    return sf.regexp_replace(column, ESCAPE, " ").rlike(f"(^|{word}){re.escape(customer)}($|{word})")


def require_read(spark: SparkSession, run: Run, contracts: Sequence[Contract], cause: str) -> None:
    """Refuses to remove rows while silver has not read all of bronze: it would read afterwards what is gone there.

    Args:
        spark: A session.
        run: The run.
        contracts: Of the files that deliver.
        cause: Why rows are removed, or how such causes begin. A file of which such rows were counted before was read:
            the removal that was killed then may have taken its last rows out of silver.

    Raises:
        SilverBehindError: Files of bronze have no row in silver's versions or quarantine.
    """
    files = []
    for contract in contracts:
        read, aside, bronze = (spark.table(run.table(name)).select(FILE) for name in tables_of(contract))
        files.append(bronze.distinct().join(read.union(aside).distinct(), FILE, "left_anti"))
    counted_before = spark.table(ERASED_ROWS.create(spark, run.catalog)).where(sf.col("cause").startswith(cause))
    unread = together(files).select(file_of(FILE))
    unread = unread.join(counted_before.select(sf.col("origin").alias("file")), "file", "left_anti")
    if behind := sorted(row.file for row in unread.collect()):
        raise SilverBehindError(
            f"silver of {run.catalog} has not read {len(behind)} files of bronze: {', '.join(behind[:FILES_NAMED])}; "
            "repair the last run of churn_daily, or update the pipeline churn_silver, and run this again"
        )


def counted(doomed: DataFrame) -> dict[str, int]:
    """Rows that are to be removed, by the file that they came in, below the folder of admitted files."""
    rows = doomed.groupBy(file_of(FILE)).count().collect()
    return {row.file: row["count"] for row in rows}


def delete(spark: SparkSession, run: Run, contract: Contract, doomed: DataFrame) -> None:
    """Deletes chosen rows of bronze, after their copies among silver's versions and quarantined rows.

    Args:
        spark: A session.
        run: The run.
        contract: Of the tables.
        doomed: The rows, as `conform` gives them of bronze.
    """
    names = [each.name for each in contract.columns]
    versions, quarantine, bronze = tables_of(contract)
    by_value, by_text = doomed.select(FILE, *names).distinct(), doomed.select(FILE, RAW).distinct()
    delete_same(spark, run.table(versions), by_value, {name: f"there.{quoted(name)}" for name in (FILE, *names)})
    delete_same(spark, run.table(quarantine), by_text, {FILE: f"there.{FILE}", RAW: f"there.{RAW}"})
    delete_same(spark, run.table(bronze), by_text, {FILE: f"there.{FILE}", RAW: raw_row(contract, "there.")})


def leftovers(
    spark: SparkSession, run: Run, contract: Contract, column: str, customer: str
) -> list[tuple[str, DataFrame]]:
    """Rows of a customer that silver has without bronze, whose rows somebody has deleted: by table.

    A quarantined row that bronze still has is another customer's, which mentions the id.
    """
    versions, quarantine, bronze = tables_of(contract)
    kept = spark.table(run.table(bronze)).select(FILE, sf.expr(raw_row(contract)).alias(RAW))
    named = spark.table(run.table(quarantine)).where(mentions(RAW, customer)).select(FILE, RAW)
    named = named.join(kept.where(mentions(RAW, customer)), [FILE, RAW], "left_anti")
    return [
        (versions, spark.table(run.table(versions)).where(sf.col(column) == customer).select(FILE, column)),
        (quarantine, named),
    ]


def delete_same(spark: SparkSession, table: str, rows: DataFrame, same: dict[str, str]) -> None:
    """Deletes the rows of a table that are the same as given ones.

    Args:
        spark: A session.
        table: Full name of the table.
        rows: The rows, none twice.
        same: By the name of a column of `rows`, an expression of the table's columns, as `there`, that is the same.
    """
    view = f"doomed_{re.sub('[^a-z_]', '_', table)}"
    rows.createOrReplaceTempView(view)
    condition = " AND ".join(f"{there} <=> gone.{quoted(name)}" for name, there in same.items())
    spark.sql(f"MERGE INTO {table} AS there USING {view} AS gone ON {condition} WHEN MATCHED THEN DELETE").collect()
    spark.catalog.dropTempView(view)


def tables_of(contract: Contract) -> tuple[str, str, str]:
    """Tables in which a delivered row may be: silver's versions, its quarantine, and bronze."""
    domain = contract.domain
    return f"silver.{domain}_versions", f"silver.quarantine_{domain}", f"bronze.{domain}"


def erased_by_file(removed: DataFrame, contracts: Sequence[Contract]) -> DataFrame:
    """Rows that were removed on purpose, for the account: `domain`, `file`, `erased`.

    Args:
        removed: mlops.erased_rows.
        contracts: Of what files deliver.
    """
    domains = {table: contract.domain for contract in contracts for table in tables_of(contract)}
    domain_of = sf.create_map(*(sf.lit(part) for pair in domains.items() for part in pair))
    rows = removed.where(sf.col("place").isin(*domains)).select(
        sf.try_element_at(domain_of, sf.col("place")).alias("domain"), sf.col("origin").alias("file"), "rows"
    )
    return rows.groupBy("domain", "file").agg(sf.sum("rows").alias("erased"))


def file_of(path: str) -> Column:
    """A file's path below the folder of admitted files, whatever stands before that."""
    return sf.element_at(sf.split(path, "/bronze/admitted/", 2), 2).alias("file")
