"""Admission: files that are admitted, files that are quarantined whole, and the reasons recorded."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from churn.core.tables import ADMITTED, DUPLICATE, QUARANTINED
from churn.ingestion import ingest
from churn.ingestion.ingest import Delivered, Landed, assess, chunks, report, waits
from tests.workloads.ingestion.delivered_files import (
    BILLING,
    BY_DOMAIN,
    HEADER,
    NOON,
    RUN,
    SUPPORT,
    TICKET,
    WHOLE,
    bills,
    copied,
    examined,
    parquet,
    readable,
)

if TYPE_CHECKING:
    from pathlib import Path

    from churn.core.contract import Contract

BILLS = bills()


@pytest.mark.parametrize(("data", "contract"), [(WHOLE, SUPPORT), (BILLS, BILLING)])
def test_a_whole_file_is_admitted_as_it_is(tmp_path: Path, data: bytes, contract: Contract) -> None:
    finding = examined(tmp_path, data, contract)
    assert (finding.rows, finding.fault, finding.remarks, readable(finding)) == (1, None, (), data)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (f'{HEADER}\ns-1,"0001-A\n'.encode(), "no CSV: line 2: unexpected end of data"),
        (WHOLE.replace(b",", b";"), "wrong delimiter: the header has a semicolon where a comma is due"),
        (WHOLE.replace(b",", b"\t"), "wrong delimiter: the header has a tab where a comma is due"),
    ],
)
def test_an_unreadable_text_file_is_set_aside(tmp_path: Path, data: bytes, fault: str) -> None:
    finding = examined(tmp_path, data)
    assert finding.rows is None
    assert finding.fault is not None
    assert finding.fault.startswith(fault)


DAMAGED = BILLS[:40] + bytes(20) + BILLS[60:]  # in the first page of values; the footer is whole


@pytest.mark.parametrize("data", [BILLS[:-20], BILLS[: len(BILLS) // 2], DAMAGED, b"not a table\n"])
def test_a_damaged_parquet_file_is_set_aside(tmp_path: Path, data: bytes) -> None:
    finding = examined(tmp_path, data, BILLING)
    assert finding.rows is None
    assert finding.fault is not None
    assert finding.fault.startswith("damaged or no Parquet: ")


def test_a_parquet_file_with_any_byte_damaged_is_judged(tmp_path: Path) -> None:
    draw = random.Random(7)  # noqa: S311 (no secret)
    outcomes: Counter[str] = Counter()
    for _ in range(1000):
        data = bytearray(BILLS)
        data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        finding = examined(tmp_path, bytes(data), BILLING)
        outcomes[(finding.fault or "admitted").partition(":")[0]] += 1
    assert set(outcomes) <= {"admitted", "missing columns", "damaged or no Parquet", "columns of another type"}


def test_a_parquet_file_with_text_that_is_none_is_set_aside(tmp_path: Path) -> None:
    no_text = pa.array([b"\xff"]).cast(pa.string(), safe=False)
    fault = examined(tmp_path, bills(status=no_text), BILLING).fault
    assert fault is not None
    assert fault.startswith("damaged or no Parquet: ")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (WHOLE.replace(b",category", b"").replace(b",billing", b""), "missing columns: category"),
        (WHOLE.replace(b",resolution_hours", b"").replace(b",3.5", b""), "missing columns: resolution_hours"),
        (WHOLE.replace(b"category", b"kind"), "missing columns: category; unknown columns: kind"),
        (WHOLE.replace(b"category", b"priority"), "columns stand twice: priority; missing columns: category"),
        (
            WHOLE.partition(b"\n")[2] * 2,
            f"none of the contract's columns: {', '.join(SUPPORT.sources)}; text begins with a line of names",
        ),
    ],
)
def test_a_file_without_each_column_once_is_set_aside_with_its_count(tmp_path: Path, data: bytes, fault: str) -> None:
    finding = examined(tmp_path, data)
    assert (finding.rows, finding.fault) == (1, fault)


def test_a_parquet_file_without_each_column_is_set_aside_with_its_count(tmp_path: Path) -> None:
    finding = examined(tmp_path, parquet(transaction_id=["t-1"], customer_id=["0001-A"]), BILLING)
    assert (finding.rows, finding.fault) == (1, "missing columns: transaction_date, amount, status")


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (f"{HEADER}\n".encode(), "no rows"),
        (f"{HEADER},agent\n{TICKET},Kim\n".encode(), "unknown columns: agent"),
        (WHOLE + b"s-2,0002-B\n", "1 records have not the header's 6 fields: line 3"),
    ],
)
def test_an_odd_file_is_admitted_and_remarked_on(tmp_path: Path, data: bytes, remark: str) -> None:
    finding = examined(tmp_path, data)
    assert finding.fault is None
    assert "; ".join(finding.remarks) == remark


def rows(
    folder: Path, *files: tuple[str, bytes], seen: dict[str, str] | None = None, modified: int = NOON
) -> list[Delivered]:
    """Rows of bronze.deliveries for files, which are named by their path below landing."""
    copies = [copied(folder, file, data, modified) for file, data in files]
    return [row for row, _ in assess(copies, {} if seen is None else seen, BY_DOMAIN, RUN).taken]


def judged(folder: Path, *files: tuple[str, bytes], seen: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(row.status, row.reason or "") for row in rows(folder, *files, seen=seen)]


def test_the_same_content_in_one_folder_is_a_duplicate_in_any_chunk(tmp_path: Path) -> None:
    first, again = ("support/2026-01-02/a.csv", WHOLE), ("support/2026-01-02/b.csv", WHOLE)
    assert judged(tmp_path, first, again) == [(ADMITTED, ""), (DUPLICATE, "same content as support/2026-01-02/a.csv")]
    seen: dict[str, str] = {}
    assert judged(tmp_path, first, seen=seen) == [(ADMITTED, "")]
    assert judged(tmp_path, again, seen=seen) == [(DUPLICATE, "same content as support/2026-01-02/a.csv")]


def test_the_same_day_in_the_manner_of_hive_is_the_same_folder(tmp_path: Path) -> None:
    first, again = rows(tmp_path, ("support/2026-01-02/a.csv", WHOLE), ("support/dt=2026-01-02/a.csv", WHOLE))
    assert (first.status, again.status) == (ADMITTED, DUPLICATE)


def test_the_same_content_under_another_day_is_another_report(tmp_path: Path) -> None:
    kept = rows(tmp_path, ("support/2026-01-02/a.csv", WHOLE), ("support/2026-01-03/a.csv", WHOLE))
    assert [row.status for row in kept] == [ADMITTED, ADMITTED]
    names = {(row.stored or "").rpartition("/")[2] for row in kept}
    assert len(names) == 2, "delivered at one moment, they could not be put in order by name"


@pytest.mark.parametrize(
    "folder", ["2026-01-02", "date=2026-01-02", "dt=2026-01-02", "region=eu/dt=2026-01-02", "date=2026-01-02/region=eu"]
)
def test_a_folder_names_its_day(tmp_path: Path, folder: str) -> None:
    (row,) = rows(tmp_path, (f"support/{folder}/a.csv", WHOLE))
    assert row.status == ADMITTED
    assert "/bronze/admitted/support/2026-01-02/" in (row.stored or "")


@pytest.mark.parametrize("folder", ["20260102", "2026-01", "2026-02-30", "january", "date=20260102", "2026-01-02x"])
def test_a_folder_that_names_no_day_is_set_aside(tmp_path: Path, folder: str) -> None:
    remedy = "deliver it to a folder such as 2026-01-02, date=2026-01-02 or dt=2026-01-02"
    assert judged(tmp_path, (f"support/{folder}/a.csv", WHOLE)) == [
        (QUARANTINED, f"its folder {folder} names no day, or several: {remedy}")
    ]


def test_a_file_in_no_folder_or_in_those_of_two_days_is_set_aside(tmp_path: Path) -> None:
    (alone, _), (two, _) = [
        judged(tmp_path, (file, WHOLE))[0] for file in ("support/a.csv", "support/2026-01-02/dt=2026-01-03/a.csv")
    ]
    assert (alone, two) == (QUARANTINED, QUARANTINED)


def test_a_day_that_had_not_come_at_its_delivery_is_set_aside(tmp_path: Path) -> None:
    assert judged(tmp_path, ("support/2062-01-01/a.csv", WHOLE)) == [
        (QUARANTINED, "its folder names 2062-01-01, a day after the run's, 2026-01-31, and after its delivery")
    ]


def test_a_file_of_a_day_after_the_run_s_waits_for_its_run() -> None:
    february = int(datetime(2026, 2, 2, 23, tzinfo=UTC).timestamp() * 1000)
    days = ("2026-01-31", "2026-02-01", "2026-02-03", "2026-02-04", "other")
    files = [Landed(february, f"{RUN.landing}/support/{day}/a.csv", 1) for day in days]
    assert [waits(file, RUN) for file in files] == [False, True, True, False, False]


def test_chunks_are_bounded_and_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 10)
    files = [Landed(number, f"file {number}", size) for number, size in enumerate((4, 6, 1, 30, 0, 10))]
    assert [[file.size for file in chunk] for chunk in chunks(files)] == [[4, 6], [1], [30], [0, 10]]


def test_an_unreadable_file_is_set_aside_each_time_it_comes(tmp_path: Path) -> None:
    files = [(f"support/2026-01-02/{name}.csv", b"") for name in "ab"]
    assert judged(tmp_path, *files) == [(QUARANTINED, "the file is empty")] * 2


def test_two_contents_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    file = "support/2026-01-02/a.csv"
    assert len({row.stored for row in rows(tmp_path, (file, WHOLE), (file, WHOLE + b"\n"))}) == 2


def test_the_later_of_two_files_has_the_higher_name(tmp_path: Path) -> None:
    moments = (0, NOON - 8, NOON - 7, NOON, NOON + 1000)
    kept = [rows(tmp_path, ("support/2026-01-02/a.csv", WHOLE), modified=moment)[0].stored or "" for moment in moments]
    assert kept == sorted(kept)
    assert len(set(kept)) == len(moments)


@pytest.mark.parametrize("name", ["x y%.txt", "x y%.csv.gz", "x y%.csv", "_x_y_.csv", ".x_y_.csv"])
def test_names_are_kept_such_that_every_reader_sees_the_file(tmp_path: Path, name: str) -> None:
    (row,) = rows(tmp_path, (f"support/2026-01-02/{name}", WHOLE))
    folder = "/Volumes/c/bronze/admitted/support/2026-01-02"
    assert re.fullmatch(rf"{folder}/20260102T120000007-x_y_-[0-9a-f]{{8}}\.csv", row.stored or "")


@pytest.mark.parametrize("name", ["n" * 251 + ".csv", "n" + "é" * 125 + ".csv", "n." + "s" * 253])
def test_the_longest_name_is_kept_as_one_that_can_be_written(name: str, tmp_path: Path) -> None:
    file = f"support/2026-01-02/{name}"
    taken = rows(tmp_path, (file, WHOLE), (file, WHOLE + b"\n"), (file, b""), (file, b"\n"))
    kept = [(row.stored or "").rpartition("/")[2] for row in taken]
    assert len({(tmp_path / each).write_bytes(b"") or each for each in kept}) == 4
    assert all(each.endswith(".csv") for each in kept[:2])
    assert name.endswith(".csv") == kept[2].endswith(".csv")


def test_the_report_says_what_was_found(tmp_path: Path) -> None:
    files = [(f"support/2026-01-02/{name}.csv", data) for name, data in zip("abc", (WHOLE, b"", WHOLE), strict=True)]
    assert report(rows(tmp_path, *files), ["support/2026-02-01/d.csv"]).splitlines() == [
        "3 files delivered: 1 admitted, 1 quarantined, 1 duplicate; 1 rows admitted",
        "  quarantined: support/2026-01-02/b.csv: the file is empty",
        "  duplicate: support/2026-01-02/c.csv: same content as support/2026-01-02/a.csv",
        "  waiting: support/2026-02-01/d.csv: its folder names a day after the run's",
    ]
