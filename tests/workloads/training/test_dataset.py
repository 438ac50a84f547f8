"""Customers that a model learns from, and customers that are kept back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from churn.core.label_window import LabelWindow
from churn.feature_engineering.groups import COLUMNS
from churn.serving.version import SplitRule
from churn.training.dataset import DatasetError, fingerprint, holdout, labelled, split

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 10)


def customers(*days: date, count: int = 500) -> pd.DataFrame:
    rows = [(f"C{number:04}", day, int(number % 4 == 0)) for day in days for number in range(count)]
    return pd.DataFrame(rows, columns=["customer_id", "observation_date", "churned"])


@pytest.mark.parametrize(
    ("settle_days", "expected"),
    [(0, {MARCH, MARCH - timedelta(7), MARCH - timedelta(14)}), (1, {MARCH - timedelta(1), MARCH - timedelta(8)})],
)
def test_complete_labels_of_every_seventh_date_are_read(
    spark: SparkSession, settle_days: int, expected: set[date]
) -> None:
    days = [MARCH + timedelta(days=number) for number in range(-14, 2)]  # the last one is not complete
    columns = ", ".join(
        [*(f"{name} STRING" for name in COLUMNS.categorical), *(f"{name} DOUBLE" for name in COLUMNS.numeric)]
    )
    features = spark.createDataFrame(
        [("a", day, *[None] * len(COLUMNS.all)) for day in days],
        f"customer_id STRING, observation_date DATE, {columns}",
    )
    labels = spark.createDataFrame(
        [("a", day, lead, 30, 0) for day in days for lead in (7, 8)],
        "customer_id STRING, observation_date DATE, lead_days INT, horizon_days INT, churned INT",
    )
    today = MARCH + timedelta(days=37)
    rows = labelled(features, labels, today, LabelWindow(7, 30, settle_days), COLUMNS).collect()
    assert {row.observation_date for row in rows} == expected
    assert len(rows) == len(expected)


def test_newest_date_is_kept_back_and_its_past_alone_is_learned_from() -> None:
    parts = split(customers(JANUARY, FEBRUARY, MARCH), LabelWindow(7, 30, 0))
    assert parts.rule == "time"
    assert set(parts.holdout["observation_date"]) == {MARCH}
    # labels of 1 February were complete on 10 March, that is 37 days later; with a day more they were not
    assert set(parts.train["observation_date"]) == {JANUARY, FEBRUARY}
    assert set(split(customers(JANUARY, FEBRUARY, MARCH), LabelWindow(8, 30, 0)).train["observation_date"]) == {JANUARY}
    assert set(split(customers(JANUARY, FEBRUARY, MARCH), LabelWindow(7, 30, 1)).train["observation_date"]) == {JANUARY}


def test_customers_are_kept_back_where_no_earlier_label_was_complete() -> None:
    one = split(customers(FEBRUARY), LabelWindow(7, 30, 0))
    two = split(customers(JANUARY, FEBRUARY), LabelWindow(7, 30, 0))
    assert one.rule == two.rule == "customer"
    assert set(two.train["customer_id"]).isdisjoint(two.holdout["customer_id"])
    assert set(one.holdout["customer_id"]) == set(two.holdout["customer_id"]), "who is kept back must not change"
    assert set(two.holdout["observation_date"]) == {FEBRUARY}
    assert 0.15 < len(one.holdout) / 500 < 0.25


@pytest.mark.parametrize("days", [(FEBRUARY,), (JANUARY, MARCH)])
def test_the_holdout_is_known_by_its_date_and_rule(days: tuple[date, ...]) -> None:
    parts = split(customers(*days), LabelWindow(7, 30, 0))
    assert parts.holdout_date == days[-1]
    newest = customers(days[-1]).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(holdout(newest, parts.rule), parts.holdout)


def test_one_outcome_is_an_error_that_names_the_part() -> None:
    with pytest.raises(DatasetError, match=r"training part by customer .* lacks an outcome"):
        split(customers(JANUARY).assign(churned=0), LabelWindow(7, 30, 0))
    with pytest.raises(DatasetError, match=r"holdout by time \(0 rows\) lacks an outcome"):
        holdout(customers(), SplitRule.TIME)


def test_fingerprint_is_that_of_the_rows_in_any_order() -> None:
    frame = customers(JANUARY, FEBRUARY)
    assert fingerprint(frame) == fingerprint(frame.sample(frac=1, random_state=1))
    assert fingerprint(frame) != fingerprint(frame.assign(churned=frame["churned"].where(frame.index != 3, 1)))
