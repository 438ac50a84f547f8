"""Rolling activity by values worked out by hand; the usage of the online store is that of gold.churn_features."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from churn.feature_engineering.feature import Known
from churn.feature_engineering.groups import usage as usage_group
from churn.feature_engineering.rolling_activity import Activity, Day, rolling, usage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ON = date(2026, 1, 31)


def ago(days: int, **did: float) -> Day:
    return Day(ON - timedelta(days=days), **did)  # type: ignore[arg-type]  # whole numbers where it takes these


def test_windows_end_with_the_date_and_begin_after_their_length() -> None:
    days = [
        ago(0, sessions=1, core_minutes=1.5),
        ago(6, sessions=2, core_minutes=2),
        ago(7, sessions=4, core_minutes=4),
        ago(29, sessions=8, core_minutes=8),
        ago(30, sessions=16, core_minutes=16),
    ]
    assert rolling(days, ON) == Activity(3, 15, 0, 1, 3.5, 15.5)


@pytest.mark.parametrize(
    ("used", "since", "streak"),
    [
        ([], None, 0),
        ([0, 1, 2, 4], 0, 3),
        ([1, 2, 3], 1, 3),  # the date is not over
        ([2, 3], 2, 0),
        ([-1, 0], 0, 1),  # what is dated later is not known yet
    ],
)
def test_days_since_use_and_streaks(used: list[int], since: int | None, streak: int) -> None:
    activity = rolling([ago(days, core_uses=1) for days in used], ON)
    assert (activity.days_since_last_use, activity.streak_days) == (since, streak)


def test_a_day_without_use_is_none_of_use() -> None:
    assert rolling([ago(0)], ON).days_since_last_use is None


@pytest.mark.parametrize("days", [[], [Day(ON - timedelta(days=20), sessions=1)]])
def test_minutes_are_floats_without_any_day_too(days: list[Day]) -> None:
    """A column of the online store is written as one list, which takes values of one type."""
    activity = rolling(days, ON)
    assert {type(activity.core_minutes_7d), type(activity.core_minutes_30d)} == {float}


def test_usage_is_what_the_features_of_a_date_have(spark: SparkSession) -> None:
    draws = np.random.default_rng(5).integers(-2, 70, 120)
    events = [("a", ON - timedelta(days=int(drawn))) for drawn in draws]
    rows = spark.createDataFrame(events, "customer_id STRING, event_date DATE")
    customers = spark.createDataFrame([("a",)], "customer_id STRING")
    known = Known(ON, customers, rows, rows, rows, rows)  # the group reads events alone
    [built] = usage_group.build(customers, known).collect()
    days = [Day(on, core_uses=sum(each == on for _, each in events)) for on in {each for _, each in events}]
    fresh = usage(days, ON)
    assert (fresh.events_7d, fresh.events_30d) == (built.events_7d, built.events_30d)
    assert fresh.usage_trend == pytest.approx(built.usage_trend)
