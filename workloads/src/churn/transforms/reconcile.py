"""Entry point `reconcile`, after silver: proves that no row was lost.

For each table and run, rows in = rows out + quarantined + superseded + erased. `ingest` counted the rows in when it
opened the files, without Spark. The next three are counted in silver, each independently; superseded rows are the
accepted rows that are not the latest of their key. Erased rows are those that mlops.erased_rows has. A sum that does
not match fails the run: rows are lost if it is too small, and there twice if it is too large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn import tasks
from churn.core.contract import Contract, file_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import FinalError
from churn.core.frames import together
from churn.core.tables import ADMITTED, DELIVERIES, DUPLICATE, ERASED_ROWS, QUARANTINED, ROW_ACCOUNTING
from churn.ingestion.folders import REPAIRED_ROW
from churn.transforms.delivered import ROW_ID
from churn.transforms.latest import superseded
from churn.transforms.removal import FILES_NAMED, erased_by_file, file_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

COUNTS = ("rows_in", "rows_out", "quarantined", "superseded", "erased", "released", "rescued", "conformed")
MEASURED = tuple(name for name in COUNTS if name not in ("rows_in", "erased"))  # per file, in the tables


class UnknownFilesError(FinalError):
    """Files reached bronze without `ingest`, so that nobody has counted their rows; the text names files and remedy."""


class RowsLostError(FinalError):
    """Admitted rows are neither in silver nor in quarantine nor superseded; the text has table, run and counts."""


class RowsTwiceError(FinalError):
    """Silver has more rows of admitted files than the files; the text has table, run, counts and remedy."""


def account(spark: SparkSession, run: Run) -> DataFrame:
    """Counts every row of every run so far.

    Returns:
        One row per table and the run that admitted its files: `run_id`, `date`, `table`, `files`,
        `files_quarantined`, `files_duplicate`, then `COUNTS`: `superseded` rows gave way to a later row with their key
        (in whatever run that came), `erased` rows were removed on purpose or kept out, `released` rows are quarantined
        ones that were delivered again, repaired, `rescued` rows hold something that the schema has no place for, and
        are kept, `conformed` rows were accepted with a value that the contract lists in another spelling.
    """
    ledger = spark.table(run.table(DELIVERIES.name))
    released = released_rows(ledger)
    counted = together([_rows_by_file(spark, run, contract, released) for contract in file_contracts()])
    erased = erased_by_file(spark.table(ERASED_ROWS.create(spark, run.catalog)), file_contracts())
    files = ledger.where(sf.col("status") == ADMITTED).select("run_id", "domain", file_of("stored"), "rows")
    by_run = (
        files.join(counted, ["domain", "file"], "left")
        .join(erased, ["domain", "file"], "left")
        .groupBy("run_id", "domain")
        .agg(sf.sum("rows").alias("rows_in"), *(sf.sum(name).alias(name) for name in COUNTS[1:]))
    )
    deliveries = ledger.groupBy("run_id", "domain").agg(
        sf.min("date").alias("date"),
        sf.count_if(sf.col("status") == ADMITTED).alias("files"),
        sf.count_if(sf.col("status") == QUARANTINED).alias("files_quarantined"),
        sf.count_if(sf.col("status") == DUPLICATE).alias("files_duplicate"),
    )
    return deliveries.join(by_run, ["run_id", "domain"], "left").select(
        "run_id",
        "date",
        sf.col("domain").alias("table"),
        "files",
        "files_quarantined",
        "files_duplicate",
        *(sf.coalesce(name, sf.lit(0)).alias(name) for name in COUNTS),
    )


def released_rows(ledger: DataFrame) -> DataFrame:
    """`_row_id` of the quarantined rows that were delivered again, repaired.

    Args:
        ledger: bronze.deliveries.
    """
    row_id = sf.regexp_extract("file", REPAIRED_ROW, 1).alias(ROW_ID)
    return ledger.where(sf.col("status") == ADMITTED).select(row_id).where(sf.col(ROW_ID) != "").distinct()


def lost(accounts: Sequence[Row]) -> list[Row]:
    """The accounts of which rows are missing."""
    return [row for row in accounts if _found(row) < row.rows_in]


def twice(accounts: Sequence[Row]) -> list[Row]:
    """The accounts that have more rows than their files."""
    return [row for row in accounts if _found(row) > row.rows_in]


def unknown_files(spark: SparkSession, run: Run) -> list[str]:
    """Files that bronze has rows of and bronze.deliveries does not know, below the folder of admitted files, sorted."""
    admitted = spark.table(run.table(DELIVERIES.name)).where(sf.col("status") == ADMITTED).select(file_of("stored"))
    bronze = [spark.table(run.table(f"bronze.{contract.domain}")) for contract in file_contracts()]
    read = together([rows.select(file_of("_file")) for rows in bronze])
    return sorted(row.file for row in read.distinct().join(admitted, "file", "left_anti").collect())


def main(argv: Sequence[str] | None = None) -> None:
    """Counts every row of every run so far, records the counts, and prints those of this run.

    Raises:
        UnknownFilesError: Files reached bronze without `ingest`.
        RowsLostError: Rows are missing, perhaps beside others that are there twice.
        RowsTwiceError: Rows are there twice, and none is missing.
    """
    run, _ = parse(tasks.RECONCILE, argv)
    spark = spark_session()
    ROW_ACCOUNTING.replace(account(spark, run), run.catalog)
    accounts = spark.table(run.table(ROW_ACCOUNTING.name)).orderBy("date", "run_id", "table").collect()
    print(f"{'table':<14}{'files':>7}{'aside':>8}{'again':>7}" + "".join(f"{name:>13}" for name in COUNTS))
    for row in accounts:
        if row.run_id == run.run_id:
            numbers = "".join(f"{row[name]:>13,}" for name in COUNTS)
            print(f"{row.table:<14}{row.files:>7}{row.files_quarantined:>8}{row.files_duplicate:>7}{numbers}")
    if unknown := unknown_files(spark, run):
        domains = sorted({file.partition("/")[0] for file in unknown})
        tables = ", ".join(f"bronze.{each}, silver.{each}_versions, silver.quarantine_{each}" for each in domains)
        raise UnknownFilesError(
            f"{len(unknown)} files are in bronze that `ingest` has not counted: {', '.join(unknown[:FILES_NAMED])}; "
            f"delete their rows (by _file) from {tables} of {run.catalog}, move them from {run.volume('admitted')} to "
            f"{run.landing}, and deliver there only"
        )
    missing, doubled = lost(accounts), twice(accounts)
    again = f"rows are there twice: {_shown(doubled)}" if doubled else ""
    if missing:
        raise RowsLostError("; ".join(filter(None, [f"rows were lost: {_shown(missing)}", again])))
    if doubled:
        anew = sorted({name for row in doubled for name in (f"{row.table}_versions", f"quarantine_{row.table}")})
        raise RowsTwiceError(
            f"{again}; if bronze has each row once, a full refresh of {', '.join(anew)} in the pipeline of silver "
            "builds them anew from it; if bronze has rows twice, delete those (by _file) before"
        )


def _found(row: Row) -> int:
    """Rows of an account that are somewhere in silver, or were erased."""
    return int(row.rows_out + row.quarantined + row.superseded + row.erased)


def _shown(accounts: Sequence[Row]) -> str:
    """The accounts, for the text of an error."""
    return "; ".join(
        f"{row.table} of run {row.run_id}: {row.rows_in} in, {row.rows_out} out, {row.quarantined} quarantined, "
        f"{row.superseded} superseded, {row.erased} erased, {abs(_found(row) - row.rows_in)} "
        f"too {'many' if _found(row) > row.rows_in else 'few'}"
        for row in accounts
    )


def _rows_by_file(spark: SparkSession, run: Run, contract: Contract, released: DataFrame) -> DataFrame:
    """Per file of a domain: `domain`, `file`, `MEASURED`."""

    def table(name: str) -> DataFrame:
        return spark.table(run.table(name))

    domain = contract.domain
    measured = {
        "rows_out": table(f"silver.{domain}"),
        "quarantined": table(f"silver.quarantine_{domain}"),
        "superseded": superseded(table(f"silver.{domain}_versions"), contract),
        "released": table(f"silver.quarantine_{domain}").join(released, ROW_ID, "left_semi"),
        "rescued": table(f"bronze.{domain}").where(sf.col("_rescued_data").isNotNull()),
        "conformed": table(f"silver.{domain}_versions").where(sf.col("_conformed").isNotNull()),
    }
    rows = together([frame.select(file_of("_file"), sf.lit(name).alias("what")) for name, frame in measured.items()])
    return rows.groupBy(sf.lit(domain).alias("domain"), "file").agg(
        *(sf.count_if(sf.col("what") == name).alias(name) for name in MEASURED)
    )


if __name__ == "__main__":
    main()
