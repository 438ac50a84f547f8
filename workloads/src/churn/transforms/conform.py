"""Transformations from bronze to silver: names, types, rules, and the latest of the rows that share a key. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Column as Field
    from churn.core.contract import Contract

FILE = "_file"
# How a text file writes a value: a cast alone takes `2026` for a date, `20d` and `NaN` for numbers.
WRITTEN = {
    "DATE": r"^\d{4}-\d{2}-\d{2}$",
    "DOUBLE": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$",
    "INT": r"^[+-]?\d+$",
}
OTHER_FIELDS = r"^(_c\d+|_corrupt_record)$"  # keys under which Auto Loader rescues a row that is too long or too short


def conform(delivered: DataFrame, contract: Contract) -> DataFrame:
    """Gives bronze rows silver's names and types.

    Args:
        delivered: Bronze: the contract's source columns, `_rescued_data`, `_file`.
        contract: Of the table.

    Returns:
        The contract's columns (NULL where blank or of another type), `_malformed` (names of the columns that hold
        something of another type, or NULL), `_uneven` (whether the row has more or fewer fields than its file's
        header, so that values stand under wrong names), `_file`, `_raw` (the row as delivered, as JSON).
    """
    typed = {column: _typed(column, contract) for column in contract.columns}
    misfits = [sf.when((_text(column) != "") & value.isNull(), column.name) for column, value in typed.items()]
    malformed = sf.filter(sf.array(*misfits), lambda name: name.isNotNull())
    sources = [_source(column).alias(column.source) for column in contract.columns]
    uneven = sf.exists(sf.json_object_keys("_rescued_data"), lambda key: key.rlike(OTHER_FIELDS))
    return delivered.select(
        *(value.alias(column.name) for column, value in typed.items()),
        sf.when(sf.size(malformed) > 0, sf.array_join(malformed, ", ")).alias("_malformed"),
        sf.coalesce(uneven, sf.lit(False)).alias("_uneven"),
        FILE,
        sf.to_json(sf.struct(*sources, "_rescued_data")).alias("_raw"),
    )


def accepted(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The columns that silver keeps of conformed rows; the pipeline's expectations drop the rows that break a rule."""
    return conformed.select(*(column.name for column in contract.columns), "_malformed", "_uneven", FILE)


def quarantined(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The conformed rows that break a rule.

    Returns:
        The key's columns, `_reasons` (names of the broken rules), `_malformed`, `_raw`, `_file`.
    """
    reasons = broken_rules(contract)
    return conformed.where(sf.size(reasons) > 0).select(
        *contract.keys, reasons.alias("_reasons"), "_malformed", "_raw", FILE
    )


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


def broken_rules(contract: Contract) -> Column:
    """Array of the names of the rules that a conformed row breaks."""
    broken = [
        sf.when(~sf.coalesce(sf.expr(condition), sf.lit(False)), sf.lit(name))
        for name, condition in contract.rules.items()
    ]
    return sf.filter(sf.array(*broken), lambda name: name.isNotNull())


def _reported(contract: Contract) -> Column:
    """Day on which a row was reported: the row's own column, else the day that its folder is named after, else NULL."""
    if contract.ordering:
        return sf.col(contract.ordering)
    return sf.regexp_extract(FILE, r"/admitted/[^/]+/(\d{4}-\d{2}-\d{2})/", 1).try_cast("date")


def _source(column: Field) -> Column:
    """The value as delivered; quoted, since a dot in a bare name means a field of a struct."""
    return sf.col(f"`{column.source}`")


def _text(column: Field) -> Column:
    return sf.trim(_source(column).cast("string"))


def _typed(column: Field, contract: Contract) -> Column:
    """The value, or NULL where there is none of its type."""
    text = _text(column)
    if column.type == "STRING":
        return sf.nullif(text, sf.lit(""))
    written = WRITTEN.get(column.type) if contract.format == "csv" else None  # Parquet's values are typed already
    return (sf.when(text.rlike(written), text) if written else text).try_cast(column.type)
