"""From bronze to silver: types, rules, quarantine, and the latest of rows that share a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from churn.conform import accepted, broken_rules, conform, latest, quarantined
from churn.contract import contracts
from churn.data import telco_raw

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

    from churn.contract import Contract

CUSTOMER = next(contract for contract in contracts() if contract.domain == "customer")
SUPPORT = next(contract for contract in contracts() if contract.domain == "support")
TICKET = {
    "ticket_id": "s-1",
    "customer_id": "0001-A",
    "opened_date": "2026-01-02",
    "category": "billing",
    "priority": "low",
    "resolution_hours": " 3.5 ",
}


def bronze(spark: SparkSession, *rows: dict[str, str | None]) -> DataFrame:
    """Rows as cloudFiles delivers them; each changes the model ticket, `_file` included."""
    given = [{**TICKET, "_rescued_data": None, "_file": "f", **row} for row in rows]
    schema = ", ".join(f"{name} STRING" for name in (*TICKET, "_rescued_data", "_file"))
    return spark.createDataFrame([tuple(row.values()) for row in given], schema)


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
    )
    conformed = conform(rows, SUPPORT)
    found = conformed.select("*", broken_rules(SUPPORT).alias("reasons")).collect()
    return {row.ticket_id: row for row in found}


@pytest.mark.parametrize(
    ("ticket", "reasons"),
    [
        ("good", []),
        ("open", []),
        ("extra", []),
        ("text in a number", ["values_have_their_type"]),
        ("no date", ["values_have_their_type", "opened_date_is_given"]),
        ("missing", ["category_is_given", "category_is_known"]),
        ("blank", ["category_is_given", "category_is_known"]),
        ("unknown", ["priority_is_known"]),
        ("not a number", ["resolution_is_possible"]),
        ("infinite", ["resolution_is_possible"]),
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
    assert accepted(conformed, SUPPORT).count() == 3  # the pipeline's expectations drop, not the function


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.domain)
def test_every_number_is_bounded(spark: SparkSession, contract: Contract) -> None:
    numbers = [column.name for column in contract.columns if column.type == "DOUBLE"]
    texts = ("NaN", "Infinity", "-Infinity")  # Spark takes each for a number, and the first two are its highest
    rows = [(*(text if c.type == "DOUBLE" else None for c in contract.columns), None, "f") for text in texts]
    schema = ", ".join(f"`{name}` STRING" for name in (*contract.sources, "_rescued_data", "_file"))
    conformed = conform(spark.createDataFrame(rows, schema), contract)
    for row in conformed.select(*numbers, broken_rules(contract).alias("reasons")).collect():
        broken = [contract.quality.get(name, "") for name in row.reasons]
        for number in numbers:
            assert row[number] is not None
            assert any(f"{number} BETWEEN" in condition for condition in broken)


def test_the_latest_by_date_then_by_delivery_wins(spark: SparkSession) -> None:
    rows = bronze(
        spark,
        {"ticket_id": "date", "opened_date": "2026-01-03", "priority": "high"},
        {"ticket_id": "date", "opened_date": "2026-01-02", "_file": "z"},
        {"ticket_id": "file", "_file": "landing/2026-01-03/20260103T050000000-a-ffffffff.csv"},
        {"ticket_id": "file", "_file": "landing/2026-01-02/20260103T050000001-a-00000000.csv", "priority": "high"},
        {"ticket_id": "same"},
        {"ticket_id": "same"},
    )
    winners = latest(accepted(conform(rows, SUPPORT), SUPPORT), SUPPORT).collect()
    assert {row.ticket_id: row.priority for row in winners} == {"date": "high", "file": "high", "same": "low"}
    assert len(winners) == 3


def test_only_telco_s_new_customers_may_have_no_total(spark: SparkSession) -> None:
    frame = telco_raw().drop(columns="Churn").assign(SignupDate="2026-01-01", ChurnDate="", AsOf="2026-01-31")
    # the same blank with a customer who was billed is a fault
    billed = frame[frame["tenure"] == "72"].head(1).assign(customerID="billed", TotalCharges=" ")
    rows = [tuple(row) for part in (frame, billed) for row in part[CUSTOMER.sources].itertuples(index=False)]
    schema = f"{CUSTOMER.delivered_schema}, _rescued_data STRING, _file STRING"
    delivered = spark.createDataFrame([(*row, None, "f") for row in rows], schema)
    conformed = conform(delivered, CUSTOMER).select("*", broken_rules(CUSTOMER).alias("reasons"))
    blank = conformed.where("total_charges IS NULL").select("customer_id", "tenure_months", "reasons").collect()
    assert sorted({row.tenure_months for row in blank}) == [0, 72]
    assert len(blank) == 12
    assert {row.customer_id: row.reasons for row in blank if row.reasons} == {"billed": ["total_charges_unless_new"]}
    assert conformed.where("size(reasons) > 0").count() == 1
