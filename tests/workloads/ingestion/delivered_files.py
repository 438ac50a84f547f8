"""Delivered files of the tests: a model ticket and bill, and their examination."""

from __future__ import annotations

import hashlib
import io
import itertools
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from churn.core.contract import file_contracts
from churn.core.entry import Run
from churn.ingestion import ingest
from churn.ingestion.admission import Finding, examine

if TYPE_CHECKING:
    from pathlib import Path

    from churn.core.contract import Contract

BY_DOMAIN = {contract.domain: contract for contract in file_contracts()}
SUPPORT, BILLING = replace(BY_DOMAIN["support"], formats=("csv",)), BY_DOMAIN["transactions"]
ANY_FORMAT = replace(SUPPORT, formats=("csv", "json", "parquet"))
HEADER = ",".join(SUPPORT.sources)
TICKET = "s-1,0001-A,2026-01-02,billing,low,3.5"
WHOLE = f"{HEADER}\n{TICKET}\n".encode()
RUN = Run("c", date(2026, 1, 31), "7")
NOON = 1_767_355_200_007  # 2 January 2026, 12:00:00.007 UTC
BILL: dict[str, list[Any]] = {
    "transaction_id": ["t-1"],
    "customer_id": ["0001-A"],
    "transaction_date": [date(2026, 1, 2)],
    "amount": [1.5],
    "status": ["paid"],
}
_numbers = itertools.count()


def parquet(**columns: Any) -> bytes:
    """A Parquet file of columns."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def bills(**changed: Any) -> bytes:
    """A Parquet file of the model bill, with other columns."""
    return parquet(**{**BILL, **changed})


def placed(folder: Path, data: bytes) -> Path:
    """A new file in a folder."""
    path = folder / f"file-{next(_numbers)}"
    path.write_bytes(data)
    return path


def examined(folder: Path, data: bytes, contract: Contract = SUPPORT) -> Finding:
    """What the examination of a file finds."""
    return examine(placed(folder, data), contract)


def readable(finding: Finding) -> bytes:
    """Content of a file as bronze reads it."""
    assert finding.readable is not None, finding.fault
    return finding.readable.read_bytes()


def copied(folder: Path, file: str, data: bytes, modified: int = NOON) -> ingest.Copy:
    """A copy of a landed file, named by its path below landing."""
    landed = ingest.Landed(modified, f"{RUN.landing}/{file}", len(data))
    return ingest.Copy(landed, placed(folder, data), hashlib.sha256(data).hexdigest(), len(data), (None, None))
