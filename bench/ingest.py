"""Time and memory of the task `ingest` for one large file: download, examination, and the upload of what is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType

from cli.environment import process_environment
from cli.errors import CommandError
from cli.lifecycle import workspace_client
from local import supervisor
from local.settings import REPOSITORY, LocalSettings

MIB = 2**20
SIZE_MIB = int(os.environ.get("BENCH_INGEST_MIB", "1024"))
CATALOG = "bench_ingest"
FOLDER = f"/Volumes/{CATALOG}/landing/support/2026-01-02"
COLUMNS = ("ticket_id", "customer_id", "opened_date", "category", "priority", "resolution_hours")
ROWS_AT_ONCE = 100_000
# Kinds of text file: encoding, beginning and end of the file, and what stands between two records.
TEXTS = {
    "csv": ("utf-8", ",".join(COLUMNS) + "\n", "\n", "\n"),
    "csv in UTF-16": ("utf-16", ",".join(COLUMNS) + "\n", "\n", "\n"),
    "json": ("utf-8", "", "\n", "\n"),
    "json array": ("utf-8", "[", "]", ",\n"),
}
PARQUET = "parquet"


def ingest() -> Iterator[tuple[str, str]]:
    """One file of 1 GiB (or BENCH_INGEST_MIB) of each kind, taken in on the platform that `make up` has brought up."""
    settings = LocalSettings.load()
    if not supervisor.running(settings):
        raise CommandError("`ingest` is measured on a platform that is up: `make up` first")
    client = workspace_client(settings)
    for kind in (*TEXTS, PARQUET):
        with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder:
            file = Path(folder) / "file"
            _write(kind, file, SIZE_MIB * MIB)
            size_mib = file.stat().st_size / MIB
            _deliver(client, file)
            file.unlink()
            try:
                seconds, peak_mib, said = _taken_in(process_environment(settings))
            finally:
                client.catalogs.delete(CATALOG, force=True)
        yield f"`ingest`, one file of {size_mib:,.0f} MiB, {kind}", f"{seconds:.0f} s, peak {peak_mib:.0f} MiB; {said}"


def _deliver(client: WorkspaceClient, file: Path) -> None:
    """Puts a file into a catalog of its own."""
    client.catalogs.create(CATALOG, storage_root=f"{file.parent.as_uri()}/catalog")
    for schema in ("landing", "bronze", "mlops"):
        client.schemas.create(schema, CATALOG)
    for schema, volume in (("landing", "support"), ("bronze", "admitted"), ("bronze", "quarantine")):
        client.volumes.create(CATALOG, schema, volume, VolumeType.MANAGED)
    with file.open("rb") as opened:
        client.files.upload(f"{FOLDER}/{file.name}", opened, use_parallel=False)


def _taken_in(environment: dict[str, str]) -> tuple[float, float, str]:
    """Runs the task; returns its seconds, its peak of memory in MiB, and the first line of its report."""
    arguments = [f"--catalog={CATALOG}", "--date=2026-01-31", "--run_id=bench"]
    command = [sys.executable, "-m", "churn.ingestion.ingest", *arguments]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        task = subprocess.Popen(
            command, env=environment, cwd=REPOSITORY / "workloads" / "src", stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(task.pid, 0)
        seconds = time.monotonic() - began
        output.seek(0)
        lines = output.read().splitlines()
    reports = [line for line in lines if "files delivered" in line]
    if status != 0 or not reports:
        raise CommandError("\n".join(lines[-30:]))
    return seconds, usage.ru_maxrss / 1024, reports[0]


def _write(kind: str, path: Path, size: int) -> None:
    """Writes a file of a kind and of a size in bytes."""
    if kind == PARQUET:
        _write_parquet(path, size)
        return
    encoding, first, last, between = TEXTS[kind]
    number = 0
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(first)
        while file.tell() < size:
            rows = (_ticket(each) for each in range(number, number + ROWS_AT_ONCE))
            records = (
                ",".join(row) if "csv" in kind else json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows
            )
            file.write((between if number else "") + between.join(records))
            number += ROWS_AT_ONCE
        file.write(last)


def _write_parquet(path: Path, size: int) -> None:
    """Writes a Parquet file, uncompressed, so that its size is that of its values."""
    types = (*[pa.string()] * 2, pa.date32(), *[pa.string()] * 2, pa.float64())
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    number = 0
    with pq.ParquetWriter(path, schema, use_dictionary=False, compression="none") as writer:
        while not path.exists() or path.stat().st_size < size:
            rows = zip(*(_ticket(each) for each in range(number, number + ROWS_AT_ONCE)), strict=True)
            columns = [pa.array(values).cast(kind) for values, kind in zip(rows, types, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            number += ROWS_AT_ONCE


def _ticket(number: int) -> tuple[str, ...]:
    return (f"s-{number}", f"{number % 7000:04}-ABCDE", "2026-01-02", "billing", "low", "3.5")
