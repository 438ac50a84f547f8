"""Files with random faults, a thousand with --soak: each is judged, and Spark finds the rows that were counted."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as sf

from churn.transforms.delivered import CSV
from tests.workloads.ingestion.delivered_files import ANY_FORMAT, HEADER, SUPPORT, TICKET, examined

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

OBJECTS = [dict(zip(SUPPORT.sources, TICKET.split(","), strict=True)) | {"ticket_id": f"s-{n}"} for n in range(5)]
QUOTED = [
    HEADER,
    TICKET,
    's-2,0002-B,2026-01-02,"bill\n""ing"", a",low,',
    '"s-3",0003-C,"2026-01-02",other,low,"1"',
    TICKET,
]
FILES = {
    "csv": ("\n".join([*QUOTED, ""]).encode(), 500),
    "csv of Windows": ("\r\n".join([*QUOTED, ""]).encode(), 200),
    "json": ("".join(f"{json.dumps(each)}\n" for each in OBJECTS).encode(), 150),
    "json array": (json.dumps(OBJECTS, indent=1).encode(), 150),
}
PIECES = (
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"\xc3",
    b"\x00",
    b"x",
    b"",
)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A file with one to three pieces of it replaced by others."""
    changed = data
    for _ in range(draw.randint(1, 3)):
        start = draw.randrange(len(changed))
        end = start + draw.choice((0, 0, 1, 1, 2, 40))
        changed = changed[:start] + draw.choice(PIECES) + changed[end:]
    return changed[: draw.randrange(len(changed))] if draw.random() < 0.05 else changed


@pytest.mark.parametrize("kind", FILES)
def test_no_row_of_a_mutated_file_is_lost(
    spark: SparkSession, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    data, most = FILES[kind]
    times = most if request.config.getoption("--soak") else most // 5
    draw = random.Random(kind)  # noqa: S311 (no secret)
    counted: dict[str, tuple[int, bytes]] = {}
    admitted = tmp_path / "admitted"
    for folder in (admitted / "csv", admitted / "json"):
        folder.mkdir(parents=True)
    for number in range(times):
        file = mutated(data, draw)
        finding = examined(tmp_path, file, ANY_FORMAT)
        assert (finding.fault is None) == (finding.readable is not None)
        if finding.readable is not None and finding.rows:
            (admitted / str(finding.kind) / str(number)).write_bytes(finding.readable.read_bytes())
            counted[str(number)] = (finding.rows, file)
    assert times / 10 < len(counted) < times
    found: dict[str, int] = {}
    for each, options in (("csv", CSV), ("json", {})):
        frame = spark.read.options(**options).schema(ANY_FORMAT.delivered_schema(each)).format(each)
        if any((admitted / each).iterdir()):
            names = frame.load((admitted / each).as_uri()).select(sf.col("_metadata.file_name").alias("name"))
            found |= {row.name: row["count"] for row in names.groupBy("name").count().collect()}
    differing = {data: (rows, found.get(name)) for name, (rows, data) in counted.items() if rows != found.get(name)}
    assert differing == {}
