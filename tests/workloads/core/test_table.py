"""Parts of a table as runs write them, also when the table has a column more or less than older parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from churn.core.table import Column, Table
from tests.conftest import TEST_CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
VISITS = Table(
    "gold.visits",
    "One row a visit; it isn't long.",
    (Column("id", "INT", "number, of a visit"), Column("date", "DATE", "day of the visit")),
    keys=("id",),
    part=("date",),
    writer="score",
)
MINUTES = Column("minutes", "DOUBLE", "since the door opened", nullable=True)
LONGER = replace(VISITS, columns=(*VISITS.columns, MINUTES))


def test_a_further_column_is_null_in_older_parts(spark: SparkSession) -> None:
    first = spark.createDataFrame([(FIRST, 9, 1)], "date DATE, chance INT, id INT")
    VISITS.replace(first, TEST_CATALOG, FIRST)
    full_name = f"{TEST_CATALOG}.{VISITS.name}"
    assert spark.table(full_name).columns == ["id", "date"], "a column that is not declared stays out"

    for number in (2, 3):  # the second time it replaces what the first wrote
        second = spark.createDataFrame([(SECOND, number, 0.5)], "date DATE, id INT, minutes DOUBLE")
        LONGER.replace(second, TEST_CATALOG, SECOND)
    assert {tuple(row) for row in spark.table(full_name).collect()} == {(1, FIRST, None), (3, SECOND, 0.5)}

    third = spark.createDataFrame([(THIRD, 4)], "date DATE, id INT")
    VISITS.replace(third, TEST_CATALOG, THIRD)
    assert {tuple(row) for row in spark.table(full_name).where("id > 2").collect()} == {
        (3, SECOND, 0.5),
        (4, THIRD, None),
    }, "a column that is no longer declared is NULL in later parts"


def test_a_row_of_another_part_is_refused(spark: SparkSession) -> None:
    table = replace(VISITS, name="gold.visits_of_a_day")
    rows = spark.createDataFrame([(SECOND, 1)], "date DATE, id INT")
    with pytest.raises(Exception, match=r"(?i)replaceWhere"):
        table.replace(rows, TEST_CATALOG, FIRST)


def test_a_table_without_parts_is_replaced_whole_and_keeps_its_columns(spark: SparkSession) -> None:
    table = replace(VISITS, name="gold.visits_in_all", part=())
    for number in (1, 2):
        table.replace(spark.createDataFrame([(FIRST, number)], "date DATE, id INT"), TEST_CATALOG)
    kept = spark.table(f"{TEST_CATALOG}.{table.name}")
    assert [tuple(row) for row in kept.collect()] == [(2, FIRST)]
    assert [field.nullable for field in kept.schema] == [False, False]


def test_a_condition_names_every_column_of_the_part() -> None:
    table = replace(VISITS, part=("date", "id"))
    assert table.condition(FIRST, 7) == "date = '2026-01-01' AND id = 7"
    with pytest.raises(ValueError, match="shorter"):
        table.condition(FIRST)
