"""The task `quality` on real tables: a good day passes, and a day that breaks every check says so by name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as sf

from churn.core.contract import contracts, file_contracts
from churn.core.tables import DELIVERIES
from churn.quality import quality
from churn.quality.feeds import days_to_count
from churn.streaming.events import ORIGIN
from infra.layers.platform.alert import QUERIES
from infra.layers.platform.quality_alert import COLUMN, QUERY, feeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Column, DataFrame, SparkSession

    from churn.core.contract import Contract
    from local.settings import LocalSettings

CATALOG = "churn_quality"
DAY = date(2026, 5, 12)  # a Tuesday
BEFORE = DAY - timedelta(days=1)
A_DAY = 70  # rows of each table
BY_DOMAIN = {contract.domain: contract for contract in contracts()}


class Lakehouse:
    """A catalog of its own, whose tables have as many rows on each day."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{CATALOG}").collect()
        for schema in ("bronze", "silver", "mlops"):
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema}").collect()
        for contract in contracts():
            rows = self._rows(contract)
            if contract.topic:
                self._save(rows.select("*", *self._origin()), contract.table)
                continue
            self._save(rows.select("*", sf.lit("f").alias("_file")), f"{contract.table}_versions")
            latest = rows.where(sf.col("as_of") == sf.lit(DAY)) if contract.domain == "customer" else rows
            self._save(latest, contract.table)
        self._save(self._ledger(), DELIVERIES.name)

    def _rows(self, contract: Contract) -> DataFrame:
        """Rows of the days that are counted; a customer has one a day."""
        days = self._spark.createDataFrame([(each,) for each in days_to_count(contract, DAY)], "day DATE")
        every = days.crossJoin(self._spark.range(A_DAY).withColumnRenamed("id", "number"))
        customer = sf.concat(sf.lit("c"), sf.col("number").cast("string"))
        key = customer if contract.domain == "customer" else sf.concat_ws("-", "day", "number")
        known: dict[str, Column] = {"customer_id": customer, str(contract.service.dated): sf.col("day")}
        known |= dict.fromkeys(contract.keys, key)
        if contract.topic:
            known |= {"session_id": sf.concat(sf.lit("s"), key), "kind": sf.lit("login")}
        columns = [known.get(each.name, sf.lit(None)).cast(each.type).alias(each.name) for each in contract.columns]
        own = [sf.col("day").alias("event_date"), "number"] if contract.topic else []
        return every.select(*columns, *own)

    @staticmethod
    def _origin() -> list[Column]:
        """Where an event comes from: of the stream, one after the other."""
        known = {
            "_source": sf.lit("stream"),
            "_partition": sf.lit(0),
            "_offset": sf.unix_timestamp("event_time") + sf.col("number"),
        }
        return [known.get(name, sf.lit(None).cast("string")).alias(name) for name in ORIGIN]

    def _ledger(self) -> DataFrame:
        days = [DAY - timedelta(days=number) for number in range(40)]
        files = [
            (f"{domain}/{'dt=' if domain == 'usage' else ''}{day}/a.csv", domain, "admitted")
            for domain in BY_DOMAIN
            for day in days
        ]
        known = self._spark.createDataFrame(files, "file STRING, domain STRING, status STRING")
        lacking = [column for column in DELIVERIES.columns if column.name not in known.columns]
        return known.select("*", *(sf.lit(None).cast(column.type).alias(column.name) for column in lacking))

    def _save(self, rows: DataFrame, name: str) -> None:
        rows.write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(f"{CATALOG}.{name}")

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self._spark.sql(statement.replace("{}", CATALOG)).collect()

    def run(self, run_id: str) -> None:
        quality.main([f"--catalog={CATALOG}", f"--date={DAY}", f"--run_id={run_id}", "--usage_table=silver.events"])

    def results(self, run_id: str) -> dict[tuple[str, str], Any]:
        rows = self._spark.table(f"{CATALOG}.mlops.quality_results").where(sf.col("run_id") == run_id).collect()
        return {(row.table, row.check_name): row for row in rows}

    def problems(self) -> list[str]:
        """What the alert's query answers."""
        query = (QUERIES / QUERY).read_text().replace("${catalog}", CATALOG).replace("${feeds}", feeds(contracts()))
        return [row[COLUMN] for row in self._spark.sql(query).collect()]

    def samples(self) -> set[tuple[str, ...]]:
        rows = self._spark.table(f"{CATALOG}.silver.quality_samples").collect()
        return {(row.run_id, row.table, row.check_name, row.key) for row in rows}


@pytest.fixture(scope="module")
def lakehouse(spark: SparkSession, spark_home: LocalSettings) -> Iterator[Lakehouse]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        yield Lakehouse(spark)


def test_a_good_day_passes_every_check(lakehouse: Lakehouse, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse.run("1")
    results = lakehouse.results("1")
    assert results.keys() == {(domain, check) for domain, each in BY_DOMAIN.items() for check in each.checks}
    assert {row.outcome for row in results.values()} == {"passed"}, [row.reason for row in results.values()]
    assert results["usage", "volume"].asDict() == {
        "run_id": "1",
        "date": DAY,
        "table": "usage",
        "check_name": "volume",
        "severity": "warn",
        "outcome": "passed",
        "reason": "70 accepted rows of usage are dated 2026-05-12 (Tuesday); expected: at least 42, by the 70 of a "
        "usual Tuesday (6 weeks)",
        "rows": A_DAY,
        "least": 42.0,
    }
    assert lakehouse.samples() == set()
    assert "passed   usage         volume      70 accepted rows" in capsys.readouterr().out


BROKEN = {
    ("events", "order"): ("warned", 1),
    ("events", "references"): ("warned", 1),
    ("marketing", "volume"): ("warned", A_DAY // 2),
    ("support", "keys"): ("failed", 1),
    ("transactions", "gaps"): ("warned", 1),
    ("transactions", "references"): ("warned", 2),
    ("usage", "freshness"): ("failed", 2),
    ("usage", "volume"): ("warned", 0),
}


def test_a_broken_day_fails_by_name_and_records_every_check(lakehouse: Lakehouse) -> None:
    dead = f"DATE '{DAY}', DATE '{BEFORE}'"
    lakehouse.sql(
        f"DELETE FROM {{}}.silver.usage_versions WHERE event_date IN ({dead})",
        f"DELETE FROM {{}}.silver.marketing_versions WHERE touch_date = '{DAY}' AND right(customer_id, 1) < '5'",
        f"INSERT INTO {{}}.silver.support SELECT * FROM {{}}.silver.support WHERE ticket_id = '{BEFORE}-3'",
        f"UPDATE {{}}.silver.transactions SET customer_id = 'nobody' WHERE transaction_id IN ('{DAY}-1', '{DAY}-2')",
        f"UPDATE {{}}.silver.transactions SET customer_id = 'old' WHERE transaction_id = '{DAY - timedelta(days=7)}-1'",
        f"DELETE FROM {{}}.bronze.deliveries WHERE file = 'transactions/{DAY - timedelta(days=5)}/a.csv'",
        f"UPDATE {{}}.silver.events SET session_id = 's' WHERE event_id IN ('{DAY}-1', '{DAY}-2')",
        f"UPDATE {{}}.silver.events SET event_time = event_time - INTERVAL 1 SECOND WHERE event_id = '{DAY}-2'",
        f"UPDATE {{}}.silver.events SET customer_id = 'nobody' WHERE event_id = '{DAY}-5'",
    )
    with pytest.raises(quality.QualityError) as error:
        lakehouse.run("2")
    text = str(error.value)
    assert text.startswith(f"{DAY} is not scored: ")
    assert "1 keys stand more than once in silver.support" in text
    assert "usage is dead: nothing usable came for 2026-05-11 (Monday), 2026-05-12 (Tuesday)" in text
    assert "marketing" not in text, "a warning fails nothing"
    found = {key: (row.outcome, row.rows) for key, row in lakehouse.results("2").items() if row.outcome != "passed"}
    assert found == BROKEN
    of_bills = {("2", "transactions", "references", f"{DAY}-{number}") for number in (1, 2)}
    assert lakehouse.samples() - of_bills == {
        ("2", "events", "order", f"{DAY}-2"),
        ("2", "events", "references", f"{DAY}-5"),
        ("2", "support", "keys", f"{BEFORE}-3"),
    }
    assert lakehouse.samples() & of_bills, "one at least"
    assert {row.outcome for row in lakehouse.results("1").values()} == {"passed"}, "the run before stays as it was"


def test_the_alert_names_feeds_that_are_due_and_checks_that_are_broken(lakehouse: Lakehouse) -> None:
    of_files = {contract.domain for contract in file_contracts()}
    assert {
        problem.partition(" is late: the file of 2026-05-13 is due")[0] for problem in lakehouse.problems()
    } > of_files
    newest = {"customer": 1, "marketing": 1, "support": 3, "transactions": 1}  # days ago
    ledger = "INSERT INTO {}.bronze.deliveries (file, domain, status)"
    lakehouse.sql(
        *(
            f"{ledger} SELECT concat('{domain}/', date_sub(current_date(), {days}), '/b.csv'), '{domain}', 'admitted'"
            for domain, days in newest.items()
        ),
        "DELETE FROM {}.bronze.deliveries WHERE domain = 'usage'",
    )
    late, broken = set[str](), set[str]()
    for problem in lakehouse.problems():
        (late if " is late: the file of " in problem else broken).add(problem.split(" ")[0])
    assert late == {"support"}, "yesterday's is not due yet, and a feed that never delivered has none to be late"
    reasons = [row.reason for row in lakehouse.results("2").values() if row.outcome != "passed"]
    assert broken == {reason.split(" ")[0] for reason in reasons}


def test_a_day_without_history_passes(lakehouse: Lakehouse) -> None:
    lakehouse.sql(*(f"TRUNCATE TABLE {{}}.silver.{domain}" for domain in BY_DOMAIN))
    lakehouse.sql(*(f"TRUNCATE TABLE {{}}.silver.{domain}_versions" for domain in BY_DOMAIN if domain != "events"))
    lakehouse.sql("TRUNCATE TABLE {}.bronze.deliveries")
    lakehouse.run("3")
    outcomes = {check: row.outcome for (_, check), row in lakehouse.results("3").items()}
    assert outcomes == {
        **dict.fromkeys(("keys", "references", "order", "gaps"), "passed"),
        **dict.fromkeys(("freshness", "volume"), "unjudged"),
    }
