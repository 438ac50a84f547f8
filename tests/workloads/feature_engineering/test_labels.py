"""Labels: whether a customer left within the label window, as far as it was reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from churn.core.label_window import LabelWindow
from churn.feature_engineering import labels
from churn.feature_engineering.build import active_customers, known_customers
from tests.workloads.silver_rows import OBSERVED, customers

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAD, HORIZON = 7, 30
WINDOW = LabelWindow(LEAD, HORIZON, 0)
DAY = timedelta(days=1)


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
    active = active_customers(known, OBSERVED)
    rows = labels.build(active, known, end, OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in rows} == {
        "stays": 0,
        "first_day": 1,
        "last_day": 1,
        "after_the_window": 0,
    }
    assert {(row.observation_date, row.lead_days, row.horizon_days) for row in rows} == {(OBSERVED, LEAD, HORIZON)}


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
    active = active_customers(known_customers(changes, OBSERVED), OBSERVED)
    rows = labels.build(active, changes, today, OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in rows} == {"back": 1, "back_before": 0, "not_yet_known": 0}


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
    active = active_customers(known_customers(changes, OBSERVED), OBSERVED)
    rows = labels.build(active, changes, day + timedelta(days=HORIZON), OBSERVED, WINDOW).collect()
    assert {row.customer_id: row.churned for row in rows} == {"stays": 0, "leaves": 1}


def test_a_label_is_complete_when_the_reports_of_its_last_day_are_in() -> None:
    today = OBSERVED + timedelta(days=LEAD + HORIZON)
    assert WINDOW.labelled_date(today) == OBSERVED
    assert LabelWindow(LEAD, HORIZON, 2).labelled_date(today) == OBSERVED - 2 * DAY
    assert LabelWindow(LEAD, HORIZON, 2).labelled_date(today + 2 * DAY) == OBSERVED
