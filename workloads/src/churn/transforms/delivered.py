"""Delivered files as Auto Loader reads them into bronze: options, schema and columns of each format. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from churn.core.contract import Column as Field
    from churn.core.contract import Contract

RESCUED = "_rescued_data"
ROW_ID = "_row_id"
CORRUPT = "_corrupt_record"  # in which Spark keeps the text of a record that is broken, too long or too short
MOMENT = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"
CSV = {
    "header": "true",
    "escape": '"',  # a quote within quotes is doubled: the default is a backslash
    "multiLine": "true",  # a quoted value may hold a line feed: admission counts such a record once
}


def options(contract: Contract, format_: str) -> dict[str, str]:
    """Options of the reader of one format of a contract's files.

    The files of a contract with several formats lie together, and their suffixes tell them apart.
    """
    several = {"pathGlobFilter": f"*.{format_}"} if len(contract.formats) > 1 else {}
    return {
        "cloudFiles.format": format_,
        "cloudFiles.schemaEvolutionMode": "rescue",
        "rescuedDataColumn": RESCUED,
        **(CSV if format_ == "csv" else {}),
        **several,
    }


def schema(contract: Contract, format_: str) -> str:
    """Schema of the reader of one format; of text, the record that is none has a column too."""
    columns = contract.delivered_schema(format_)
    return columns if format_ == "parquet" else f"{columns}, {CORRUPT} STRING"


def bronze_rows(read: DataFrame, contract: Contract, format_: str) -> DataFrame:
    """Columns of bronze.

    Args:
        read: What Auto Loader read, with `_metadata`.
        contract: Of the table.
        format_: Of the files.

    Returns:
        The contract's columns under their names in bronze, `_rescued_data`, `_corrupt_record`, `_file`,
        `_delivered_at`, and `_row_id`, by which a row that silver sets aside is repaired once: drawn at random, since
        one that is made from the row would tell of its values, and kept, since bronze is never rebuilt.
    """
    as_text = format_ == "parquet" and not contract.typed
    value = _as_text if as_text else _of_json if format_ == "json" else _source
    corrupt = sf.lit(None).cast("string") if format_ == "parquet" else sf.col(CORRUPT)
    return read.select(
        *(value(each).alias(each.bronze) for each in contract.columns),
        RESCUED,
        corrupt.alias(CORRUPT),
        sf.col("_metadata.file_path").alias("_file"),
        sf.col("_metadata.file_modification_time").alias("_delivered_at"),
        sf.expr("uuid()").alias(ROW_ID),
    )


def _source(column: Field) -> Column:
    """The value as read; quoted, since a dot in a bare name means a field of a struct."""
    return sf.col(quoted(column.source))


def _of_json(column: Field) -> Column:
    """A value of JSON as text; where Auto Loader rescues a number that is due as text, it is taken from there."""
    if "'" in column.source:  # which no path can name
        return _source(column)
    return sf.coalesce(_source(column), sf.get_json_object(RESCUED, f"$['{column.source}']"))


def _as_text(column: Field) -> Column:
    """A typed value as text files write it."""
    if column.type == "TIMESTAMP":
        return sf.date_format(sf.to_utc_timestamp(_source(column), sf.current_timezone()), MOMENT)
    return _source(column).cast("string")
