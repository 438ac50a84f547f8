"""Transformations from bronze to silver: names, types and rules. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.transforms.latest import FILE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Column as Field
    from churn.core.contract import Contract

# How a text file or a message writes a value: a cast alone takes `2026` for a date, `20d` and `NaN` for numbers.
WRITTEN = {
    "DATE": r"^\d{4}-\d{2}-\d{2}$",
    "DOUBLE": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$",
    "INT": r"^[+-]?\d+$",
    "TIMESTAMP": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$",  # in UTC
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


def broken_rules(contract: Contract) -> Column:
    """Array of the names of the rules that a conformed row breaks."""
    broken = [
        sf.when(~sf.coalesce(sf.expr(condition), sf.lit(False)), sf.lit(name))
        for name, condition in contract.rules.items()
    ]
    return sf.filter(sf.array(*broken), lambda name: name.isNotNull())


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
