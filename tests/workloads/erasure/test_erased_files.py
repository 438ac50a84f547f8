"""Files of every kind without the rows of an erased customer: the other records keep the text that they had."""

from __future__ import annotations

import gzip
import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from churn.core.erased import Erased, hashed
from churn.erasure.text_search import names
from churn.ingestion.admission import examine
from tests.workloads.ingestion.delivered_files import ANY_FORMAT, BILLING, HEADER, SUPPORT, bills, parquet, placed

if TYPE_CHECKING:
    from pathlib import Path

    from churn.ingestion.admission import Finding

GONE = "7590-VHVEG"
KEY = b"a key"
HASH = hashed(KEY, GONE)
ERASED = Erased({"erasure/key": frozenset([HASH])}, {"erasure/key": KEY})
THEIRS = f"s-1,{GONE},2026-01-02,billing,low,3.5"
# Ids that have the erased one in them are others'; a quoted value holds what ends a record elsewhere.
OTHERS = [f"s-2,{GONE}-2,2026-01-02,billing,low,3.5", f's-3,1{GONE},2026-01-02,"bill\ning ""x""",low,03.50']
LINES = [HEADER, OTHERS[0], THEIRS, OTHERS[1]]
KEPT = "\n".join([HEADER, *OTHERS, ""])


def record(line: str) -> dict[str, Any]:
    return dict(zip(SUPPORT.sources, line.split(","), strict=True))


def left_of(finding: Finding) -> bytes:
    assert finding.readable is not None, finding.fault
    return finding.readable.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        "\n".join([*LINES, ""]).encode(),
        "\r\n".join([*LINES, ""]).replace("bill\r\n", "bill\n").encode(),
        "\n".join(LINES).encode("utf-16"),
        b"\xef\xbb\xbf" + "\n".join([*LINES, ""]).encode(),
        gzip.compress("\n".join(LINES).encode(), mtime=0),
        gzip.compress("\n".join(LINES).encode("utf-16"), mtime=0),
        "\n".join([HEADER.upper(), *LINES[1:], ""]).encode(),
        "\n".join([*LINES[:2], f"s-1, {GONE} ,2026-01-02,billing,low,3.5", LINES[3], ""]).encode(),
    ],
)
def test_text_keeps_the_records_of_others(tmp_path: Path, data: bytes) -> None:
    finding = examine(placed(tmp_path, data), ANY_FORMAT, ERASED)
    assert (finding.rows, dict(finding.erased)) == (3, {HASH: 1})
    assert left_of(finding).decode() == KEPT
    assert finding.remarks[-1] == "1 rows of erased customers were left out"


@pytest.mark.parametrize(
    ("line", "theirs"),
    [
        (f"s-1,{GONE},2026-01-02", True),  # too few fields
        (f"{GONE},2026-01-02,billing,low,3.5", True),  # the id under another name
        (f"s-1,,2026-01-02,{GONE},low,3.5", True),  # no id under its name
        (f"s-1,o1,2026-01-02,{GONE},low,3.5", False),  # another's row, whose values stand under their names
        (f"s-1,,2026-01-02,{GONE}-2,low,3.5", False),
    ],
)
def test_a_record_out_of_order_is_theirs_if_it_names_them(tmp_path: Path, line: str, theirs: bool) -> None:
    data = f"{HEADER}\n{line}\n{OTHERS[0]}\n".encode()
    finding = examine(placed(tmp_path, data), SUPPORT, ERASED)
    assert dict(finding.erased) == ({HASH: 1} if theirs else {})
    assert left_of(finding).decode() == (f"{HEADER}\n{OTHERS[0]}\n" if theirs else data.decode())


@pytest.mark.parametrize("array", [False, True])
def test_json_keeps_the_objects_of_others(tmp_path: Path, array: bool) -> None:
    other = json.dumps({**record(OTHERS[0]), "more": {"a": [1.50]}})
    objects = [json.dumps(record(THEIRS)), other, json.dumps({**record(THEIRS), "customer_id": f" {GONE}"})]
    broken = [] if array else [f'{{"customer_id": "{GONE}", ', "{"]
    data = f"[{', '.join(objects)}]" if array else "\n".join([*objects, *broken, ""])
    finding = examine(placed(tmp_path, data.encode()), ANY_FORMAT, ERASED)
    assert dict(finding.erased) == {HASH: 2 if array else 3}
    assert left_of(finding).decode() == (f"{other}\n" if array else f"{other}\n{{\n")


def test_parquet_keeps_the_rows_of_others(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "transaction_id": ["t-1", "t-2", f"of {GONE}", "t-4"],
        "customer_id": [GONE, "o1", None, f"{GONE}-2"],
        "transaction_date": [date(2026, 1, 2)] * 4,
        "amount": [1, 2, 3, 4],
        "status": ["paid"] * 4,
    }
    finding = examine(placed(tmp_path, parquet(**columns)), BILLING, ERASED)
    assert (finding.rows, dict(finding.erased)) == (4, {HASH: 2})
    rows = pq.read_table(io.BytesIO(left_of(finding))).to_pylist()
    assert [(row["transaction_id"], row["amount"]) for row in rows] == [("t-2", 2.0), ("t-4", 4.0)]


def test_a_file_without_them_stays_as_it_is(tmp_path: Path) -> None:
    for data, contract in ((f"{HEADER}\r\n{OTHERS[0]}\r\n".encode(), SUPPORT), (bills(), BILLING)):
        file = placed(tmp_path, data)
        assert examine(file, contract, ERASED).readable == file


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (f"a;{GONE};b".encode(), True),
        (GONE.encode(), True),
        (f"a;{GONE}-2;{GONE}x;x{GONE}".encode(), False),
        (f"a;{GONE};b".encode("utf-16"), True),
        (f"a;{GONE}2;b".encode("utf-16"), False),
        (f";{GONE};".encode("utf-16-be"), True),
        (gzip.compress(f"a;{GONE};b".encode(), mtime=0), True),
        (gzip.compress(f"a;{GONE};b".encode(), mtime=0)[:20], False),
        (b"x;" * (2**19 - 3) + f"{GONE};".encode(), True),  # where two parts of the file meet
        (b"x;" * (2**19 - 3) + f"{GONE}2;".encode(), False),
        (b"x;" * (2**19 - 30) + b"x" + f"{GONE};".encode() + b";" * 100, False),
    ],
)
def test_an_id_is_found_in_a_file_that_nobody_reads_by_rows(tmp_path: Path, data: bytes, named: bool) -> None:
    assert names(placed(tmp_path, data), GONE) == named


def test_a_hash_needs_its_key_and_ignores_blanks() -> None:
    assert hashed(KEY, f" {GONE}\n") == HASH != hashed(b"another", GONE)
    assert (ERASED.find(GONE), ERASED.find("o1")) == (HASH, None)
