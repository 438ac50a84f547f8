"""Admission: files that are admitted, files that are quarantined whole, and the reasons recorded."""

from __future__ import annotations

import io
import random
import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.core.contract import file_contracts
from churn.core.entry import Run
from churn.ingestion import ingest
from churn.ingestion.admission import examine
from churn.ingestion.ingest import ADMITTED, DUPLICATE, QUARANTINED, Delivered, Landed, assess, chunks, report

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

BY_DOMAIN = {contract.domain: contract for contract in file_contracts()}
SUPPORT = BY_DOMAIN["support"]
HEADER = ",".join(SUPPORT.sources)
TICKET = "s-1,0001-A,2026-01-02,billing,low,3.5"
WHOLE = f"{HEADER}\n{TICKET}\n".encode()
RUN = Run("c", date(2026, 1, 31), "7")
NOON = 1_767_355_200_007  # 2 January 2026, 12:00:00.007 UTC


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


BILLS = parquet(
    transaction_id=["t-1"], customer_id=["0001-A"], transaction_date=[date(2026, 1, 2)], amount=[1.5], status=["paid"]
)


def test_a_whole_file_is_admitted_without_remark() -> None:
    finding = examine(WHOLE, SUPPORT)
    assert (finding.rows, finding.fault, finding.remarks) == (1, None, ())


def test_a_whole_parquet_file_is_admitted_without_remark() -> None:
    finding = examine(BILLS, BY_DOMAIN["transactions"])
    assert (finding.rows, finding.fault, finding.remarks) == (1, None, ())


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (WHOLE[:-5], "truncated: line 2 has no end"),
        (f'{HEADER}\ns-1,"0001-A\n'.encode(), "no CSV: line 2: unexpected end of data"),
        (WHOLE.replace(b",", b";"), "wrong delimiter: the header has a semicolon where a comma is due"),
        (WHOLE.replace(b",", b"\t"), "wrong delimiter: the header has a tab where a comma is due"),
        (b"\xef\xbb\xbf" + WHOLE, "begins with a byte order mark: save it without"),
        (b"PK\x03\x04\xff\xfe\n", "no UTF-8 text: byte 4 is 0xff"),
        (WHOLE.replace(b"\n", b"\r\n", 1), "line ends are mixed: save with one kind"),
        (WHOLE.replace(b"3.5\n", b"3.5\r\n"), "line ends are mixed: save with one kind"),
        (WHOLE.replace(b"\n", b"\r", 1), "line ends are mixed: save with one kind"),
        (WHOLE.replace(b"billing", b"bill\ring"), "line ends are mixed: save with one kind"),
        (WHOLE.replace(b"\n", b"\r\n").replace(b"billing", b"bill\ring"), "line ends are mixed: save with one kind"),
    ],
)
def test_an_unreadable_text_file_is_set_aside(data: bytes, fault: str) -> None:
    finding = examine(data, SUPPORT)
    assert finding.rows is None
    assert finding.fault is not None
    assert finding.fault.startswith(fault)


DAMAGED = BILLS[:40] + bytes(20) + BILLS[60:]  # in the first page of values; the footer is whole


@pytest.mark.parametrize("data", [BILLS[:-20], BILLS[: len(BILLS) // 2], DAMAGED, b"not a table\n"])
def test_a_damaged_parquet_file_is_set_aside(data: bytes) -> None:
    finding = examine(data, BY_DOMAIN["transactions"])
    assert finding.rows is None
    assert finding.fault is not None
    assert finding.fault.startswith("damaged or no Parquet: ")


def test_a_parquet_file_with_any_byte_damaged_is_judged() -> None:
    draw = random.Random(7)  # noqa: S311 (no secret)
    outcomes: Counter[str] = Counter()
    for _ in range(1000):
        data = bytearray(BILLS)
        data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        finding = examine(bytes(data), BY_DOMAIN["transactions"])
        outcomes[(finding.fault or "admitted").partition(":")[0]] += 1
    assert set(outcomes) <= {"admitted", "missing columns", "damaged or no Parquet"}


def test_a_parquet_file_with_text_that_is_none_is_set_aside() -> None:
    values = {name: pa.array([text]) for name, text in (("transaction_id", "t-1"), ("customer_id", "a"))}
    values["status"] = pa.array([b"\xff"]).cast(pa.string(), safe=False)
    table = pa.table({**values, "transaction_date": [date(2026, 1, 2)], "amount": [1.5]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    fault = examine(buffer.getvalue(), BY_DOMAIN["transactions"]).fault
    assert fault is not None
    assert fault.startswith("damaged or no Parquet: ")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (WHOLE.replace(b",category", b"").replace(b",billing", b""), "missing columns: category"),
        (WHOLE.replace(b",resolution_hours", b"").replace(b",3.5", b""), "missing columns: resolution_hours"),
        (WHOLE.replace(b"category", b"kind"), "missing columns: category; unknown columns: kind"),
        (WHOLE.replace(b"category", b"priority"), "columns stand twice: priority; missing columns: category"),
        (b"a,b\n1,2\n", f"missing columns: {', '.join(SUPPORT.sources)}; unknown columns: a, b"),
    ],
)
def test_a_file_without_each_column_once_is_set_aside_with_its_count(data: bytes, fault: str) -> None:
    finding = examine(data, SUPPORT)
    assert (finding.rows, finding.fault) == (1, fault)


def test_a_parquet_file_without_each_column_is_set_aside_with_its_count() -> None:
    finding = examine(parquet(transaction_id=["t-1"], customer_id=["0001-A"]), BY_DOMAIN["transactions"])
    assert (finding.rows, finding.fault) == (1, "missing columns: transaction_date, amount, status")


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (f"{HEADER}\n".encode(), "no rows"),
        (f"{HEADER},agent\n{TICKET},Kim\n".encode(), "unknown columns: agent"),
        (WHOLE + b"s-2,0002-B\n", "1 records have not the header's 6 fields: line 3"),
    ],
)
def test_an_odd_file_is_admitted_and_remarked_on(data: bytes, remark: str) -> None:
    finding = examine(data, SUPPORT)
    assert finding.fault is None
    assert "; ".join(finding.remarks) == remark


@pytest.mark.parametrize("record_end", ["\n", "\r\n"])
@pytest.mark.parametrize("end_within", ["\n", "\r\n", "\r"])
def test_records_are_counted_as_spark_reads_them(
    record_end: str, end_within: str, spark: SparkSession, tmp_path: Path
) -> None:
    lines = [HEADER, f's-1,0001-A,2026-01-02,"bill{end_within}ing",low,', "", TICKET, "s-2,0002-B", f"{TICKET},,", ""]
    data = record_end.join(lines).encode()
    finding = examine(data, SUPPORT)
    (tmp_path / "support.csv").write_bytes(data)
    options = {"header": "true", "escape": '"', "multiLine": "true"}  # those of bronze
    read = spark.read.options(**options).schema(SUPPORT.delivered_schema).csv((tmp_path / "support.csv").as_uri())
    assert finding.fault is None
    assert finding.rows == read.count() == 4


def rows(*files: tuple[str, bytes], seen: dict[str, str] | None = None, modified: int = NOON) -> list[Delivered]:
    """Rows of bronze.deliveries for files, which are named by their path below landing."""
    landed = [(Landed(modified, f"{RUN.landing}/{file}", len(data)), data) for file, data in files]
    return assess(landed, {} if seen is None else seen, BY_DOMAIN, RUN)


def judged(*files: tuple[str, bytes], seen: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(row.status, row.reason or "") for row in rows(*files, seen=seen)]


def test_the_same_content_in_one_folder_is_a_duplicate_in_any_chunk() -> None:
    first, again = ("support/2026-01-02/a.csv", WHOLE), ("support/2026-01-02/b.csv", WHOLE)
    assert judged(first, again) == [(ADMITTED, ""), (DUPLICATE, "same content as support/2026-01-02/a.csv")]
    seen: dict[str, str] = {}
    assert judged(first, seen=seen) == [(ADMITTED, "")]
    assert judged(again, seen=seen) == [(DUPLICATE, "same content as support/2026-01-02/a.csv")]


def test_the_same_content_under_another_day_is_another_report() -> None:
    kept = rows(("support/2026-01-02/a.csv", WHOLE), ("support/2026-01-03/a.csv", WHOLE))
    assert [row.status for row in kept] == [ADMITTED, ADMITTED]
    names = {(row.stored or "").rpartition("/")[2] for row in kept}
    assert len(names) == 2, "delivered at one moment, they could not be put in order by name"


def test_chunks_are_bounded_and_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 10)
    files = [Landed(number, f"file {number}", size) for number, size in enumerate((4, 6, 1, 30, 0, 10))]
    assert [[file.size for file in chunk] for chunk in chunks(files)] == [[4, 6], [1], [30], [0, 10]]


def test_an_unreadable_file_is_set_aside_each_time_it_comes() -> None:
    assert [status for status, _ in judged(("support/a.csv", b""), ("support/b.csv", b""))] == [QUARANTINED] * 2


def test_two_contents_of_one_name_are_kept_apart() -> None:
    assert len({row.stored for row in rows(("support/a.csv", WHOLE), ("support/a.csv", WHOLE + b"\n"))}) == 2


def test_the_later_of_two_files_has_the_higher_name() -> None:
    moments = (0, NOON - 8, NOON - 7, NOON, NOON + 1000)
    kept = [rows(("support/a.csv", WHOLE), modified=moment)[0].stored or "" for moment in moments]
    assert kept == sorted(kept)
    assert len(set(kept)) == len(moments)


@pytest.mark.parametrize("name", ["x y%.csv", "_x_y_.csv", ".x_y_.csv"])
def test_names_are_kept_such_that_every_reader_sees_the_file(name: str) -> None:
    (row,) = rows((f"support/2026-01-02/{name}", WHOLE))
    folder = "/Volumes/c/bronze/admitted/support/2026-01-02"
    assert re.fullmatch(rf"{folder}/20260102T120000007-x_y_-[0-9a-f]{{8}}\.csv", row.stored or "")


@pytest.mark.parametrize("name", ["n" * 251 + ".csv", "n" + "é" * 125 + ".csv", "n." + "s" * 253])
def test_the_longest_name_is_kept_as_one_that_can_be_written(name: str, tmp_path: Path) -> None:
    first, second = rows((f"support/{name}", WHOLE), (f"support/{name}", WHOLE + b"\n"))
    kept = [(row.stored or "").rpartition("/")[2] for row in (first, second)]
    assert len({(tmp_path / each).write_bytes(b"") or each for each in kept}) == 2
    assert name.endswith(".csv") == kept[0].endswith(".csv")


def test_the_report_says_what_was_found() -> None:
    files = [("support/a.csv", WHOLE), ("support/b.csv", b""), ("support/c.csv", WHOLE)]
    assert report(rows(*files)).splitlines() == [
        "3 files delivered: 1 admitted, 1 quarantined, 1 duplicate; 1 rows admitted",
        "  quarantined: support/b.csv: the file is empty",
        "  duplicate: support/c.csv: same content as support/a.csv",
    ]
