"""What source systems really send: read with a remark, or set aside in words that say what it is."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from churn.ingestion import admission
from churn.ingestion.readable import MAXIMUM_LETTERS
from churn.transforms.delivered import CSV
from tests.workloads.ingestion.delivered_files import (
    ANY_FORMAT,
    BILL,
    BILLING,
    HEADER,
    SUPPORT,
    TICKET,
    WHOLE,
    bills,
    examined,
    parquet,
    readable,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from churn.core.contract import Contract
    from churn.ingestion.admission import Finding

FIELDS = TICKET.split(",")
OBJECT = dict(zip(SUPPORT.sources, FIELDS, strict=True))
LINE = json.dumps(OBJECT)
SECOND = TICKET.replace("s-1", "s-2")
TWO = f"{HEADER}\n{TICKET}\n{SECOND}\n"
NUMBERED: dict[str, list[Any]] = {name: [value, value] for name, value in OBJECT.items()}
NUMBERED |= {"ticket_id": ["s-1", "s-2"], "opened_date": [date(2026, 1, 2)] * 2, "resolution_hours": [3.5, 3.5]}
SHOUTED = HEADER.upper().replace(",", " , ")


def gzipped(data: bytes) -> bytes:
    """Compressed content without the time of now: two processes have to collect the same tests."""
    return gzip.compress(data, mtime=0)


def read_by_spark(spark: SparkSession, finding: Finding, contract: Contract = ANY_FORMAT) -> list[list[Any]]:
    """Values of an admitted file, as Spark reads it with bronze's options."""
    assert finding.readable is not None, finding.fault
    assert finding.kind is not None
    reader = spark.read.options(**(CSV if finding.kind == "csv" else {}))
    frame = reader.schema(contract.delivered_schema(finding.kind)).format(finding.kind)
    return [list(row) for row in frame.load(finding.readable.as_uri()).collect()]


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (b"\xef\xbb\xbf" + TWO.encode(), "began with a byte order mark"),
        (TWO.encode("utf-16"), "was in UTF-16"),
        (b"\xfe\xff" + TWO.encode("utf-16-be"), "was in UTF-16"),
        (TWO[:-1].encode(), "line 3 has no end, so that it may be cut"),
        (TWO.replace("\n", "\r\n").encode(), ""),
        (TWO.replace("\n", "\r\n", 1).encode(), "line ends are mixed"),
        (TWO.replace("\n", "\r", 1).encode(), "line ends are mixed"),
        (TWO.replace("\n", "\r").encode(), "lines end with a carriage return alone"),
        (TWO.replace(HEADER, SHOUTED).encode(), "columns spelled otherwise: 'TICKET_ID ', ' CUSTOMER_ID ', ' OPENED_D"),
        (gzipped(TWO.encode()), "was compressed with gzip"),
        (gzipped(TWO[:-1].encode("utf-16")), "was compressed with gzip; was in UTF-16; line 3 has no end"),
        (f"{LINE}\n{LINE.replace('s-1', 's-2')}\n".encode(), ""),
        (f"{LINE}\r\n{LINE.replace('s-1', 's-2')}".encode(), "the last line has no end, so that it may be cut"),
        (f"\n{LINE}\n\n{LINE.replace('s-1', 's-2')}\n".encode("utf-16"), "was in UTF-16"),
        (json.dumps([OBJECT, {**OBJECT, "ticket_id": "s-2"}], indent=2).encode(), "was one array"),
        (
            f"{LINE.replace('ticket_id', ' Ticket_ID')}\n{LINE.replace('s-1', 's-2')}\n".encode(),
            "columns spelled otherwise: ' Ticket_ID'",
        ),
        (
            gzipped(f"[{LINE}, {LINE.replace('s-1', 's-2')}]".encode()),
            "was compressed with gzip; was one array",
        ),
        (parquet(**NUMBERED), ""),
    ],
)
def test_what_means_the_same_is_read(spark: SparkSession, tmp_path: Path, data: bytes, remark: str) -> None:
    finding = examined(tmp_path, data, ANY_FORMAT)
    assert "; ".join(finding.remarks).startswith(remark)
    assert bool(finding.remarks) == bool(remark)
    assert finding.rows == 2
    read = [[str(value) for value in row] for row in read_by_spark(spark, finding)]
    assert sorted(read) == [FIELDS, SECOND.split(",")]


@pytest.mark.parametrize("record_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end_within", ["\n", "\r\n", "\r"])
def test_records_are_counted_as_spark_reads_them(
    record_end: str, end_within: str, spark: SparkSession, tmp_path: Path
) -> None:
    within = f's-1,0001-A,2026-01-02,"bill{end_within}ing",low,'
    lines = [HEADER, within, "", TICKET, "s-2,0002-B", f"{TICKET},,", ""]
    finding = examined(tmp_path, record_end.join(lines).encode())
    assert finding.rows == len(read_by_spark(spark, finding, SUPPORT)) == 4


def test_json_keeps_the_text_of_values_when_it_is_written_anew(tmp_path: Path) -> None:
    value = '{"a": [1, {"b": "]"}], "c": 1.10}'
    data = f'[{{"Ticket_ID" : {value},\n "x": "é\\n", "customer_id": 12345678901234567890.10'.encode()
    others = "".join(f', "{name}": null' for name in SUPPORT.sources[2:])
    finding = examined(tmp_path, data + f"{others}}}]".encode(), ANY_FORMAT)
    kept = others.replace(", ", ",").replace(": ", ":")
    due = f'{{"ticket_id":{value},"x":"é\\n","customer_id":12345678901234567890.10{kept}}}\n'
    assert readable(finding).decode() == due


def test_a_line_of_json_that_is_no_object_is_a_row_of_its_own(spark: SparkSession, tmp_path: Path) -> None:
    finding = examined(tmp_path, f'{LINE}\n{LINE[:30]}\n[1]\n"x"\n'.encode(), ANY_FORMAT)
    assert (finding.rows, finding.remarks) == (4, ("3 records are no JSON objects: record 2, 3, 4",))
    assert len(read_by_spark(spark, finding)) == 4


def packed(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), WHOLE)  # with no time of now
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return buffer.getvalue()


@pytest.mark.parametrize("contract", [SUPPORT, BILLING, ANY_FORMAT], ids=["csv", "parquet", "any"])
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (packed("support.csv"), "is a zip archive: deliver the files in it"),
        (packed("support.csv")[:40], "is a zip archive: deliver the files in it"),
        (packed("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook (xlsx): save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "is an Excel workbook (xls): save it as CSV"),
        (tarred(), "is a tar archive: deliver the files in it"),
        (gzipped(tarred()), "is a tar archive: deliver the files in it"),
        (gzipped(gzipped(WHOLE)), "is compressed twice: compress it once, or not at all"),
        (gzipped(WHOLE)[:-9], "damaged gzip: "),
        (gzipped(WHOLE)[:-8] + bytes(8), "damaged gzip: "),
        (b"<!DOCTYPE html><title>403</title>", "is XML or HTML, perhaps the error page of a download"),
        (WHOLE.decode().encode("utf-32"), "is in another encoding, UTF-32: save it as UTF-8"),
    ],
)
def test_what_is_no_table_is_set_aside_by_what_it_is(
    tmp_path: Path, data: bytes, fault: str, contract: Contract
) -> None:
    finding = examined(tmp_path, data, contract)
    assert (finding.fault or "").startswith(fault)
    assert (finding.rows, finding.readable) == (None, None)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (WHOLE.decode().encode("utf-16-le"), "is in another encoding, perhaps UTF-16 without a byte order mark"),
        (
            WHOLE.replace(b"billing", b"b\xe9ta"),
            f"no UTF-8 text: byte {len(HEADER) + 24} is 0xe9; if it is text, it is",
        ),
        (WHOLE * 30_000 + b"\xff", f"no UTF-8 text: byte {len(WHOLE) * 30_000} is 0xff"),
        (WHOLE.decode().encode("utf-16")[:-1], "no UTF-16 text: byte "),
        (b"\n" + WHOLE, "the first line, due as header, is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (HEADER.encode() + b"a" * MAXIMUM_LETTERS, "line 1 is longer than 1,048,576 letters"),
        (WHOLE + b'"' + b"a\n" * MAXIMUM_LETTERS, "no CSV: line "),
        (b'{"a": 1\n', "no JSON: no line holds an object of its own"),
        (f"[{LINE}, {LINE}"[:-9].encode(), "no JSON: record 2: "),
        (f"[{LINE} {LINE}]".encode(), "no JSON: the array breaks off after record 1"),
        (f"[{LINE},".encode(), "no JSON: record 2 of the array is no object"),
        (f"[{LINE}, 3]".encode(), "no JSON: record 2 of the array is no object"),
        (f"[{LINE}] {LINE}".encode(), "no JSON: something stands behind the array"),
        (b'[{"a": "' + b"a" * 2 * MAXIMUM_LETTERS, "no JSON: record 1: "),
        (b'{"a":' * 100_000 + b"\n", "no JSON: no line holds an object of its own"),
        (b'{"category": 1, "Category": 2}\n', "columns stand twice: category: record 1"),
        (b'{"category": 1}\n{"kind": 2}\n', "missing columns: ticket_id, customer_id, opened_date, priority, resol"),
    ],
)
def test_text_that_cannot_be_read_is_set_aside(tmp_path: Path, data: bytes, fault: str) -> None:
    assert (examined(tmp_path, data, ANY_FORMAT).fault or "").startswith(fault)


@pytest.mark.parametrize(
    ("data", "what"), [(f"{LINE}\n".encode(), "JSON"), (f"[{LINE}]".encode(), "JSON"), (parquet(a=[1]), "Parquet")]
)
def test_a_format_that_the_contract_does_not_list_is_set_aside(tmp_path: Path, data: bytes, what: str) -> None:
    assert examined(tmp_path, data).fault == f"is {what} where the contract lists CSV"


def test_a_file_that_unpacks_to_more_than_the_disk_holds_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MAXIMUM_BYTES", 0)
    finding = examined(tmp_path, gzipped(WHOLE))
    assert finding.fault == "unpacks to more than 0 GiB: deliver it in parts"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"customer_id": pa.array([42])}, "customer_id is int64 where STRING is due"),
        (
            {"transaction_date": [datetime(2026, 1, 2, 13, 45)]},  # noqa: DTZ001 (without a zone, as pandas writes it)
            "transaction_date is timestamp[us] where DATE is due",
        ),
        ({"transaction_date": ["2026-01-02"]}, "transaction_date is string where DATE is due"),
        ({"amount": [Decimal("1.50")]}, "amount is decimal128(3, 2) where DOUBLE is due"),
        ({"amount": ["1.5"]}, "amount is string where DOUBLE is due"),
        ({"amount": [2**53 + 1]}, "amount is int64, and double would lose something of a value"),
    ],
)
def test_a_parquet_type_that_would_lose_something_is_set_aside(
    tmp_path: Path, changed: dict[str, Any], fault: str
) -> None:
    finding = examined(tmp_path, bills(**changed), BILLING)
    assert (finding.fault or "").startswith(f"columns of another type: {fault}")


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"amount": pa.array([2])}, "columns of a type that was widened: amount is int64"),
        ({"amount": pa.array([1.5], pa.float32())}, "columns of a type that was widened: amount is float"),
        ({"amount": pa.nulls(1)}, "columns of a type that was widened: amount is null"),
        ({"status": pa.array(["paid"]).dictionary_encode()}, ""),
        ({"status": pa.array(["paid"], pa.large_string())}, ""),
        ({"seen_at": [datetime(2026, 1, 2, tzinfo=UTC)]}, "unknown columns: seen_at"),
    ],
)
def test_a_parquet_type_that_loses_nothing_is_read(
    spark: SparkSession, tmp_path: Path, changed: dict[str, Any], remark: str
) -> None:
    finding = examined(tmp_path, bills(**changed), BILLING)
    assert "; ".join(finding.remarks) == remark
    ((*_, amount, status),) = read_by_spark(spark, finding, BILLING)
    due = pa.array(changed["amount"])[0].as_py() if "amount" in changed else 1.5
    assert (amount, status) == (due, "paid")


def test_a_parquet_column_spelled_otherwise_is_read(spark: SparkSession, tmp_path: Path) -> None:
    finding = examined(tmp_path, parquet(**{name.upper(): values for name, values in BILL.items()}), BILLING)
    assert finding.remarks[0].startswith("columns spelled otherwise: 'TRANSACTION_ID'")
    assert read_by_spark(spark, finding, BILLING) == [["t-1", "0001-A", date(2026, 1, 2), 1.5, "paid"]]
