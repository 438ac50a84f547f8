"""The streaming source `cloudFiles`: each file exactly once, whatever its name and the moment it appears."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import StreamingQueryException

from local.settings import REPOSITORY
from local.spark import cloud_files_client
from local.spark.pipeline_runner import TOO_BUSY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery

    from local.settings import LocalSettings


def finish(start: Callable[[], StreamingQuery]) -> None:
    """Runs a query to its end; again if the machine was too busy for it, which loses and repeats nothing."""
    for left in (2, 1, 0):
        try:
            start().awaitTermination()
        except StreamingQueryException as error:
            if not left or TOO_BUSY not in str(error):
                raise
        else:
            return


@pytest.mark.shows("spark: Auto Loader reads each file once, with its metadata", client="cloud_files_client")
def test_each_file_is_read_once(
    new_session: Callable[[], SparkSession], spark_home: LocalSettings, volume: Path, tmp_path: Path
) -> None:
    spark = new_session()
    cloud_files_client.register(spark)
    table = "churn_test.bronze.each_file"
    path = f"/Volumes/{volume.relative_to(spark_home.volumes).as_posix()}"

    def update() -> list[tuple[int | None, str]]:
        files = (
            spark.readStream.format("cloudFiles")
            .option("cloudFiles.format", "csv")
            .option("cloudFiles.schemaEvolutionMode", "rescue")
            .option("header", "true")
            .schema("id INT")
            .load(path)
            .select("id", "_rescued_data", "_metadata.file_path", "_metadata.file_modification_time")
        )
        stream = files.writeStream.option("checkpointLocation", str(tmp_path))
        finish(lambda: stream.trigger(availableNow=True).toTable(table))
        found = spark.table(table).selectExpr("id", "element_at(split(file_path, '/'), -1) AS file").collect()
        return sorted((row.id, row.file) for row in found)

    second = volume / "2026-11-02" / "b.csv"
    second.parent.mkdir()
    second.write_text("id\n1\n2\n")
    assert update() == [(1, "b.csv"), (2, "b.csv")]

    second.write_text("id\n8\n9\n")  # a file that was read is not read again, even if it changes
    os.utime(second)
    earlier = volume / "2026-11-01" / "a.csv"  # appears later, with an earlier name
    earlier.parent.mkdir()
    earlier.write_text("id\n3\n")
    assert update() == [(1, "b.csv"), (2, "b.csv"), (3, "a.csv")]

    second.unlink()
    (volume / "c.csv").write_text("id\n4\n")
    assert update() == [(1, "b.csv"), (2, "b.csv"), (3, "a.csv"), (4, "c.csv")]


@pytest.mark.shows("spark: Auto Loader reads quotes in CSV as Spark does", client="cloud_files_client")
def test_quotes_within_a_value_are_read_as_spark_s_own_reader_reads_them(
    new_session: Callable[[], SparkSession], spark_home: LocalSettings, volume: Path, tmp_path: Path
) -> None:
    spark = new_session()
    cloud_files_client.register(spark)
    (volume / "a.csv").write_text('id,name\n1,"a ""b"", c"\n2,"a\n""b"""\n3,a\\b\n')
    options = {"header": "true", "multiLine": "true", "escape": '"'}
    files = spark.readStream.format("cloudFiles").options(**options).option("cloudFiles.format", "csv")
    rows = files.schema("id INT, name STRING").load(f"/Volumes/{volume.relative_to(spark_home.volumes).as_posix()}")
    table = "churn_test.bronze.quotes"
    stream = rows.select("id", "name").writeStream.option("checkpointLocation", str(tmp_path))
    finish(lambda: stream.trigger(availableNow=True).toTable(table))
    found = sorted((row.id, row.name) for row in spark.table(table).collect())
    assert found == [(1, 'a "b", c'), (2, 'a\n"b"'), (3, "a\\b")]
    own = spark.read.options(**options).schema("id INT, name STRING").csv(str(volume / "a.csv"))
    assert sorted((row.id, row.name) for row in own.collect()) == found
    del options["escape"]
    default = spark.read.options(**options).schema("id INT, name STRING").csv(str(volume / "a.csv"))
    assert sorted((row.id, row.name) for row in default.collect()) != found


@pytest.mark.shows("spark: Auto Loader infers names; schema hints; rescued data column", client="cloud_files_client")
def test_names_are_inferred_and_hints_give_types(
    new_session: Callable[[], SparkSession], spark_home: LocalSettings, volume: Path
) -> None:
    spark = new_session()
    cloud_files_client.register(spark)
    (volume / "a.json").write_text('{"id": 1, "city": "x"}\n')
    (volume / "b.json").write_text('{"name": "y"}\n')
    rows = (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .option("cloudFiles.schemaEvolutionMode", "rescue")
        .option("cloudFiles.schemaHints", "id INT")
        .load(f"/Volumes/{volume.relative_to(spark_home.volumes).as_posix()}")
    )
    types = dict(rows.dtypes)
    types.pop("_metadata")
    assert types == {"id": "int", "city": "string", "name": "string", "_rescued_data": "string"}


@pytest.mark.parametrize(("module", "imported"), [("cloud_files", "False"), ("cloud_files_client", "True")])
def test_only_the_client_imports_connect(module: str, imported: str) -> None:
    program = f"import sys, local.spark.{module}; print('pyspark.sql.connect' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == imported, "dozens of Python processes of one update import the source"
