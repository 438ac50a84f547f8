"""From bronze to silver: names, types, rules, and the latest of the rows that share a key. Columns in, columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from churn.contract import Contract

FILE = "_file"


def conform(delivered: DataFrame, contract: Contract) -> DataFrame:
    """Gives bronze rows silver's names and types.

    Args:
        delivered: Bronze: the contract's source columns, `_rescued_data`, `_file`.
        contract: Of the table.

    Returns:
        The contract's columns (NULL where blank or of another type), `_malformed` (names of the columns that hold
        something of another type, or NULL), `_file`, `_raw` (the row as delivered, as JSON).
    """
    names = sf.array(*(_malformed(column.source, column.type, column.name) for column in contract.columns))
    malformed = sf.filter(names, lambda name: name.isNotNull())
    return delivered.select(
        *(_typed(column.source, column.type).alias(column.name) for column in contract.columns),
        sf.when(sf.size(malformed) > 0, sf.array_join(malformed, ", ")).alias("_malformed"),
        FILE,
        sf.to_json(sf.struct(*contract.sources, "_rescued_data")).alias("_raw"),
    )


def accepted(conformed: DataFrame, contract: Contract) -> DataFrame:
    """What silver keeps of conformed rows that meet the rules (the pipeline's expectations drop the others)."""
    return conformed.select(*(column.name for column in contract.columns), "_malformed", FILE)


def quarantined(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The conformed rows that break a rule.

    Returns:
        The key's columns, `_reasons` (names of the broken rules), `_malformed`, `_raw`, `_file`.
    """
    reasons = broken_rules(contract)
    return conformed.where(sf.size(reasons) > 0).select(
        *contract.keys, reasons.alias("_reasons"), "_malformed", "_raw", FILE
    )


def latest(versions: DataFrame, contract: Contract) -> DataFrame:
    """One row per natural key: the latest by the ordering, then by delivery; other ties always fall the same way.

    Args:
        versions: Accepted rows.
        contract: Of the table.

    Returns:
        The contract's columns and `_file`.
    """
    names = [column.name for column in contract.columns]
    others = [name for name in names if name not in contract.keys]
    newest = sf.max_by(sf.struct(*others, FILE), sf.struct(*_order(contract))).alias("newest")
    return (
        versions.groupBy(*contract.keys)
        .agg(newest)
        .select(
            *(sf.col(name) if name in contract.keys else sf.col(f"newest.{name}").alias(name) for name in names),
            sf.col(f"newest.{FILE}").alias(FILE),
        )
    )


def superseded(versions: DataFrame, contract: Contract) -> DataFrame:
    """The accepted rows that `latest` leaves out: those that a later one with their key supersedes."""
    by_key = Window.partitionBy(*contract.keys).orderBy(*(column.desc() for column in _order(contract)))
    return versions.select("*", sf.row_number().over(by_key).alias("_rank")).where(sf.col("_rank") > 1)


def broken_rules(contract: Contract) -> Column:
    """Array of the names of the rules that a conformed row breaks."""
    broken = [
        sf.when(~sf.coalesce(sf.expr(condition), sf.lit(False)), sf.lit(name))
        for name, condition in contract.rules.items()
    ]
    return sf.filter(sf.array(*broken), lambda name: name.isNotNull())


def _order(contract: Contract) -> list[Column]:
    """What decides between rows with one key: the higher wins."""
    names = [column.name for column in contract.columns]
    delivered = sf.element_at(sf.split(FILE, "/"), -1)  # `ingest` begins a file's name with when it was delivered
    return [sf.col(contract.ordering), delivered, sf.xxhash64(*names)]


def _typed(source: str, kind: str) -> Column:
    text = sf.trim(sf.col(f"`{source}`").cast("string"))
    blank = sf.when(text == "", sf.lit(None).cast("string")).otherwise(text)
    return blank if kind == "STRING" else blank.try_cast(kind)


def _malformed(source: str, kind: str, name: str) -> Column:
    """The column's name if it holds something that its type does not take, else NULL."""
    text = sf.trim(sf.col(f"`{source}`").cast("string"))
    return sf.when((text != "") & _typed(source, kind).isNull(), sf.lit(name))
