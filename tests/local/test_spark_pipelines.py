"""Pipeline updates on the open engine: expectations, order, events, cancelling, and the engine's traps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from local.settings import REPOSITORY
from local.spark.server import observed_metrics
from tests.small_data import SMALL_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings
    from tests.conftest import SparkServer

HEADER = """
from pyspark import pipelines as dp
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

spark = SparkSession.active()
"""


@dataclass
class Update:
    """What came of an update."""

    exit_code: int
    events: list[dict[str, Any]]

    @property
    def state(self) -> str:
        return str([event["state"] for event in self.events if event["event_type"] == "update_progress"][-1])

    @property
    def message(self) -> str:
        return "\n".join(event.get("message", "") for event in self.events)

    def states(self, flow: str) -> list[str]:
        found = (event for event in self.events if event["event_type"] == "flow_progress")
        return [event["state"] for event in found if event["flow"].endswith(f".{flow}")]

    def metrics(self, flow: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event_type"] == "flow_metrics" and event["flow"] == flow]


class Pipeline:
    """A pipeline of one source, with checkpoints of its own."""

    def __init__(self, settings: LocalSettings, folder: Path, source: str, *arguments: str) -> None:
        self._settings = settings
        self._source = folder / "source.py"
        self._source.write_text(HEADER + dedent(source))
        self._arguments = ["--remote", settings.spark_remote, "--catalog", "churn_test", "--schema", "silver"]
        self._arguments += ["--storage", str(folder / "storage"), *arguments]
        self._configuration = {**SMALL_DATA, "pipelines.maxFlowRetryAttempts": "0"}

    def configure(self, changes: Mapping[str, str | None]) -> None:
        """Gives settings other values; None leaves one to its default."""
        changed = self._configuration | changes
        self._configuration = {key: value for key, value in changed.items() if value is not None}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "local.spark.pipeline_runner", str(self._source), *self._arguments, *arguments]
        command += [f"--configuration={key}={value}" for key, value in self._configuration.items()]
        environment = {
            **os.environ,
            "PLATFORM_HOME": str(self._settings.home),
            "PLATFORM_PORT": str(self._settings.port),
        }
        return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)

    def update(self, *arguments: str) -> Update:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        return Update(process.returncode, [json.loads(line) for line in output.splitlines()])


@pytest.fixture
def numbers(spark: SparkSession, request: pytest.FixtureRequest) -> str:
    """A source table of another schema with the ids 0 to 9 and one NULL."""
    name = f"churn_test.bronze.numbers_{abs(hash(request.node.name))}"
    spark.sql(f"CREATE TABLE {name} (id INT) USING DELTA")
    spark.sql(f"INSERT INTO {name} VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (NULL)")
    return name


def test_two_updates_keep_order_quality_and_quarantine(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, numbers: str
) -> None:
    source = f"""
        RULES = {{"id_is_given": "id IS NOT NULL", "id_is_small": "id < 8"}}
        LIMIT = int(spark.conf.get("churn.limit"))

        @dp.table(name="accepted")
        @dp.expect("id_is_even", "id % 2 = 0")
        @dp.expect_all_or_drop(RULES)
        def accepted():
            return spark.readStream.table("{numbers}")

        @dp.table(name="refused")
        def refused():
            broken = [sf.when(~sf.coalesce(sf.expr(c), sf.lit(False)), sf.lit(n)) for n, c in RULES.items()]
            reasons = sf.filter(sf.array(*broken), lambda reason: reason.isNotNull())
            rows = spark.readStream.table("{numbers}").select("id", reasons.alias("reasons"))
            return rows.where(sf.size("reasons") > 0)

        @dp.table(name="doubled")
        def doubled():
            return spark.readStream.table("accepted").select("*", (sf.col("id") * 2).alias("twice"))

        @dp.materialized_view(name="counted")
        @dp.expect("few", "n < 3")
        def counted():
            return spark.read.table("doubled").where(f"id < {{LIMIT}}").groupBy().agg(sf.count("*").alias("n"))
    """
    pipeline = Pipeline(spark_home, tmp_path, source, "--configuration", "churn.limit=5")
    first = pipeline.update()
    assert (first.exit_code, first.state) == (0, "COMPLETED")
    [metrics] = first.metrics("accepted")
    assert (metrics["output_rows"], metrics["dropped_rows"]) == (8, 3)
    assert {rule["name"]: (rule["action"], rule["passed"], rule["failed"]) for rule in metrics["expectations"]} == {
        "id_is_given": ("drop", 10, 1),
        "id_is_small": ("drop", 8, 3),
        "id_is_even": ("warn", 5, 6),
    }
    [view] = first.metrics("counted")
    assert view["expectations"] == [{"name": "few", "action": "warn", "passed": 0, "failed": 1}]
    reasons = {row.id: row.reasons for row in spark.table("churn_test.silver.refused").collect()}
    assert reasons == {8: ["id_is_small"], 9: ["id_is_small"], None: ["id_is_given", "id_is_small"]}

    spark.sql(f"INSERT INTO {numbers} VALUES (-1), (99)")
    second = pipeline.update()
    assert second.state == "COMPLETED"
    # -2 comes of a row that this update delivered: "doubled" has waited for "accepted". The events' clocks do not
    # show the order: two threads of Spark write them within a millisecond.
    assert sorted(row.twice for row in spark.table("churn_test.silver.doubled").collect()) == list(range(-2, 15, 2))
    assert [row.n for row in spark.table("churn_test.silver.counted").collect()] == [6]
    assert list(observed_metrics(spark_home).iterdir()) == []
    keys = {event["key"] for update in (first, second) for event in update.metrics("accepted")}
    assert len(keys) == len(first.metrics("accepted") + second.metrics("accepted"))

    again = pipeline.update("--full-refresh", "accepted", "--full-refresh", "doubled")
    assert again.state == "COMPLETED"
    assert spark.table("churn_test.silver.accepted").count() == 9
    assert again.states("refused") == ["EXCLUDED"]


def test_a_full_refresh_keeps_tables_that_may_not_be_reset(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, numbers: str
) -> None:
    source = f"""
        @dp.table(name="kept", table_properties={{"pipelines.reset.allowed": "false"}})
        def kept():
            return spark.readStream.option("skipChangeCommits", "true").table("{numbers}")

        @dp.table(name="rebuilt")
        def rebuilt():
            return spark.readStream.option("skipChangeCommits", "true").table("{numbers}")
    """
    pipeline = Pipeline(spark_home, tmp_path, source)
    assert pipeline.update().state == "COMPLETED"
    spark.sql(f"DELETE FROM {numbers} WHERE id < 5")
    spark.sql(f"INSERT INTO {numbers} VALUES (100)")
    assert pipeline.update("--full-refresh-all").state == "COMPLETED"
    counts = {name: spark.table(f"churn_test.silver.{name}").count() for name in ("kept", "rebuilt")}
    assert counts == {"kept": 12, "rebuilt": 7}
    refused = pipeline.update("--full-refresh", "kept")
    assert (refused.exit_code, refused.state) == (1, "FAILED")
    assert "kept" in refused.message
    assert "pipelines.reset.allowed" in refused.message
    assert spark.table("churn_test.silver.kept").count() == 12


def test_rules_of_a_table_hold_for_flows_by_any_of_its_names(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, numbers: str
) -> None:
    source = f"""
        dp.create_streaming_table("ruled", expect_all_or_drop={{"id_is_small": "id < 8"}})

        @dp.append_flow(target="silver.ruled")
        def into():
            return spark.readStream.table("{numbers}")
    """
    unread = observed_metrics(spark_home) / "stopped.view.json"
    unread.touch()
    update = Pipeline(spark_home, tmp_path, source).update("--update-id", "stopped")
    assert (update.exit_code, update.state) == (0, "COMPLETED")
    assert not unread.exists()
    assert [metrics["dropped_rows"] for metrics in update.metrics("into")] == [3]
    assert spark.table("churn_test.silver.ruled").count() == 8


@pytest.mark.parametrize("decorator", ["table", "materialized_view"])
def test_a_rule_that_must_hold_fails_the_update(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, numbers: str, decorator: str
) -> None:
    read = "readStream" if decorator == "table" else "read"
    source = f"""
        @dp.{decorator}(name="failing_{decorator}")
        @dp.expect_or_fail("few", "id < 4")
        def failing():
            return spark.{read}.table("{numbers}")
    """
    failed = Pipeline(spark_home, tmp_path, source).update()
    assert (failed.exit_code, failed.state) == (1, "FAILED")
    assert "[EXPECTATION_VIOLATION] few: id < 4; row: " in failed.message
    assert spark.table(f"churn_test.silver.failing_{decorator}").count() == 0


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(("retries", "tries"), [(None, 3), ("1", 2)], ids=["by itself twice", "as often as set"])
def test_a_failed_flow_is_retried(spark_home: LocalSettings, tmp_path: Path, retries: str | None, tries: int) -> None:
    source = """
        @dp.materialized_view(name="broken")
        def broken():
            return spark.range(1).select(sf.raise_error(sf.lit("broken")).alias("id"))
    """
    pipeline = Pipeline(spark_home, tmp_path, source)
    quick = {"spark.sql.pipelines.execution.watchdog.minRetryTime": "1s"}
    pipeline.configure({"pipelines.maxFlowRetryAttempts": retries, **quick})
    failed = pipeline.update()
    assert failed.state == "FAILED"
    assert failed.states("broken").count("FAILED") == tries


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("declaration", "dataset"),
    [
        ('@dp.materialized_view(name="named")', "named"),
        ("@dp.table", "ids"),
        ('@dp.append_flow(target="into")', "into"),
    ],
)
def test_an_expectation_above_its_dataset_is_refused(
    spark_home: LocalSettings, tmp_path: Path, declaration: str, dataset: str
) -> None:
    source = f"""
        @dp.expect_all_or_drop({{"small": "id < 4"}})
        {declaration}
        def ids():
            return spark.range(10)
    """
    refused = Pipeline(spark_home, tmp_path, source).update()
    assert (refused.exit_code, refused.state) == (1, "FAILED")
    assert f"{dataset}: expectations small stand above the decorator" in refused.message
    assert "put them below it" in refused.message


def test_files_of_a_volume_become_rows(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, volume: Path
) -> None:
    (volume / "good.csv").write_text("id,name\n1,a\n2,b\n")
    (volume / "wide.csv").write_text("id,name,city\nx,c,y\n")
    source = """
        @dp.table(name="from_files")
        def from_files():
            files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv").option("header", "true")
            files = files.option("rescuedDataColumn", "_rescued_data").schema("id INT, name STRING")
            return files.load(spark.conf.get("churn.raw")).select("id", "name", "_rescued_data", "_metadata.file_name")
    """
    raw = f"churn.raw=/Volumes/{volume.relative_to(spark_home.volumes).as_posix()}"
    update = Pipeline(spark_home, tmp_path, source, "--configuration", raw).update()
    assert (update.exit_code, update.state) == (0, "COMPLETED")
    rows = {row.name: row for row in spark.table("churn_test.silver.from_files").collect()}
    assert [(rows[name].id, rows[name].file_name) for name in "abc"] == [
        (1, "good.csv"),
        (2, "good.csv"),
        (None, "wide.csv"),
    ]
    rescued = json.loads(rows["c"]._rescued_data)
    assert rescued.pop("_file_path").startswith("dbfs:/Volumes/churn_test/bronze/raw/")
    assert rescued == {"id": "x", "city": "y"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            'spark.readStream.table("upstream").withColumn("x", sf.lit(1))',
            "`with_columns` on upstream, a table of this",
        ),
        ('spark.readStream.table("silver.upstream").drop("id")', "`drop` on silver.upstream, a table of this"),
        ('spark.readStream.table("upstream").select(*spark.table("NUMBERS").columns)', "ATTEMPT_ANALYSIS_IN_PIPELINE"),
    ],
)
def test_queries_that_the_engine_gets_wrong_are_refused(
    spark_home: LocalSettings, tmp_path: Path, numbers: str, query: str, message: str
) -> None:
    source = f"""
        @dp.table(name="upstream")
        def upstream():
            return spark.readStream.table("{numbers}")

        @dp.table(name="downstream")
        def downstream():
            return {query.replace("NUMBERS", numbers)}
    """
    refused = Pipeline(spark_home, tmp_path, source).update()
    assert (refused.exit_code, refused.state) == (1, "FAILED")
    assert message in refused.message


@pytest.mark.parametrize("seconds", [0, 5])
def test_cancelling_frees_the_machine(
    spark_server: SparkServer, spark_home: LocalSettings, spark: SparkSession, tmp_path: Path, seconds: int
) -> None:
    source = """
        @dp.materialized_view(name="heavy")
        def heavy():
            return spark.range(1_000_000_000_000).select(sf.sum(sf.hash("id")).alias("x"))
    """
    process = Pipeline(spark_home, tmp_path, source).start()
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("state") == "RUNNING":
            break
    time.sleep(seconds)  # 0: while the engine plans
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(output.splitlines()[-1])["state"] == "CANCELED"
    server = psutil.Process(spark_server.pid)

    def idle() -> bool:
        before = server.cpu_times()
        time.sleep(2)
        after = server.cpu_times()
        return (after.user + after.system) - (before.user + before.system) < 0.2

    deadline = time.monotonic() + 60
    while not idle():
        assert time.monotonic() < deadline, "the server still works on the cancelled update"
    assert spark.range(10).count() == 10


@pytest.mark.parametrize(("busy_starts", "state", "left"), [(1, "COMPLETED", 0), (5, "FAILED", 2)])
def test_an_update_starts_again_while_the_machine_is_too_busy(
    spark: SparkSession, spark_home: LocalSettings, tmp_path: Path, busy_starts: int, state: str, left: int
) -> None:
    busy = tmp_path / "busy"
    busy.write_text(str(busy_starts))
    source = f"""
        from pathlib import Path

        left = int(Path("{busy}").read_text())
        Path("{busy}").write_text(str(max(0, left - 1)))

        @dp.materialized_view(name="patient")
        def patient():
            text = "Python worker failed to connect back."
            return spark.range(1).select(sf.raise_error(sf.lit(text)) if left else sf.col("id"))
    """
    update = Pipeline(spark_home, tmp_path, source).update()
    assert update.state == state, update.events
    assert update.exit_code == (0 if state == "COMPLETED" else 1)
    assert "the update starts again" in update.message
    assert busy.read_text() == str(left)
