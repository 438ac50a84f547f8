"""Files to rows as Auto Loader gives them: what does not fit is rescued, nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import (
    DateType,
    DoubleType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from local.errors import UnreadableFileError, UnsupportedSourceError
from local.spark.cloud_files import Settings, list_files, split_ddl
from local.spark.cloud_formats import FileInfo, column_names, read

if TYPE_CHECKING:
    from pathlib import Path

METADATA = StructType(
    [
        StructField("file_path", StringType()),
        StructField("file_name", StringType()),
        StructField("file_size", LongType()),
        StructField("file_modification_time", TimestampType()),
    ]
)
COLUMNS = [StructField("id", LongType()), StructField("charge", DoubleType()), StructField("name", StringType())]


def settings(**options: str) -> Settings:
    given = {"path": "/x", "cloudFiles.format": "csv", "header": "true", "cloudFiles.schemaEvolutionMode": "rescue"}
    return Settings.of({**given, **options})


def rows(
    path: Path, options: dict[str, str] | None = None, columns: list[StructField] = COLUMNS
) -> list[dict[str, Any]]:
    """Rows of a file; the rescued data parsed, without `_file_path`, which is checked."""
    schema = StructType([*columns, StructField("_rescued_data", StringType()), StructField("_metadata", METADATA)])
    info = FileInfo(path, f"dbfs:/Volumes/{path.name}", path.stat().st_size, datetime(2026, 11, 1, tzinfo=UTC))
    chosen = settings(**(options or {}))
    found = []
    for batch in read(info, chosen.file_format, schema, chosen.rescued_column):
        for row in batch.to_pylist():
            metadata = row.pop("_metadata")
            assert metadata["file_path"] == info.shown_path
            if row["_rescued_data"] is not None:
                row["_rescued_data"] = json.loads(row["_rescued_data"])
                assert row["_rescued_data"].pop("_file_path") == info.shown_path
            found.append(row)
    return found


def csv(folder: Path, text: str) -> Path:
    path = folder / "drop.csv"
    path.write_text(text)
    return path


def row(
    id_: int | None, charge: float | None, name: str | None, rescued: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"id": id_, "charge": charge, "name": name, "_rescued_data": rescued}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("id,charge,name\n1,2.5,a\n", [row(1, 2.5, "a")], id="good"),
        pytest.param("", [], id="empty file"),
        pytest.param("id,charge,name\n", [], id="header only"),
        pytest.param("name,id,charge\na,1,2.5\n", [row(1, 2.5, "a")], id="other order"),
        pytest.param("id,charge,name,city\n1,2.5,a,x\n", [row(1, 2.5, "a", {"city": "x"})], id="extra column"),
        pytest.param("id,name\n1,a\n", [row(1, None, "a")], id="missing column"),
        pytest.param("id,Charge,name\n1,2.5,a\n", [row(1, None, "a", {"Charge": "2.5"})], id="renamed column"),
        pytest.param(
            "id,charge,name\n1, ,a\n2,,b\n", [row(1, None, "a", {"charge": " "}), row(2, None, "b")], id="blank"
        ),
        pytest.param("id,charge,name\n1,much,a\n", [row(1, None, "a", {"charge": "much"})], id="text in a number"),
        pytest.param(
            "id,charge,name\n1,2.5,a\n2,3", [row(1, 2.5, "a"), row(2, 3.0, None, {"_corrupt_record": "2,3"})], id="cut"
        ),
        pytest.param(
            "id,charge,name\n1,2.5,a,b,c\n", [row(1, 2.5, "a", {"_c3": "b", "_c4": "c"})], id="too many fields"
        ),
        pytest.param(
            "id;charge;name\n1;2.5;a\n", [row(None, None, None, {"id;charge;name": "1;2.5;a"})], id="wrong delimiter"
        ),
        pytest.param(
            'id,charge,name\n1,2.5,"a,b"\n2,"3,c\n3,1,d\n',
            [row(1, 2.5, "a,b"), row(2, None, None, {"charge": "3,c", "_corrupt_record": '2,"3,c'}), row(3, 1.0, "d")],
            id="quote left open",
        ),
    ],
)
def test_csv(tmp_path: Path, text: str, expected: list[dict[str, Any]]) -> None:
    assert rows(csv(tmp_path, text)) == expected


def test_csv_over_several_lines_and_other_separator(tmp_path: Path) -> None:
    path = csv(tmp_path, 'id;charge;name\n1;2;"a\nb"\n')
    assert rows(path, {"sep": ";", "multiLine": "true"}) == [row(1, 2.0, "a\nb")]


def test_a_doubled_quote_is_a_quote(tmp_path: Path) -> None:
    path = csv(tmp_path, 'id,charge,name\n1,2,"a ""b"", c"\n')
    assert rows(path, {"escape": '"'}) == [row(1, 2.0, 'a "b", c')]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "drop.json"
    path.write_text(
        '{"id": 1, "charge": 2.5, "name": "a"}\n{"id": "x", "name": {"first": "b"}, "city": ["y"]}\n{"id": 3, "char\n\n'
    )
    assert rows(path, {"cloudFiles.format": "json"}) == [
        row(1, 2.5, "a"),
        row(None, None, '{"first":"b"}', {"id": "x", "city": ["y"]}),
        row(None, None, None, {"_corrupt_record": '{"id": 3, "char'}),
    ]


def test_json_dates_times_and_maps(tmp_path: Path) -> None:
    columns = [
        StructField("day", DateType()),
        StructField("at", TimestampType()),
        StructField("tags", MapType(StringType(), StringType())),
    ]
    path = tmp_path / "drop.json"
    path.write_text(
        '{"day": "2026-11-01", "at": "2026-11-01T10:00:00Z"}\n{"day": "soon", "at": "2026-11-01 10:00:00"}\n'
    )
    ten = datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert rows(path, {"cloudFiles.format": "json"}, columns) == [
        {"day": date(2026, 11, 1), "at": ten, "tags": None, "_rescued_data": None},
        {"day": None, "at": ten, "tags": None, "_rescued_data": {"day": "soon"}},
    ]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "drop.parquet"
    pq.write_table(pa.table({"id": [1, 2], "charge": ["2.5", "x"], "city": ["y", None]}), path)
    assert rows(path, {"cloudFiles.format": "parquet"}) == [
        row(1, None, None, {"charge": "2.5", "city": "y"}),
        row(2, None, None, {"charge": "x"}),
    ]
    assert column_names(path, settings(**{"cloudFiles.format": "parquet"}).file_format)["id"] == "bigint"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([20.5], pa.float32()),
        pa.array([20], pa.int64()),
        pa.array([Decimal("20.50")], pa.decimal128(9, 2)),
        pa.array(["20.5"]),
    ],
)
def test_a_parquet_value_of_another_physical_type_is_rescued(tmp_path: Path, values: pa.Array) -> None:
    pq.write_table(pa.table({"id": [1], "charge": values}), tmp_path / "drop.parquet")
    (found,) = rows(tmp_path / "drop.parquet", {"cloudFiles.format": "parquet"})
    assert found["charge"] is None
    assert found["_rescued_data"]["charge"] in (str(values[0].as_py()), values[0].as_py())


def test_a_moment_is_no_day_in_parquet(tmp_path: Path) -> None:
    moment = pa.array([datetime(2026, 11, 1, 13, 45)])  # noqa: DTZ001 (without a zone, as pandas writes it)
    pq.write_table(pa.table({"day": moment}), tmp_path / "drop.parquet")
    (found,) = rows(tmp_path / "drop.parquet", {"cloudFiles.format": "parquet"}, [StructField("day", DateType())])
    assert (found["day"], found["_rescued_data"]) == (None, {"day": "2026-11-01 13:45:00"})


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("csv", "id,charge,name\n1,2.5,a,b\n2,3\n", [(None, {"_c3": "b"}), ("2,3", None)]),
        ("json", '{"id": 1}\n{"id": 2, "char\n', [(None, None), ('{"id": 2, "char', None)]),
    ],
)
def test_a_schema_may_have_a_column_for_broken_lines(
    tmp_path: Path, kind: str, text: str, expected: list[tuple[str | None, dict[str, str] | None]]
) -> None:
    (tmp_path / "drop").write_text(text)
    found = rows(
        tmp_path / "drop", {"cloudFiles.format": kind}, [*COLUMNS, StructField("_corrupt_record", StringType())]
    )
    assert [(each["_corrupt_record"], each["_rescued_data"]) for each in found] == expected


def test_an_unreadable_file_is_named_unless_ignored(tmp_path: Path) -> None:
    path = tmp_path / "drop.parquet"
    pq.write_table(pa.table({"id": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableFileError, match=r"dbfs:/Volumes/drop\.parquet is no readable parquet file"):
        rows(path, {"cloudFiles.format": "parquet"})
    assert rows(path, {"cloudFiles.format": "parquet", "ignoreCorruptFiles": "true"}) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cloudFiles.useNotifications": "true"}, "option 'cloudFiles.useNotifications' is not supported"),
        (
            {"cloudFiles.format": "avro"},
            "cloudFiles.format is 'avro'; the local Auto Loader supports csv, json, parquet",
        ),
        ({"escape": "\\"}, r"escape is '\\\\'; the local Auto Loader supports \""),
        ({"cloudFiles.schemaEvolutionMode": "addNewColumns"}, "schemaEvolutionMode is 'addNewColumns'"),
    ],
)
def test_what_is_not_supported_is_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        settings(**options)


def test_files_are_found_in_all_folders_by_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path))
    folder = tmp_path / "volumes/c/bronze/raw"
    for name in ("2026-11-01/a.csv", "2026-11-02/b.csv", "2026-11-02/notes.txt", "_hidden/c.csv", "2026-11-02/.d.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    raw = "/Volumes/c/bronze/raw"
    found = list_files(settings(path=raw, pathGlobFilter="*.csv"))
    assert found == [f"{raw}/2026-11-01/a.csv", f"{raw}/2026-11-02/b.csv"]
    assert list_files(settings(path=f"{raw}/*-02")) == [f"{raw}/2026-11-02/b.csv", f"{raw}/2026-11-02/notes.txt"]


def test_ddl_is_split_outside_brackets() -> None:
    assert split_ddl("a INT, b STRUCT<c: INT, d: MAP<STRING, INT>>, e DECIMAL(10,2)") == [
        "a INT",
        "b STRUCT<c: INT, d: MAP<STRING, INT>>",
        "e DECIMAL(10,2)",
    ]
