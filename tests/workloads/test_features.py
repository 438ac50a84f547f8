"""Features and labels, point in time: nothing dated after the observation date, and labels only of the window."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from churn.core.contract import Contract, contracts
from churn.core.label_window import LabelWindow
from churn.feature_engineering import groups as features
from churn.feature_engineering import labels

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

BY_DOMAIN = {contract.domain: contract for contract in contracts()}
OBSERVED = date(2026, 3, 31)
LEAD, HORIZON = 7, 30
WINDOW = LabelWindow(LEAD, HORIZON, 0)
DAY = timedelta(days=1)
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


def table(spark: SparkSession, contract: Contract, *rows: dict[str, Any]) -> DataFrame:
    """Rows of a silver table, with `_file`; what a row does not give is NULL."""
    schema = ", ".join(f"{column.name} {column.type}" for column in contract.columns) + ", _file STRING"
    names = [*(column.name for column in contract.columns), "_file"]
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], schema)


def customers(spark: SparkSession, **changes: dict[str, Any]) -> DataFrame:
    """Reports of customers by id; an id may be followed by `__` and a number for a further report."""
    rows = [{**CUSTOMER, "customer_id": key.split("__")[0], "_file": "f", **change} for key, change in changes.items()]
    return table(spark, BY_DOMAIN["customer"], *rows)


@pytest.fixture(scope="module")
def built(spark: SparkSession) -> dict[str, Row]:
    """Features by customer: `a` has rows in and out of every window, `silent` has none."""

    def rows(domain: str, dated: str, *days: date, **values: Any) -> DataFrame:
        contract = BY_DOMAIN[domain]
        key = contract.keys[0]
        given = [{key: str(n), "customer_id": "a", dated: day, "_file": "f", **values} for n, day in enumerate(days)]
        return table(spark, contract, *given)

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
    known = features.known_customers(changes, OBSERVED)
    frame = features.build(
        features.active_customers(known, OBSERVED),
        transactions=rows("transactions", "transaction_date", *ago, future, amount=10.0, status="late"),
        support=rows("support", "opened_date", *ago, future),
        marketing=rows("marketing", "touch_date", *ago, future, responded=True),
        events=rows("events", "event_date", *ago, future),
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
    empty = {domain: table(spark, BY_DOMAIN[domain]) for domain in ("support", "marketing", "events")}
    frame = features.build(
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
    frame = features.build(
        customers(spark, a={}),
        transactions=table(spark, BY_DOMAIN["transactions"], *bills),
        support=table(spark, BY_DOMAIN["support"], *tickets),
        marketing=table(spark, BY_DOMAIN["marketing"]),
        events=table(spark, BY_DOMAIN["events"]),
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
        *features.CATEGORICAL,
        *features.NUMERIC,
    )


def test_labels_look_from_the_lead_to_the_horizon(spark: SparkSession) -> None:
    begin = OBSERVED + timedelta(days=LEAD)
    end = begin + timedelta(days=HORIZON)
    known = customers(
        spark,
        stays={},
        before_the_window={"churn_date": begin},
        first_day={"churn_date": begin + DAY},
        last_day={"churn_date": end},
        after_the_window={"churn_date": end + DAY},
    )
    active = features.active_customers(known, OBSERVED)
    found = labels.build(active, known, end, OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in found} == {
        "stays": 0,
        "first_day": 1,
        "last_day": 1,
        "after_the_window": 0,
    }
    assert {(row.observation_date, row.lead_days, row.horizon_days) for row in found} == {(OBSERVED, LEAD, HORIZON)}


def test_one_who_left_in_the_window_and_came_back_has_left(spark: SparkSession) -> None:
    begin = OBSERVED + timedelta(days=LEAD)
    today = begin + timedelta(days=HORIZON)
    changes = customers(
        spark,
        back={},
        back__2={"as_of": begin + DAY, "churn_date": begin + DAY},
        back__3={"as_of": begin + 9 * DAY},
        back_before={"churn_date": OBSERVED - 9 * DAY},
        back_before__2={"as_of": OBSERVED},
        gone_before={},
        gone_before__2={"as_of": OBSERVED + DAY, "churn_date": OBSERVED - DAY},
        not_yet_known={},
        not_yet_known__2={"as_of": today + DAY, "churn_date": today},
    )
    active = features.active_customers(features.known_customers(changes, OBSERVED), OBSERVED)
    found = labels.build(active, changes, today, OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in found} == {"back": 1, "back_before": 0, "not_yet_known": 0}


def test_a_corrected_report_leaves_nothing_in_the_label(spark: SparkSession) -> None:
    day = OBSERVED + timedelta(days=LEAD + 9)
    wrong, corrected = {"as_of": day, "_file": "1"}, {"as_of": day, "_file": "2"}
    changes = customers(
        spark,
        stays={},
        stays__2={**corrected, "churn_date": None},
        stays__3={**wrong, "churn_date": day},
        leaves={},
        leaves__2={**corrected, "churn_date": day},
        leaves__3={**wrong, "churn_date": OBSERVED - 30 * DAY},  # a typing error, before the window
    )
    active = features.active_customers(features.known_customers(changes, OBSERVED), OBSERVED)
    found = labels.build(active, changes, day + timedelta(days=HORIZON), OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in found} == {"stays": 0, "leaves": 1}


def test_a_label_is_complete_when_the_reports_of_its_last_day_are_in() -> None:
    today = OBSERVED + timedelta(days=LEAD + HORIZON)
    assert WINDOW.labelled_date(today) == OBSERVED
    assert LabelWindow(LEAD, HORIZON, 2).labelled_date(today) == OBSERVED - 2 * DAY
    assert LabelWindow(LEAD, HORIZON, 2).complete_on(OBSERVED) == today + 2 * DAY
