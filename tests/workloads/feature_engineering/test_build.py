"""Features, point in time: nothing dated or reported after the observation date is known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from churn.feature_engineering.build import active_customers, build, known_customers
from churn.feature_engineering.groups import COLUMNS
from tests.workloads.silver_rows import BY_DOMAIN, OBSERVED, customers, table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def built(spark: SparkSession) -> dict[str, Row]:
    """Features by customer: `a` has rows in and out of every window, `silent` has none."""

    def rows(domain: str, dated: str, *days: date, **values: Any) -> DataFrame:
        contract = BY_DOMAIN[domain]
        key = contract.keys[0]
        records = [{key: str(n), "customer_id": "a", dated: day, "_file": "f", **values} for n, day in enumerate(days)]
        return table(spark, contract, *records)

    ago = [OBSERVED - timedelta(days=number) for number in (0, 6, 7, 29, 30, 59, 60, 89, 90)]
    future = OBSERVED + DAY
    changes = customers(
        spark,
        a={},
        a__2={"as_of": future, "contract": "Two year", "churn_date": future},
        silent={},
        left={"churn_date": OBSERVED},
        unborn={"signup_date": future},
    )
    known = known_customers(changes, OBSERVED)
    frame = build(
        active_customers(known, OBSERVED),
        transactions=rows("transactions", "transaction_date", *ago, future, amount=10.0, status="late"),
        support=rows("support", "opened_date", *ago, future),
        marketing=rows("marketing", "touch_date", *ago, future, responded=True),
        usage=rows("usage", "event_date", *ago, future),
        observed=OBSERVED,
    )
    return {row.customer_id: row for row in frame.collect()}


def test_only_active_customers_have_features(built: dict[str, Row]) -> None:
    assert set(built) == {"a", "silent"}


def test_windows_end_with_the_observation_date_and_hold_their_days(built: dict[str, Row]) -> None:
    row = built["a"]
    counts = (row.events_7d, row.events_30d, row.tickets_30d, row.tickets_90d, row.late_payments_90d)
    assert counts == (2, 4, 4, 8, 8)
    assert row.campaign_responses_90d == 8
    assert row.usage_trend == (4 + 1) / (2 + 1)


def test_what_was_reported_later_is_not_known(built: dict[str, Row]) -> None:
    assert built["a"].contract == "No"


def test_tenure_and_total_are_those_of_the_observation_date(built: dict[str, Row]) -> None:
    row = built["a"]
    assert row.tenure_months == 2
    assert row.total_charges == 40.0 + 3 * 10.0  # three bills after the report of 20 March


def test_bills_add_up_to_the_cent_in_any_order(spark: SparkSession) -> None:
    bill = {"customer_id": "new", "transaction_date": OBSERVED, "status": "paid", "_file": "f"}
    bills = [{**bill, "transaction_id": str(amount), "amount": amount} for amount in (0.1, 0.2)]
    empty = {domain: table(spark, BY_DOMAIN[domain]) for domain in ("support", "marketing", "usage")}
    frame = build(
        customers(spark, new={"total_charges": None}),
        transactions=table(spark, BY_DOMAIN["transactions"], *bills),
        observed=OBSERVED,
        **empty,
    )
    assert [row.total_charges for row in frame.collect()] == [0.3]  # doubles would give 0.30000000000000004


def test_of_each_row_what_was_reported_by_the_observation_date_is_read(spark: SparkSession) -> None:
    later = OBSERVED + 3 * DAY
    bill = {"customer_id": "a", "transaction_date": OBSERVED, "amount": 10.0, "status": "late"}
    ticket = {"customer_id": "a", "opened_date": OBSERVED - DAY}

    def reported(domain: str, day: date) -> dict[str, str]:
        return {"_file": f"dbfs:/Volumes/c/bronze/admitted/{domain}/{day}/a"}

    bills = [
        {**bill, "transaction_id": "paid later", **reported("transactions", OBSERVED)},
        {**bill, "transaction_id": "paid later", **reported("transactions", later), "status": "paid", "amount": 70.0},
        {**bill, "transaction_id": "history", **reported("transactions", later)},
        {**bill, "transaction_id": "of later", **reported("transactions", later), "transaction_date": later},
    ]
    tickets = [
        {**ticket, "ticket_id": "moved out", **reported("support", OBSERVED - DAY)},
        {**ticket, "ticket_id": "moved out", **reported("support", OBSERVED), "opened_date": date(2025, 1, 1)},
        {**ticket, "ticket_id": "moved in", **reported("support", OBSERVED - DAY), "opened_date": date(2025, 1, 1)},
        {**ticket, "ticket_id": "moved in", **reported("support", OBSERVED)},
    ]
    frame = build(
        customers(spark, a={}),
        transactions=table(spark, BY_DOMAIN["transactions"], *bills),
        support=table(spark, BY_DOMAIN["support"], *tickets),
        marketing=table(spark, BY_DOMAIN["marketing"]),
        usage=table(spark, BY_DOMAIN["usage"]),
        observed=OBSERVED,
    )
    (row,) = frame.collect()
    assert (row.late_payments_90d, row.total_charges, row.tickets_90d) == (2, 40.0 + 2 * 10.0, 1)


def test_a_silent_customer_has_zeros(built: dict[str, Row]) -> None:
    row = built["silent"]
    assert (row.events_30d, row.tickets_90d, row.late_payments_90d, row.usage_trend) == (0, 0, 0, 1.0)
    assert row.total_charges == 40.0


def test_the_columns_are_those_that_models_expect(built: dict[str, Row]) -> None:
    assert tuple(built["a"].asDict()) == (
        "customer_id",
        "observation_date",
        *COLUMNS.categorical,
        *COLUMNS.numeric,
    )


def test_the_values_of_all_features_are_those_that_every_release_has_built(built: dict[str, Row]) -> None:
    assert built["a"].asDict() == {
        "customer_id": "a",
        "observation_date": OBSERVED,
        "gender": "No",
        "partner": "No",
        "dependents": "No",
        "phone_service": "No",
        "multiple_lines": "No",
        "internet_service": "No",
        "online_security": "No",
        "online_backup": "No",
        "device_protection": "No",
        "tech_support": "No",
        "streaming_tv": "No",
        "streaming_movies": "No",
        "contract": "No",
        "paperless_billing": "No",
        "payment_method": "No",
        "senior_citizen": 0,
        "tenure_months": 2,
        "monthly_charges": 20.0,
        "total_charges": 70.0,
        "late_payments_90d": 8,
        "tickets_30d": 4,
        "tickets_90d": 8,
        "campaign_responses_90d": 8,
        "events_7d": 2,
        "events_30d": 4,
        "usage_trend": 5 / 3,
    }
    assert [type(value) for value in built["silent"][-11:]] == [int, int, float, float, *[int] * 6, float]
