"""From bronze to silver: types, rules, quarantine, and the latest of rows that share a key."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from churn.core.contract import contract_of, file_contracts
from churn.data import telco_raw
from churn.transforms.conform import accepted, broken_rules, conform, quarantined
from churn.transforms.latest import latest
from tests.workloads.silver_rows import REPORTED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

    from churn.core.contract import Contract

CUSTOMER = contract_of("customer")
SUPPORT = contract_of("support")
OWN = ("_rescued_data", "_corrupt_record", "_file", "_row_id")  # bronze's columns beside those that are delivered
TICKET = {
    "ticket_id": "s-1",
    "customer_id": "0001-A",
    "opened_date": "2026-01-02",
    "category": "billing",
    "priority": "low",
    "resolution_hours": " 3.5 ",
}


def bronze(spark: SparkSession, *rows: dict[str, str | None]) -> DataFrame:
    """Rows of bronze; each changes the model ticket, `_file` included."""
    tickets = [{**TICKET, **dict.fromkeys(OWN), "_file": "f", "_row_id": "r", **row} for row in rows]
    schema = ", ".join(f"{name} STRING" for name in (*TICKET, *OWN))
    return spark.createDataFrame([tuple(row.values()) for row in tickets], schema)


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> dict[str, Row]:
    """Conformed tickets with the rules they break, by key."""
    rows = bronze(
        spark,
        {"ticket_id": "good"},
        {"ticket_id": "open", "resolution_hours": ""},
        {"ticket_id": "text in a number", "resolution_hours": "soon"},
        {"ticket_id": "no date", "opened_date": "31.12.2025"},
        {"ticket_id": "missing", "category": None},
        {"ticket_id": "blank", "category": "  "},
        {"ticket_id": "unknown", "priority": "urgent"},
        {"ticket_id": "two faults", "priority": None, "resolution_hours": "-1"},
        {"ticket_id": "not a number", "resolution_hours": "NaN"},
        {"ticket_id": "infinite", "resolution_hours": "Infinity"},
        {"ticket_id": "extra", "_rescued_data": '{"agent": "Kim"}'},
        {"ticket_id": "too long", "_rescued_data": '{"_c6": "5", "_file_path": "f"}'},
        {"ticket_id": "too short", "_rescued_data": '{"_corrupt_record": "s-1,0001-A", "_file_path": "f"}'},
        {"ticket_id": "broken", "_corrupt_record": "s-1,0001-A"},
        {"ticket_id": "on its day", "opened_date": "2026-01-05", "_file": delivered("2026-01-05", "a")},
        {"ticket_id": "after its day", "opened_date": "2026-01-06", "_file": delivered("2026-01-05", "a")},
        {"ticket_id": "for ever", "opened_date": "9999-12-31", "_file": delivered("2026-01-05", "a")},
        {"ticket_id": "in another century", "opened_date": "1899-12-31"},
        {"ticket_id": "at its beginning", "opened_date": "1900-01-01"},
        {"ticket_id": "spelled otherwise", "category": " Billing ", "priority": "LOW"},
    )
    conformed = conform(rows, SUPPORT)
    tickets = conformed.select("*", broken_rules(SUPPORT).alias("reasons")).collect()
    return {row.ticket_id: row for row in tickets}


@pytest.mark.parametrize(
    ("ticket", "reasons"),
    [
        ("good", []),
        ("open", []),
        ("extra", []),
        ("too long", ["has_its_fields"]),
        ("too short", ["has_its_fields"]),
        ("broken", ["has_its_fields"]),
        ("on its day", []),
        ("after its day", ["dates_are_possible"]),
        ("for ever", ["dates_are_possible"]),
        ("in another century", ["dates_are_possible"]),
        ("at its beginning", []),
        ("spelled otherwise", []),
        ("text in a number", ["values_have_their_type"]),
        ("no date", ["values_have_their_type", "opened_date_is_given"]),
        ("missing", ["category_is_given", "category_is_known"]),
        ("blank", ["category_is_given", "category_is_known"]),
        ("unknown", ["priority_is_known"]),
        ("not a number", ["values_have_their_type"]),
        ("infinite", ["values_have_their_type"]),
        ("two faults", ["priority_is_given", "priority_is_known", "resolution_is_possible"]),
    ],
)
def test_a_row_is_told_every_rule_it_breaks(judged: dict[str, Row], ticket: str, reasons: list[str]) -> None:
    assert judged[ticket].reasons == reasons


def test_values_are_typed_and_blanks_are_null(judged: dict[str, Row]) -> None:
    assert judged["good"].resolution_hours == 3.5
    assert judged["open"].resolution_hours is None
    assert judged["text in a number"]._malformed == "resolution_hours"


def test_the_row_is_kept_as_delivered(judged: dict[str, Row]) -> None:
    raw = json.loads(judged["text in a number"]._raw)
    assert raw["resolution_hours"] == "soon"
    assert json.loads(judged["extra"]._raw)["_rescued_data"] == '{"agent": "Kim"}'


def test_quarantine_takes_just_the_rows_that_silver_does_not(spark: SparkSession) -> None:
    rows = bronze(spark, {"ticket_id": "1"}, {"ticket_id": "2", "priority": "urgent"}, {"ticket_id": None})
    conformed = conform(rows, SUPPORT)
    out = quarantined(conformed, SUPPORT).collect()
    assert sorted(str(row.ticket_id) for row in out) == ["2", "None"]
    assert {reason for row in out for reason in row._reasons} == {"ticket_id_is_given", "priority_is_known"}
    assert {(row._file, row._row_id, row._contract_version) for row in out} == {("f", "r", SUPPORT.version)}
    assert accepted(conformed, SUPPORT).count() == 3  # the pipeline's expectations drop, not the function


def test_a_source_s_column_may_have_a_dot_in_its_name(spark: SparkSession) -> None:
    columns = tuple(replace(column, source=column.source.replace("_", ".")) for column in SUPPORT.columns)
    renamed = bronze(spark, {}).withColumnsRenamed({column: column.replace("_", ".") for column in TICKET})
    (row,) = conform(renamed, replace(SUPPORT, columns=columns)).collect()
    assert (row.ticket_id, row.resolution_hours, row._malformed) == ("s-1", 3.5, None)
    assert json.loads(row._raw)["ticket.id"] == "s-1"


def test_a_source_s_column_may_have_blanks_in_its_name(spark: SparkSession) -> None:
    columns = tuple(replace(column, source=column.source.replace("_", " ").title()) for column in SUPPORT.columns)
    contract = replace(SUPPORT, columns=columns)
    renamed = bronze(spark, {}).withColumnsRenamed({column: column.title() for column in TICKET})
    (row,) = conform(renamed, contract).collect()
    assert (row.ticket_id, row.resolution_hours, row._malformed) == ("s-1", 3.5, None)
    assert json.loads(row._raw)["Ticket Id"] == "s-1"


@pytest.mark.parametrize(
    ("text", "value", "conformed"),
    [
        ("Fiber optic", "Fiber optic", None),
        (" Fiber optic ", "Fiber optic", None),
        ("FIBER  Optic", "Fiber optic", "category"),
        ("dsl", "DSL", "category"),
        ("Fiber", "Fiber", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_listed_value_is_conformed(
    spark: SparkSession, text: str | None, value: str | None, conformed: str | None
) -> None:
    listed = replace_column(SUPPORT, "category", values=("DSL", "Fiber optic", "No"))
    (row,) = conform(bronze(spark, {"category": text}), listed).collect()
    assert (row.category, row._conformed, row._malformed) == (value, conformed, None)


def test_a_moment_may_be_of_the_next_day_in_utc(spark: SparkSession) -> None:
    moments = replace_column(SUPPORT, "opened_date", type="TIMESTAMP")
    days = ("2026-01-06T23:00:00Z", "2026-01-07T00:00:00Z")
    rows = bronze(spark, *({"opened_date": day, "_file": delivered("2026-01-05", "a")} for day in days))
    assert [row._misdated for row in conform(rows, moments).collect()] == [None, "opened_date"]


@pytest.mark.parametrize("contract", file_contracts(), ids=lambda contract: contract.domain)
def test_every_number_is_bounded(spark: SparkSession, contract: Contract) -> None:
    numbers = [column.name for column in contract.columns if column.type == "DOUBLE"]
    # Spark takes each for a number, and the first two of Parquet's are its highest
    texts = ("NaN", "Infinity", "-Infinity") if contract.typed else ("1e999", "-1e999")
    rows = [(*(text if c.type == "DOUBLE" else None for c in contract.columns), None, None, "f", "r") for text in texts]
    schema = ", ".join(f"`{name}` STRING" for name in (*contract.sources, *OWN))
    conformed = conform(spark.createDataFrame(rows, schema), contract)
    for row in conformed.select(*numbers, broken_rules(contract).alias("reasons")).collect():
        broken = [contract.rules[name] for name in row.reasons]
        for number in numbers:
            assert row[number] is not None
            assert any(f"{number} BETWEEN" in condition for condition in broken)


def replace_column(contract: Contract, name: str, **changed: Any) -> Contract:
    """A contract with a changed column."""
    columns = (replace(each, **changed) if each.name == name else each for each in contract.columns)
    return replace(contract, columns=tuple(columns))


def delivered(day: str, name: str) -> str:
    return f"dbfs:/Volumes/c/bronze/admitted/support/{day}/{name}.csv"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("DATE", "2026-01-05", date(2026, 1, 5)),
        ("DATE", "2026", None),
        ("DATE", "2026-01", None),
        ("DATE", "2026-01-05 or later", None),
        ("DATE", "2026-02-30", None),
        ("DOUBLE", "-1.0E-5", -1e-5),
        ("DOUBLE", ".5", 0.5),
        ("DOUBLE", "20d", None),
        ("DOUBLE", "0x1p3", None),
        ("DOUBLE", "3,5", None),
        ("INT", "-20", -20),
        ("INT", "20.0", None),
    ],
)
def test_text_is_taken_for_a_value_only_if_it_is_written_as_one(
    spark: SparkSession, kind: str, text: str, value: date | float | None
) -> None:
    columns = tuple(replace(column, type=kind) if column.name == "priority" else column for column in SUPPORT.columns)
    (row,) = conform(bronze(spark, {"priority": text}), replace(SUPPORT, columns=columns)).collect()
    assert (row.priority, row._malformed) == (value, "priority" if value is None else None)


def test_typed_values_keep_theirs(spark: SparkSession) -> None:
    """Parquet's: a day, a moment, small and large numbers, and those without a fraction."""
    bills = contract_of("transactions")
    days = [date(2026, 1, 5), datetime(2026, 1, 5, 12, 30, tzinfo=UTC)]
    for day, kind in zip(days, ("DATE", "TIMESTAMP"), strict=True):
        amounts: list[Any] = [1.0e-5, 1.0e9, 20.0]
        rows = [(str(amount), "a", day, amount, "paid", None, None, "f", "r") for amount in amounts]
        schema = f"transaction_id STRING, customer_id STRING, transaction_date {kind}, amount DOUBLE, status STRING"
        own = ", ".join(f"{name} STRING" for name in OWN)
        typed = conform(spark.createDataFrame(rows, f"{schema}, {own}"), bills).collect()
        assert [row.amount for row in typed] == amounts
        assert {(row.transaction_date, row._malformed) for row in typed} == {(date(2026, 1, 5), None)}


def test_the_last_reported_then_the_last_delivered_wins(spark: SparkSession) -> None:
    early, late = "20260103T050000000-a-ffffffff", "20260103T050000001-a-00000000"
    rows = bronze(
        spark,
        {"ticket_id": "moved back", "opened_date": "2026-02-09", "_file": delivered("2026-01-02", early)},
        {"ticket_id": "moved back", "priority": "high", "_file": delivered("2026-01-03", late)},
        {"ticket_id": "day", "priority": "high", "_file": delivered("2026-01-03", early)},
        {"ticket_id": "day", "_file": delivered("2026-01-02", late)},
        {"ticket_id": "file", "_file": delivered("2026-01-03", early)},
        {"ticket_id": "file", "priority": "high", "_file": delivered("2026-01-03", late)},
        {"ticket_id": "same"},
        {"ticket_id": "same"},
    )
    versions = accepted(conform(rows, SUPPORT), SUPPORT)
    winners = latest(versions, SUPPORT).collect()
    others = {"moved back": "high", "day": "high", "file": "high", "same": "low"}
    assert {row.ticket_id: row.priority for row in winners} == others
    assert len(winners) == len(others)
    by_date = latest(versions, replace(SUPPORT, ordering="opened_date")).collect()
    assert {row.ticket_id: row.priority for row in by_date} == {**others, "moved back": "low", "day": "low"}


def test_of_a_past_day_only_what_was_reported_by_then_is_known(spark: SparkSession) -> None:
    second, third = delivered("2026-01-02", "b"), delivered("2026-01-03", "a")
    rows = bronze(
        spark,
        {"ticket_id": "changed", "_file": second},
        {"ticket_id": "changed", "priority": "high", "_file": third},
        {"ticket_id": "history", "_file": third},
        {"ticket_id": "history", "priority": "high", "_file": delivered("2026-01-04", "a")},
        {"ticket_id": "of no day", "_file": "dbfs:/Volumes/c/bronze/admitted/support/a.csv"},
    )
    versions = accepted(conform(rows, SUPPORT), SUPPORT)

    def known(day: int) -> dict[str, str]:
        return {row.ticket_id: row.priority for row in latest(versions, SUPPORT, date(2026, 1, day)).collect()}

    assert known(2) == {"changed": "low", "history": "low", "of no day": "low"}
    assert known(3) == {"changed": "high", "history": "low", "of no day": "low"}
    assert known(4) == {"changed": "high", "history": "high", "of no day": "low"}


def test_only_telco_s_new_customers_may_have_no_total(spark: SparkSession) -> None:
    frame = telco_raw().drop(columns="Churn").assign(**REPORTED, AsOf="2026-01-31")
    # the same blank with a customer who was billed is a fault
    billed = frame[frame["tenure"] == "72"].head(1).assign(customerID="billed", TotalCharges=" ")
    rows = [tuple(row) for part in (frame, billed) for row in part[CUSTOMER.sources].itertuples(index=False)]
    schema = ", ".join((CUSTOMER.delivered_schema("csv"), *(f"{name} STRING" for name in OWN)))
    delivered = spark.createDataFrame([(*row, None, None, "f", "r") for row in rows], schema)
    conformed = conform(delivered, CUSTOMER).select("*", broken_rules(CUSTOMER).alias("reasons"))
    blank = conformed.where("total_charges IS NULL").select("customer_id", "tenure_months", "reasons").collect()
    assert sorted({row.tenure_months for row in blank}) == [0, 72]
    assert len(blank) == 12
    assert {row.customer_id: row.reasons for row in blank if row.reasons} == {"billed": ["total_charges_unless_new"]}
    assert conformed.where("size(reasons) > 0").count() == 1
