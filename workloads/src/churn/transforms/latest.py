"""Latest of the rows that share a key, and the rows that it supersedes. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Contract

FILE = "_file"


def latest(versions: DataFrame, contract: Contract, observed: date | None = None) -> DataFrame:
    """One row per natural key: the last reported, then the last delivered.

    Remaining ties are broken deterministically.

    Args:
        versions: Accepted rows.
        contract: Of the table.
        observed: Reports of later days are passed over, except a key's first: history may be delivered long after the
            days that its rows are dated. A report of no known day always counts.

    Returns:
        The contract's columns and `_file`.
    """
    names = [column.name for column in contract.columns]
    others = [name for name in names if name not in contract.keys]
    row, rank = sf.struct(*others, FILE), order(contract)
    newest = sf.max_by(row, rank)
    if observed is not None:
        reported_later = sf.coalesce(_reported(contract) > sf.lit(observed), sf.lit(False))
        newest = sf.coalesce(sf.max_by(row, sf.when(~reported_later, rank)), sf.min_by(row, rank))
    return (
        versions.groupBy(*contract.keys)
        .agg(newest.alias("newest"))
        .select(
            *(sf.col(name) if name in contract.keys else sf.col(f"newest.{name}").alias(name) for name in names),
            sf.col(f"newest.{FILE}").alias(FILE),
        )
    )


def superseded(versions: DataFrame, contract: Contract) -> DataFrame:
    """The accepted rows that `latest` leaves out, since a later row with their key supersedes them."""
    by_key = Window.partitionBy(*contract.keys).orderBy(order(contract).desc())
    return versions.select("*", sf.row_number().over(by_key).alias("_rank")).where(sf.col("_rank") > 1)


def order(contract: Contract) -> Column:
    """Order of accepted rows with one key, as a value that is higher for the row to keep."""
    names = [column.name for column in contract.columns]
    delivered = sf.element_at(sf.split(FILE, "/"), -1)  # `ingest` begins a file's name with when it was delivered
    return sf.struct(_reported(contract), delivered, sf.xxhash64(*names))


def _reported(contract: Contract) -> Column:
    """Day on which a row was reported: the row's own column, else the day that its folder is named after, else NULL."""
    if contract.ordering:
        return sf.col(contract.ordering)
    return delivery_day()


def delivery_day() -> Column:
    """Day that the folder of a row's file is named after; NULL if it is named after none."""
    return sf.regexp_extract(FILE, r"/admitted/[^/]+/(\d{4}-\d{2}-\d{2})/", 1).try_cast("date")
