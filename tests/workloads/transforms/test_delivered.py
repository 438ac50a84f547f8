"""From Auto Loader to bronze: names that Delta takes, and values of any format as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn.core.contract import contract_of, file_contracts
from churn.transforms.conform import conform
from churn.transforms.delivered import CSV, bronze_rows, options, schema

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from churn.core.contract import Contract

SUPPORT = contract_of("support")
METADATA = "_metadata STRUCT<file_path: STRING, file_modification_time: TIMESTAMP>"
MOMENT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)


def test_names_that_delta_refuses_come_through(spark: SparkSession, tmp_path: Path) -> None:
    sources = ("Ticket ID", "Customer;ID", "Opened (day)", "{Category}", "Priority=", "`Hours`")
    columns = (replace(each, source=source) for each, source in zip(SUPPORT.columns, sources, strict=True))
    contract = replace(SUPPORT, columns=tuple(columns), formats=("csv",))
    (tmp_path / "a.csv").write_text(f"{','.join(sources)}\ns-1,a,2026-01-02,billing,low,3.5\n")
    read = spark.read.options(**CSV).schema(schema(contract, "csv")).csv((tmp_path / "a.csv").as_uri())
    rows = read.select("*", sf.lit(None).cast("string").alias("_rescued_data"), "_metadata")
    bronze_rows(rows, contract, "csv").write.format("delta").save((tmp_path / "bronze").as_uri())
    (row,) = conform(spark.read.format("delta").load((tmp_path / "bronze").as_uri()), contract).collect()
    assert (row.ticket_id, row.opened_date, row.resolution_hours) == ("s-1", date(2026, 1, 2), 3.5)
    assert '"Opened (day)":"2026-01-02"' in row._raw
    assert len(row._row_id) == 36


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_bronze_is_text_whatever_the_format(spark: SparkSession, format_: str) -> None:
    contract = with_moments(replace(SUPPORT, formats=("csv", "json", "parquet")))
    moment = MOMENT if format_ == "parquet" else "2026-01-05T12:30:00Z"
    hours = 1e-5 if format_ == "parquet" else None if format_ == "json" else "0.00001"
    rescued = '{"resolution_hours": 1.0E-5}' if format_ == "json" else None
    corrupt = [] if format_ == "parquet" else [None]
    values = ("s", "a", moment, "billing", "low", hours, *corrupt, rescued, ("f", MOMENT))
    read = spark.createDataFrame([values], f"{schema(contract, format_)}, _rescued_data STRING, {METADATA}")
    bronze = bronze_rows(read, contract, format_)
    assert {kind for name, kind in bronze.dtypes if name != "_delivered_at"} == {"string"}
    (row,) = conform(bronze, contract).collect()
    assert (row.opened_date.astimezone(UTC), row.resolution_hours, row._malformed) == (MOMENT, 1e-5, None)


def test_parquet_alone_keeps_its_types(spark: SparkSession) -> None:
    bills = contract_of("transactions")
    read = spark.createDataFrame([], f"{schema(bills, 'parquet')}, _rescued_data STRING, {METADATA}")
    types = dict(bronze_rows(read, bills, "parquet").dtypes)
    assert (types["transaction_date"], types["amount"]) == ("date", "double")


def test_files_of_several_formats_are_told_apart_by_their_suffix() -> None:
    assert options(SUPPORT, "json")["pathGlobFilter"] == "*.json"
    assert "pathGlobFilter" not in options(contract_of("customer"), "csv")


def test_columns_of_today_have_their_names_in_bronze() -> None:
    assert all(column.bronze == column.source for contract in file_contracts() for column in contract.columns)


def with_moments(contract: Contract) -> Contract:
    """A contract whose day is a moment."""
    columns = (replace(each, type="TIMESTAMP") if each.type == "DATE" else each for each in contract.columns)
    return replace(contract, columns=tuple(columns))
