"""The entry point `features`: which observation dates it labels, and which labels it leaves as they are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from churn.core.contract import contract_of
from churn.core.errors import OptionError
from churn.feature_engineering import features
from tests.workloads.silver_rows import BY_DOMAIN, OBSERVED, customers, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings

CATALOG = "churn_gold"
HORIZON = 30
OVER = OBSERVED + timedelta(days=HORIZON)  # last day of the window


@pytest.fixture(scope="module")
def silver(spark: SparkSession, spark_home: LocalSettings) -> Iterator[SparkSession]:
    """A catalog whose silver knows one customer, reported on the last day of the window to leave on that day."""
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{CATALOG}")
    for schema in ("silver", "gold"):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema}")
    reports = customers(spark, a={}, a__2={"as_of": OVER, "churn_date": OVER}, b={})
    reports.write.saveAsTable(f"{CATALOG}.silver.customer_versions")
    for name in ("transactions_versions", "support_versions", "marketing_versions", "usage"):
        table(spark, BY_DOMAIN[name.partition("_")[0]]).write.saveAsTable(f"{CATALOG}.silver.{name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        yield spark


def build(day: date, **options: int | str) -> None:
    parameters = {
        "catalog": CATALOG,
        "date": day,
        "run_id": "1",
        "usage_table": "silver.usage",
        "lead_days": 0,
        **options,
    }
    features.main([f"--{name}={value}" for name, value in parameters.items()])


def labels(spark: SparkSession) -> set[tuple[str, date, int, int]]:
    rows = spark.table(f"{CATALOG}.gold.churn_labels").collect()
    records = [(row.customer_id, row.observation_date, row.horizon_days, row.churned) for row in rows]
    assert len(set(records)) == len(records)
    return set(records)


def test_labels_wait_for_late_reports_and_stand_apart_by_horizon(silver: SparkSession) -> None:
    build(OVER, horizon_days=HORIZON, settle_days=1)
    the_day_before = OBSERVED - timedelta(days=1)
    early = {(name, the_day_before, HORIZON, 0) for name in "ab"}
    assert labels(silver) == early

    for _ in range(2):  # the second time it replaces what the first wrote
        build(OVER + timedelta(days=1), horizon_days=HORIZON, settle_days=1)
    complete = {("a", OBSERVED, HORIZON, 1), ("b", OBSERVED, HORIZON, 0)}
    assert labels(silver) == early | complete

    build(OVER + timedelta(days=2), horizon_days=HORIZON + 1, settle_days=1)
    longer = {("a", OBSERVED, HORIZON + 1, 1), ("b", OBSERVED, HORIZON + 1, 0)}
    assert labels(silver) == early | complete | longer


@pytest.mark.parametrize("window", [{}, {"settle_days": -1}, {"settle_days": "some"}])
def test_a_window_that_makes_no_sense_is_refused(window: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="--settle_days"):
        build(OVER, horizon_days=HORIZON, **window)


def test_uses_are_the_same_from_files_and_among_all_events(spark: SparkSession) -> None:
    contract = contract_of("events")
    use = {"customer_id": "a", "kind": "core_feature_use", "event_date": OBSERVED, "feature": "call", "minutes": 5.0}
    rows = [{"event_id": "use", **use}, {"event_id": "login", **use, "kind": "login"}]
    schema = ", ".join(f"{column.name} {column.type}" for column in contract.columns) + ", event_date DATE"
    names = [*(column.name for column in contract.columns), "event_date"]
    events = spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], schema)
    files = table(spark, BY_DOMAIN["usage"], {"event_id": "use", **use, "event_type": "call"}).drop("_file")
    (of_files,), (of_events,) = files.collect(), features.usage(events, "silver.events").collect()
    assert of_events.asDict() == of_files.asDict()
    assert features.usage(files, "silver.usage") is files


def test_uses_of_another_table_are_refused() -> None:
    with pytest.raises(OptionError, match=r"--usage_table: silver\.use is neither silver\.usage nor silver\.events"):
        build(OVER, horizon_days=HORIZON, settle_days=1, usage_table="silver.use")
