"""Rows of silver tables for tests: reports of customers, and rows of any domain."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from churn.core.contract import Contract, file_contracts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BY_DOMAIN = {contract.domain: contract for contract in file_contracts()}
OBSERVED = date(2026, 3, 31)
CUSTOMER = {
    **{column.name: "No" for column in BY_DOMAIN["customer"].columns if column.type == "STRING"},
    "senior_citizen": 0,
    "tenure_months": 2,
    "monthly_charges": 20.0,
    "total_charges": 40.0,
    "signup_date": date(2026, 1, 15),
    "churn_date": None,
    "as_of": date(2026, 3, 20),
}
# What a delivered row of a customer has beside Telco's columns, by the names that files have.
REPORTED = {
    "FullName": "Ada Aldermoor",
    "Email": "ada.aldermoor1@example.com",
    "Phone": "+1 201 555-0100",
    "BirthDate": "1980-02-29",
    "Street": "1 Elm Street",
    "City": "Norvik Bay",
    "Region": "North",
    "Postcode": "02001",
    "Plan": "Basic",
    "Status": "active",
    "SignupDate": "2025-01-01",
    "ChurnDate": "",
}


def table(spark: SparkSession, contract: Contract, *rows: dict[str, Any]) -> DataFrame:
    """Rows of a silver table, with `_file`; what a row does not give is NULL."""
    schema = ", ".join(f"{column.name} {column.type}" for column in contract.columns) + ", _file STRING"
    names = [*(column.name for column in contract.columns), "_file"]
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], schema)


def customers(spark: SparkSession, **changes: dict[str, Any]) -> DataFrame:
    """Reports of customers by id; an id may be followed by `__` and a number for a further report."""
    rows = [{**CUSTOMER, "customer_id": key.split("__")[0], "_file": "f", **change} for key, change in changes.items()]
    return table(spark, BY_DOMAIN["customer"], *rows)
