"""How runs write their parts of a table, and what becomes of older parts when the table gets a column more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from churn.core.tables import Table
from tests.conftest import TEST_CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
VISITS = Table("gold.visits", "id INT NOT NULL COMMENT 'number, of a visit', date DATE NOT NULL")
LONGER = replace(VISITS, columns=f"{VISITS.columns}, minutes DOUBLE NOT NULL COMMENT 'since the door opened'")


def test_a_further_column_is_null_in_older_parts(spark: SparkSession) -> None:
    first = spark.createDataFrame([(FIRST, 9, 1)], "date DATE, chance INT, id INT")
    VISITS.replace(first, TEST_CATALOG, FIRST)
    full_name = f"{TEST_CATALOG}.{VISITS.name}"
    assert spark.table(full_name).columns == ["id", "date"], "a column that is not declared stays out"

    for number in (2, 3):  # the second time it replaces what the first wrote
        second = spark.createDataFrame([(SECOND, number, 0.5)], "date DATE, id INT, minutes DOUBLE")
        LONGER.replace(second, TEST_CATALOG, SECOND)
    assert {tuple(row) for row in spark.table(full_name).collect()} == {(1, FIRST, None), (3, SECOND, 0.5)}
