"""Rules across rows and tables: keys once, references to rows that exist, events of a session in order. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as sf

from churn.core.contract import Contract
from churn.core.contract_checks import KEYS, ORDER, REFERENCES, SESSION
from churn.core.frames import together
from churn.quality.feeds import judged_days
from churn.streaming.events import STREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from pyspark.sql import Column, DataFrame

    Read = Callable[[str], DataFrame]  # a table, by its name as schema.table

SAMPLED = 5  # keys that are kept of the rows that break a rule
EVENT_DAY = "event_date"  # of silver.events, by which its files are clustered


def day_column(contract: Contract) -> str | None:
    """Column with the day of a row; None where rows have none."""
    return EVENT_DAY if contract.topic else contract.service.dated


def broken(read: Read, contracts: Sequence[Contract], day: date) -> DataFrame:
    """Rows that break a rule, of the days that may have come with this run.

    Tables are looked at together: each rule is one aggregate or one join, however many tables have it.

    Args:
        read: Gives a table.
        contracts: Of the tables.
        day: The logical date.

    Returns:
        For each table and check that has such rows, a few lines: `table`, `check_name`, `rows` (number of such rows)
        and `key` (of one of them). The numbers of a check's lines add up.
    """
    windows = [(contract, _window(read(contract.table), contract, day)) for contract in contracts]
    found = [
        (KEYS, repeated([_named(rows, contract) for contract, rows in windows if KEYS in contract.checks])),
        *((REFERENCES, unreferred(rows, others)) for rows, others in _references(read, windows)),
        *((ORDER, _named(disordered(rows), contract)) for contract, rows in windows if ORDER in contract.checks),
    ]
    every = together([rows.select("table", sf.lit(check).alias("check_name"), "key") for check, rows in found])
    part = sf.pmod(sf.xxhash64("key"), sf.lit(SAMPLED))
    return (
        every.groupBy("table", "check_name", part)
        .agg(sf.count("*").alias("rows"), sf.min("key").alias("key"))
        .select("table", "check_name", "rows", "key")
    )


def repeated(tables: Sequence[DataFrame]) -> DataFrame:
    """Keys that rows have more than once: `table` and `key`, one row each.

    Args:
        tables: Rows with `table` and `key`.
    """
    rows = together([each.select("table", "key") for each in tables])
    return rows.groupBy("table", "key").agg(sf.count("*").alias("_rows")).where("_rows > 1").select("table", "key")


def unreferred(rows: DataFrame, others: DataFrame) -> DataFrame:
    """Rows that refer to a row which is not there; NULL refers to none.

    Args:
        rows: `table`, `key` and `value`, by which they refer to another row.
        others: `value`, the keys that are there.
    """
    return rows.where(sf.col("value").isNotNull()).join(others.distinct(), "value", "left_anti").select("table", "key")


def _references(read: Read, windows: Sequence[tuple[Contract, DataFrame]]) -> list[tuple[DataFrame, DataFrame]]:
    """Rows with the value by which they refer to another table, and that table's keys, for each such table."""
    by_target: dict[str, list[DataFrame]] = {}
    for contract, rows in windows:
        if REFERENCES in contract.checks:
            for column in contract.columns:
                for target in column.refers_to:
                    by_target.setdefault(target, []).append(_named(rows, contract, _text(column.name)))
    return [
        (together(rows), read(f"silver.{target.partition('.')[0]}").select(_text(target.partition(".")[2])))
        for target, rows in by_target.items()
    ]


def disordered(events: DataFrame) -> DataFrame:
    """Events of the stream that happened before one of their session that the broker had earlier.

    A partition keeps the order in which messages were sent, and a session is in one partition. So such an event was
    sent out of order, or the device's clock was set back.
    """
    of_session = Window.partitionBy(SESSION, "_partition").orderBy("_offset")
    latest_before = sf.max("event_time").over(of_session.rowsBetween(Window.unboundedPreceding, -1))
    sent = events.where((sf.col("_source") == STREAM) & sf.col(SESSION).isNotNull())
    return sent.select("*", latest_before.alias("_latest_before")).where("event_time < _latest_before")


def _window(rows: DataFrame, contract: Contract, day: date) -> DataFrame:
    """Rows of the days that are judged; all where rows have no day."""
    column = day_column(contract)
    if column is None:
        return rows
    return rows.where(sf.to_date(column).between(sf.lit(judged_days(contract, day)[-1]), sf.lit(day)))


def _named(rows: DataFrame, contract: Contract, *columns: Column) -> DataFrame:
    """`table` and `key` of rows, and further columns."""
    key = sf.concat_ws(", ", *(sf.col(name).cast("string") for name in contract.keys))
    return rows.select(sf.lit(contract.domain).alias("table"), key.alias("key"), *columns)


def _text(name: str) -> Column:
    return sf.col(name).cast("string").alias("value")
