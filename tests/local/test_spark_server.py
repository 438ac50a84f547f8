"""The Spark server: three-level names, Delta's commands, catalogs made at runtime, start, stop and restart."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as sf

from local.errors import InstallError, ServerError
from local.settings import REPOSITORY, LocalSettings
from local.spark import install as installation
from local.spark.server import serve
from tests.conftest import SparkServer, connect
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession


@pytest.fixture
def table(spark: SparkSession) -> str:
    name = "churn_test.silver.visits"
    spark.sql(f"DROP TABLE IF EXISTS {name}")
    spark.sql(f"CREATE TABLE {name} (id INT, day DATE) USING DELTA PARTITIONED BY (day)")
    spark.sql(f"INSERT INTO {name} VALUES (1, DATE'2026-01-01'), (2, DATE'2026-01-02'), (3, DATE'2026-01-02')")
    return name


def ids(spark: SparkSession, query: str) -> list[int]:
    return sorted(row.id for row in spark.sql(query).collect())


@pytest.mark.shows("spark: MERGE, UPDATE and DELETE on Delta tables", client="Spark Connect")
def test_rows_are_changed_by_merge_update_and_delete(spark: SparkSession, table: str) -> None:
    spark.sql(
        f"MERGE INTO {table} t USING (SELECT explode(array(3, 4)) id, DATE'2026-01-03' day) s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    spark.sql(f"UPDATE {table} SET id = 20 WHERE id = 2")
    spark.sql(f"DELETE FROM {table} WHERE id = 1")
    assert ids(spark, f"SELECT * FROM {table}") == [3, 4, 20]
    assert ids(spark, f"SELECT * FROM {table} WHERE day = DATE'2026-01-03'") == [3, 4]


@pytest.mark.shows("spark: time travel", client="Spark Connect")
def test_an_older_version_can_be_read(spark: SparkSession, table: str) -> None:
    spark.sql(f"DELETE FROM {table}")
    assert ids(spark, f"SELECT * FROM {table}") == []
    assert ids(spark, f"SELECT * FROM {table} VERSION AS OF 1") == [1, 2, 3]


@pytest.mark.shows("spark: replaceWhere, INSERT … REPLACE WHERE", client="Spark Connect")
def test_replace_where_overwrites_one_day_only(spark: SparkSession, table: str) -> None:
    day = spark.createDataFrame([(7, date(2026, 1, 2))], "id INT, day DATE")
    day.write.mode("overwrite").option("replaceWhere", "day = DATE'2026-01-02'").saveAsTable(table)
    assert ids(spark, f"SELECT * FROM {table}") == [1, 7]
    other = spark.createDataFrame([(8, date(2026, 1, 2))], "id INT, day DATE")
    other.writeTo(table).overwrite(sf.col("day") == sf.lit("2026-01-02").cast("date"))
    assert ids(spark, f"SELECT * FROM {table}") == [1, 8]
    spark.sql(f"INSERT INTO {table} REPLACE WHERE day = DATE'2026-01-02' SELECT 9 AS id, DATE'2026-01-02' AS day")
    assert ids(spark, f"SELECT * FROM {table}") == [1, 9]


def test_replace_where_refuses_rows_outside(spark: SparkSession, table: str) -> None:
    wrong = spark.createDataFrame([(7, date(2026, 1, 5))], "id INT, day DATE")
    with pytest.raises(AnalysisException, match="DELTA_REPLACE_WHERE_MISMATCH"):
        wrong.write.mode("overwrite").option("replaceWhere", "day = DATE'2026-01-02'").saveAsTable(table)
    assert ids(spark, f"SELECT * FROM {table}") == [1, 2, 3]


@pytest.mark.shows("spark: CREATE OR REPLACE TABLE … AS SELECT", client="Spark Connect")
def test_tables_are_made_from_queries(spark: SparkSession, table: str) -> None:
    spark.sql(f"CREATE OR REPLACE TABLE churn_test.gold.copy AS SELECT * FROM {table} WHERE id < 3")
    spark.sql(f"CREATE OR REPLACE TABLE churn_test.gold.copy AS SELECT * FROM {table} WHERE id < 2")
    assert ids(spark, "SELECT * FROM churn_test.gold.copy") == [1]
    spark.table(table).write.mode("overwrite").saveAsTable("churn_test.gold.copy")
    assert ids(spark, "SELECT * FROM churn_test.gold.copy") == [1, 2, 3]


@pytest.mark.shows("spark: streams from table to table, trigger availableNow", client="Spark Connect")
def test_a_stream_appends_what_is_new(spark: SparkSession, table: str, tmp_path: Path) -> None:
    spark.sql("DROP TABLE IF EXISTS churn_test.gold.streamed")

    def update() -> None:
        query = spark.readStream.table(table).writeStream.option("checkpointLocation", str(tmp_path))
        query.trigger(availableNow=True).toTable("churn_test.gold.streamed").awaitTermination()

    update()
    spark.sql(f"INSERT INTO {table} VALUES (4, DATE'2026-01-04')")
    update()
    assert ids(spark, "SELECT * FROM churn_test.gold.streamed") == [1, 2, 3, 4]


@pytest.mark.shows("spark: three-level names", client="Spark Connect")
def test_a_catalog_is_usable_at_once_in_every_session(
    spark: SparkSession, new_session: Callable[[], SparkSession], spark_home: LocalSettings
) -> None:
    other = new_session()
    with pytest.raises(AnalysisException):
        other.sql("CREATE SCHEMA team.silver")
    spark.sql("CREATE SCHEMA catalogs.team")
    other.sql("CREATE SCHEMA team.silver")
    other.sql("CREATE TABLE team.silver.orders (id INT) USING DELTA")
    new_session().sql("INSERT INTO team.silver.orders VALUES (1)")
    assert ids(spark, "SELECT * FROM team.silver.orders") == [1]
    assert (spark_home.tables / "warehouse/team/silver/orders/_delta_log").is_dir()
    with pytest.raises(AnalysisException, match="SCHEMA_NOT_EMPTY"):
        spark.sql("DROP SCHEMA catalogs.team")
    spark.sql("DROP SCHEMA catalogs.team CASCADE")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        other.sql("SELECT * FROM team.silver.orders").collect()
    assert not (spark_home.tables / "warehouse/team").exists()


def test_a_catalog_that_was_dropped_can_be_made_again(
    spark: SparkSession, new_session: Callable[[], SparkSession]
) -> None:
    for number in (1, 2):
        spark.sql("CREATE SCHEMA catalogs.again")
        other = new_session()  # a session that has met the first one finds the second without looking
        other.sql("CREATE SCHEMA again.silver")
        other.sql(f"CREATE TABLE again.silver.t AS SELECT {number} AS id")
        assert ids(other, "SELECT * FROM again.silver.t") == [number]
        spark.sql("DROP SCHEMA catalogs.again CASCADE")


@pytest.mark.shows("spark: tables and comments outlive a restart", client="Spark Connect")
def test_tables_survive_a_restart(tmp_path: Path, spark_home: LocalSettings) -> None:
    server = SparkServer(LocalSettings(tmp_path, free_base_port()))
    server.start()
    session = connect(server.settings)
    session.sql("CREATE SCHEMA catalogs.kept")
    session.sql("CREATE SCHEMA kept.silver COMMENT 'conformed'")
    session.sql("CREATE TABLE kept.silver.orders COMMENT 'all of them' AS SELECT 1 AS id")
    session.stop()
    assert server.stop() == 143  # ended by SIGTERM, after Spark's own shutdown
    server.start()
    session = connect(server.settings)
    assert ids(session, "SELECT * FROM kept.silver.orders") == [1]
    described = {row.info_name: row.info_value for row in session.sql("DESCRIBE SCHEMA kept.silver").collect()}
    assert described["Comment"] == "conformed"
    session.stop()
    server.stop()


def test_install_again_needs_nothing(monkeypatch: pytest.MonkeyPatch, spark_home: LocalSettings) -> None:
    monkeypatch.setenv("PATH", "")
    assert installation.install().is_dir()


def test_a_lost_jar_is_installed_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Here with tools that make empty files."""
    tools = tmp_path / "tools"
    tools.mkdir()
    answers = {
        "java": "echo 'openjdk version \"17.0.1\"' >&2",
        "javac": 'echo javac 17; while [ "$1" != -d ] && shift; do :; done; mkdir -p "$2"',
        "mvn": 'for last; do :; done; mkdir "${last#*=}"; cd "${last#*=}"; touch delta.jar; cp "$EMPTY" "$KAFKA"',
    }
    ZipFile(tmp_path / "empty.zip", "w").close()
    monkeypatch.setenv("EMPTY", str(tmp_path / "empty.zip"))
    monkeypatch.setenv("KAFKA", "spark-sql-kafka-1.jar")
    for tool, script in answers.items():
        (tools / tool).write_text(f"#!/bin/sh\n{script}\n")
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    jars = installation.install()
    (jars / "delta.jar").unlink()
    monkeypatch.delattr("os.execve")  # by which this process would become a server
    with pytest.raises(ServerError, match="the jars are not all installed: run"):
        serve(LocalSettings(tmp_path, free_base_port()))
    assert installation.install() == jars
    assert sorted(path.name for path in jars.iterdir()) == [
        "delta.jar",
        "jars.txt",
        "lakehouse.jar",
        "spark-sql-kafka-1.jar",
    ]


def test_install_names_the_missing_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InstallError, match="java and javac not on PATH: install a JDK 17 or 21"):
        installation.install()


def test_install_refuses_another_jdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for tool, answer in {"java": 'openjdk version "17.0.1"', "javac": "javac 11.0.2"}.items():
        script = tmp_path / tool
        script.write_text(f"#!/bin/sh\necho '{answer}'\n")
        script.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(InstallError, match="javac: 11: install a JDK 17 or 21"):
        installation.install()


def test_a_taken_port_is_named(tmp_path: Path, spark_home: LocalSettings) -> None:
    environment = {**os.environ, "PLATFORM_HOME": str(tmp_path)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment["PLATFORM_PORT"] = str(port - 2)
        command = [sys.executable, "-m", "local.spark", "serve"]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"port {port} of Spark Connect is taken" in done.stderr
