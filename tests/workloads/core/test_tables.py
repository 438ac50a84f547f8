"""Every declared table: what Delta makes of the declaration, and that a table of an earlier release is written too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from churn.core.tables import LABELS, TABLES
from churn.feature_engineering.groups import FEATURES
from churn.tasks import TASKS
from tests.conftest import TEST_CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from churn.core.table import Table

ALL = (*TABLES, FEATURES)
VALUES = {
    "STRING": "'a'",
    "INT": "1",
    "BIGINT": "1",
    "DOUBLE": "0.5",
    "DATE": "DATE '2026-01-31'",
    "TIMESTAMP": "TIMESTAMP '2026-01-31 05:00:00'",
}
PART = {"STRING": "a", "INT": 1, "DATE": date(2026, 1, 31)}


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_a_declaration_says_all_and_nothing_twice(table: Table) -> None:
    assert Counter(table.column_names).most_common(1)[0][1] == 1
    assert {*table.keys, *table.part} <= {column.name for column in table.columns if not column.nullable}
    assert all(column.comment for column in table.columns)
    assert table.comment.endswith(".")
    assert table.writer in TASKS


def test_no_table_is_declared_twice() -> None:
    assert len({table.name for table in ALL}) == len(ALL)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_delta_has_what_is_declared(spark: SparkSession, table: Table) -> None:
    table = replace(table, name=f"{table.name}_declared")
    values = ", ".join(f"cast({VALUES[column.type]} AS {column.type}) AS {column.name}" for column in table.columns)
    part = [PART[column.type] for name in table.part for column in table.columns if column.name == name]
    for _ in range(2):
        table.replace(spark.sql(f"SELECT {values}"), TEST_CATALOG, *part)
    written = spark.table(f"{TEST_CATALOG}.{table.name}")
    assert written.count() == 1
    assert [(field.name, field.nullable, field.metadata["comment"]) for field in written.schema] == [
        (column.name, column.nullable, column.comment) for column in table.columns
    ]
    described = spark.sql(f"DESCRIBE TABLE EXTENDED {TEST_CATALOG}.{table.name}").collect()
    types = {row.col_name: row.data_type for row in described}
    assert {column.name: column.type.lower() for column in table.columns}.items() <= types.items()
    assert types["Comment"] == f"{table.comment} Written by the task {table.writer}."


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_null_is_refused_where_it_is_not_declared(spark: SparkSession, table: Table) -> None:
    table = replace(table, name=f"{table.name}_refused", part=())
    required = [column for column in table.columns if not column.nullable]
    missing = required[-1].name
    values = {column.name: "NULL" if column.name == missing else VALUES[column.type] for column in table.columns}
    row = ", ".join(f"cast({values[column.name]} AS {column.type}) AS {column.name}" for column in table.columns)
    with pytest.raises(Exception, match=rf"(?is)NOT.?NULL.*{missing}"):
        table.replace(spark.sql(f"SELECT {row}"), TEST_CATALOG)


def test_a_table_that_an_earlier_release_made_is_still_written(spark: SparkSession) -> None:
    table = replace(LABELS, name="gold.labels_of_an_earlier_release")
    full_name = f"{TEST_CATALOG}.{table.name}"
    older = "customer_id STRING, observation_date DATE, lead_days INT, horizon_days INT"
    spark.sql(f"CREATE TABLE {full_name} ({older}) USING DELTA").collect()
    spark.sql(f"INSERT INTO {full_name} VALUES ('a', DATE '2026-01-30', 0, 30)").collect()
    day = date(2026, 1, 31)
    rows = spark.createDataFrame([("a", day, 0, 30, 1)], f"{older}, churned INT")
    table.replace(rows, TEST_CATALOG, day, 0, 30)
    assert {(row.observation_date.day, row.churned) for row in spark.table(full_name).collect()} == {
        (30, None),
        (31, 1),
    }
