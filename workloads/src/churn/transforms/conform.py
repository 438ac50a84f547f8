"""Transformations from bronze to silver: names, types and rules. No I/O."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.blanks import trimmed
from churn.core.contract import quoted
from churn.transforms.delivered import CORRUPT, ROW_ID
from churn.transforms.latest import FILE, delivery_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
OTHER_FIELDS = rf"^(_c\d+|{CORRUPT})$"  # keys under which Auto Loader may rescue such a record instead
FIRST_DAY = date(1900, 1, 1)  # no customer was born before it
DAYS = ("DATE", "TIMESTAMP")


def conform(delivered: DataFrame, contract: Contract) -> DataFrame:
    """Gives bronze rows silver's names and types.

    In a column with listed values, a text that differs from one in capitals and blanks alone is taken for that one.

    Args:
        delivered: Bronze: the contract's source columns, `_rescued_data`, `_corrupt_record`, `_file`, `_row_id`.
        contract: Of the table.

    Returns:
        The contract's columns (NULL where blank or of another type), `_malformed` (names of the columns that hold
        something of another type, or NULL), `_uneven` (whether the record has more or fewer fields than its file's
        header, so that values stand under wrong names, or is broken), `_misdated` (names of the columns with a day
        before 1900 or after the delivery, or NULL), `_conformed` (names of the columns whose text was taken for a
        listed value, or NULL), `_file`, `_row_id`, `_raw` (the row as delivered, as JSON).
    """
    typed = {column: _typed(column, contract) for column in contract.columns}
    misfits = [sf.when((_text(column) != "") & value.isNull(), column.name) for column, value in typed.items()]
    misdated = [
        sf.when(_misdated(value, column), column.name) for column, value in typed.items() if column.type in DAYS
    ]
    conformed = [sf.when(value != _text(column), column.name) for column, value in typed.items() if _listed(column)]
    rescued = sf.exists(sf.json_object_keys("_rescued_data"), lambda key: key.rlike(OTHER_FIELDS))
    return delivered.select(
        *(value.alias(column.name) for column, value in typed.items()),
        _named(misfits).alias("_malformed"),
        (sf.coalesce(rescued, sf.lit(False)) | sf.col(CORRUPT).isNotNull()).alias("_uneven"),
        _named(misdated).alias("_misdated"),
        _named(conformed).alias("_conformed"),
        FILE,
        ROW_ID,
        sf.expr(raw_row(contract)).alias("_raw"),
    )


def raw_row(contract: Contract, of: str = "") -> str:
    """SQL expression of a row of bronze as delivered, as JSON.

    Args:
        contract: Of the table.
        of: What names of columns begin with, such as `there.`.
    """
    sources = (f"{of}{quoted(column.bronze)} AS {quoted(column.source)}" for column in contract.columns)
    return f"to_json(struct({', '.join(sources)}, {of}_rescued_data, {of}{CORRUPT}))"


def accepted(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The columns that silver keeps of conformed rows; the pipeline's expectations drop the rows that break a rule."""
    names = [column.name for column in contract.columns]
    return conformed.select(*names, "_malformed", "_uneven", "_misdated", "_conformed", FILE)


def quarantined(conformed: DataFrame, contract: Contract) -> DataFrame:
    """The conformed rows that break a rule.

    Returns:
        The key's columns, `_reasons` (names of the broken rules), `_malformed`, `_raw`, `_file`, by which
        bronze.deliveries has the run that took the row in, `_row_id`, `_contract_version` (that had the rules).
    """
    reasons = broken_rules(contract)
    version = sf.lit(contract.version).alias("_contract_version")
    return conformed.where(sf.size(reasons) > 0).select(
        *contract.keys, reasons.alias("_reasons"), "_malformed", "_raw", FILE, ROW_ID, version
    )


def broken_rules(contract: Contract) -> Column:
    """Array of the names of the rules for which a conformed row is set aside."""
    return broken_conditions(contract.rules)


def broken_conditions(conditions: Mapping[str, str]) -> Column:
    """Array of the names of the conditions that a conformed row breaks."""
    broken = [
        sf.when(~sf.coalesce(sf.expr(condition), sf.lit(False)), sf.lit(name)) for name, condition in conditions.items()
    ]
    return sf.filter(sf.array(*broken), lambda name: name.isNotNull())


def _named(names: Sequence[Column]) -> Column:
    """Names that are not NULL, as one text; NULL if there is none."""
    if not names:
        return sf.lit(None).cast("string")
    present = sf.filter(sf.array(*names), lambda name: name.isNotNull())
    return sf.when(sf.size(present) > 0, sf.array_join(present, ", "))


def _source(column: Field) -> Column:
    """The value as delivered; quoted, since a dot in a bare name means a field of a struct."""
    return sf.col(quoted(column.bronze))


def _text(column: Field) -> Column:
    return trimmed(_source(column).cast("string"))


def _typed(column: Field, contract: Contract) -> Column:
    """The value, or NULL where there is none of its type."""
    text = _text(column)
    if column.type == "STRING":
        return _as_listed(sf.nullif(text, sf.lit("")), _listed(column))
    written = None if contract.typed else WRITTEN.get(column.type)
    return (sf.when(text.rlike(written), text) if written else text).try_cast(column.type)


def _listed(column: Field) -> tuple[str, ...]:
    """The values that a column of text may have; none if it may have any."""
    return tuple(map(str, column.values)) if column.type == "STRING" else ()


def _as_listed(text: Column, values: Sequence[str]) -> Column:
    """A text as the contract lists it, where capitals or blanks alone differ."""
    if not values:
        return text
    by_spelling = {" ".join(value.lower().split()): value for value in values}
    listed = sf.create_map(*(sf.lit(part) for pair in by_spelling.items() for part in pair))
    spelled = sf.regexp_replace(sf.lower(text), r"\s+", " ")
    return sf.when(text.isin(*values), text).otherwise(sf.coalesce(sf.try_element_at(listed, spelled), text))


def _misdated(value: Column, column: Field) -> Column:
    """Whether a day or moment lies before 1900 or after its delivery; a moment's day may be the next one in UTC."""
    latest = delivery_day() if column.type == "DATE" else sf.date_add(delivery_day(), 1)
    day = value.cast("date")
    return (day < sf.lit(FIRST_DAY)) | sf.coalesce(day > latest, sf.lit(False))
