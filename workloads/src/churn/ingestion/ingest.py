"""Takes in what was delivered: `ingest`.

Every file in `<domain>/…` of the volume `raw` is examined and moved: to the volume `admitted`, which bronze reads, or
whole to `quarantine`. A file whose content was admitted from the same folder before is a duplicate, and is removed:
under another day the same content is another report. The ledger bronze.deliveries has one row per file and what became
of it. An interrupted run is finished by the next: a file leaves `raw` only after the ledger knows it. A file that is
replaced during a run is left to the next: each is read again directly before it is deleted. What comes between these
two is lost, since the Files API deletes on no condition; so deliver each file under a name of its own.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound

from churn import tasks
from churn.core.contract import Contract, contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.tables import Table
from churn.ingestion.admission import examine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FILES_AT_ONCE = 8
CHUNK_BYTES = 256 * 2**20  # of files that are held in memory together
NAME_LETTERS = 255  # the longest name that file systems take
FINGERPRINT_LETTERS = 8
ADMITTED, QUARANTINED, DUPLICATE = "admitted", "quarantined", "duplicate"

DELIVERIES = "bronze.deliveries"
LEDGER = Table(
    DELIVERIES,
    """
    file STRING NOT NULL COMMENT 'as delivered, its path in the volume raw',
    domain STRING NOT NULL,
    sha256 STRING NOT NULL COMMENT 'of the content',
    bytes BIGINT NOT NULL,
    rows BIGINT COMMENT 'records in the file; NULL if it cannot be read',
    status STRING NOT NULL COMMENT 'admitted, quarantined or duplicate',
    reason STRING COMMENT 'why it was not admitted, or what is odd about it',
    stored STRING COMMENT 'where it lies now; NULL for a duplicate',
    date DATE NOT NULL COMMENT 'logical date of the run that took it in',
    run_id STRING NOT NULL
    """,
    part="run_id",
)


@dataclass(frozen=True, order=True)
class Landed:
    """A file in the volume `raw` as the Files API lists it; they sort by delivery.

    Attributes:
        modified: When it was delivered, in milliseconds since 1970.
        path: Where it lies.
        size: In bytes.
    """

    modified: int
    path: str
    size: int


@dataclass(frozen=True)
class Delivered:
    """One row of the ledger; its fields are the table's columns."""

    file: str
    domain: str
    sha256: str
    bytes: int
    rows: int | None
    status: str
    reason: str | None
    stored: str | None
    date: date
    run_id: str


def judge(
    files: Sequence[tuple[Landed, bytes]],
    seen: dict[str, str],
    by_domain: Mapping[str, Contract],
    run: Run,
) -> list[Delivered]:
    """Decides what becomes of files.

    Args:
        files: Each with its content, in the order of delivery.
        seen: File by `<folder>/<sha256>` of everything admitted so far; those admitted now are added.
        by_domain: The contracts.
        run: The run that takes them in.

    Returns:
        A row of the ledger for each file, in the same order.
    """
    rows = []
    for landed, data in files:
        file = landed.path.removeprefix(f"{run.volume('raw')}/")
        domain = PurePosixPath(file).parts[0]
        digest = hashlib.sha256(data).hexdigest()
        identity = _identity(file, digest)
        found = examine(data, by_domain.get(domain))
        kept_as = _stored_name(file, landed.modified, identity)
        status, reason, stored = ADMITTED, "; ".join(found.remarks), f"{run.volume('admitted')}/{kept_as}"
        if found.fault:
            status, reason, stored = QUARANTINED, found.fault, f"{run.volume('quarantine')}/{kept_as}"
        elif identity in seen:
            status, reason, stored = DUPLICATE, f"same content as {seen[identity]}", ""
        else:
            seen[identity] = file
        rows.append(
            Delivered(
                file=file,
                domain=domain,
                sha256=digest,
                bytes=len(data),
                rows=found.rows,
                status=status,
                reason=reason or None,
                stored=stored or None,
                date=run.date,
                run_id=run.run_id,
            )
        )
    return rows


def report(rows: Sequence[Delivered]) -> str:
    """What a run found, as text: counts, and each file that is not as it should be."""
    counts = Counter(row.status for row in rows)
    rows_in = sum(row.rows or 0 for row in rows if row.status == ADMITTED)
    numbers = ", ".join(f"{counts[status]} {status}" for status in (ADMITTED, QUARANTINED, DUPLICATE))
    lines = [f"{len(rows)} files delivered: {numbers}; {rows_in:,} rows admitted"]
    lines += [f"  {row.status}: {row.file}: {row.reason}" for row in rows if row.reason]
    return "\n".join(lines)


def chunks(files: Iterable[Landed]) -> Iterator[list[Landed]]:
    """Files in their order, as many at a time as `CHUNK_BYTES` permits, and at least one."""
    chunk: list[Landed] = []
    size = 0
    for landed in files:
        if chunk and size + landed.size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(landed)
        size += landed.size
    if chunk:
        yield chunk


def ingest(run: Run, client: WorkspaceClient, spark: SparkSession) -> list[Delivered]:
    """Moves what was delivered, and records it: each chunk is done before the next is read."""
    raw = run.volume("raw")
    table = spark.table(LEDGER.create(spark, run.catalog))
    seen = _admitted(table)
    by_domain = {contract.domain: contract for contract in contracts()}

    def read(landed: Landed) -> bytes:
        contents = client.files.download(landed.path).contents
        if contents is None:
            raise OSError(f"{landed.path}: the Files API gave no content: run `ingest` again")
        with contents:
            return contents.read()

    def store(row: Delivered, data: bytes) -> None:
        if row.stored:
            client.files.upload(row.stored, io.BytesIO(data), overwrite=True)

    def remove(landed: Landed, data: bytes) -> None:
        with suppress(NotFound):  # who delivered it took it back
            if read(landed) == data:
                client.files.delete(landed.path)

    def take_in(chunk: Sequence[Landed]) -> list[Delivered]:
        contents = list(pool.map(read, chunk))
        rows = judge(list(zip(chunk, contents, strict=True)), seen, by_domain, run)
        list(pool.map(store, rows, contents))
        ledger = spark.createDataFrame([astuple(row) for row in rows], table.schema)
        ledger.write.mode("append").saveAsTable(run.table(DELIVERIES))
        list(pool.map(remove, chunk, contents))
        _remove_empty_folders(client, raw, [landed.path for landed in chunk])
        return rows

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return [row for chunk in chunks(sorted(_walk(client, raw))) for row in take_in(chunk)]


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point `ingest`."""
    run, _ = parse(tasks.INGEST, argv)
    print(report(ingest(run, WorkspaceClient(), spark_session())))


def _admitted(deliveries: DataFrame) -> dict[str, str]:
    rows = deliveries.where(f"status = '{ADMITTED}'").select("file", "sha256").collect()
    return {_identity(row.file, row.sha256): row.file for row in rows}


def _identity(file: str, digest: str) -> str:
    """What a file is recognised by. The folder belongs to it, since it says of which day the file reports."""
    return f"{PurePosixPath(file).parent}/{digest}"


def _walk(client: WorkspaceClient, folder: str) -> Iterator[Landed]:
    """All files below a folder; none if there is no such folder."""
    try:
        entries = list(client.files.list_directory_contents(folder))
    except NotFound:
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.is_directory:
            yield from _walk(client, path)
        else:
            yield Landed(entry.last_modified or 0, path, entry.file_size or 0)


def _remove_empty_folders(client: WorkspaceClient, raw: str, taken: Sequence[str]) -> None:
    """Removes the folders that files were taken from, up to their domain's: else each day lists those of all days."""
    folders = {folder for path in taken for folder in PurePosixPath(path.removeprefix(f"{raw}/")).parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        if len(folder.parts) > 1:
            with suppress(BadRequest, NotFound):  # something was delivered meanwhile, or the store keeps no empty ones
                client.files.delete_directory(f"{raw}/{folder}")


def _stored_name(file: str, modified: int, identity: str) -> str:
    """Name under which a file is kept.

    It begins with when the file was delivered (UTC), so that a later file has the higher name, and ends with a
    fingerprint of folder and content, so that no two share one. It needs no escaping, and no reader skips it.
    """
    seconds, milliseconds = divmod(modified, 1000)
    delivered = f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}{milliseconds:03}"
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()[:FINGERPRINT_LETTERS]
    parts = [re.sub(r"[^\w.-]", "_", part, flags=re.ASCII).lstrip("._") or "unnamed" for part in file.split("/")]
    room = NAME_LETTERS - len(f"{delivered}--{fingerprint}")
    path = PurePosixPath(*parts[:-1], parts[-1][-room:])  # cut at its front, since its end is the suffix
    return str(path.with_stem(f"{delivered}-{path.stem}-{fingerprint}"))


if __name__ == "__main__":
    main()
