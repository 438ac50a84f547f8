"""Entry point `ingest`: examines delivered files, admits or quarantines each, and records it in bronze.deliveries.

Every file in the schema `landing`, which has a volume for each domain, is moved: to the volume `admitted`, which bronze
reads, or whole to `quarantine`. A file whose content was admitted from the same folder before is a duplicate, and is
removed; the same content under another day is another report.

An interrupted run is finished by the next one, since a file leaves `landing` only after bronze.deliveries has it. A
file that is replaced during a run is left to the next run: each file is read again directly before it is deleted. A
file replaced between that read and the delete is lost, since the Files API has no conditional delete; so deliver each
file under a name of its own.
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
from churn.core.contract import Contract, file_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.errors import RetryableError
from churn.core.tables import DELIVERIES
from churn.ingestion.admission import examine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FILES_AT_ONCE = 8
CHUNK_BYTES = 256 * 2**20  # of files that are held in memory together
NAME_LETTERS = 255  # the longest name that file systems take
FINGERPRINT_LETTERS = 8
ADMITTED, QUARANTINED, DUPLICATE = "admitted", "quarantined", "duplicate"


class NoContentError(RetryableError):
    """The Files API answered a download without content."""


@dataclass(frozen=True, order=True)
class Landed:
    """A file in a volume of `landing` as the Files API lists it; they sort by delivery.

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
    """One row of bronze.deliveries; its fields are the table's columns."""

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


def assess(
    files: Sequence[tuple[Landed, bytes]],
    seen: dict[str, str],
    by_domain: Mapping[str, Contract],
    run: Run,
) -> list[Delivered]:
    """Decides what becomes of files: admitted, quarantined or removed as a duplicate.

    Args:
        files: Each with its content, in the order of delivery.
        seen: File by `<folder>/<sha256>` of everything admitted so far; those admitted now are added.
        by_domain: The contracts.
        run: The run that takes them in.

    Returns:
        A row of bronze.deliveries for each file, in the same order.
    """
    rows = []
    for landed, data in files:
        file = landed.path.removeprefix(f"{run.landing}/")
        domain = PurePosixPath(file).parts[0]
        digest = hashlib.sha256(data).hexdigest()
        identity = _identity(file, digest)
        finding = examine(data, by_domain[domain])
        stored_name = _stored_name(file, landed.modified, identity)
        status, reason, stored = ADMITTED, "; ".join(finding.remarks), f"{run.volume('admitted')}/{stored_name}"
        if finding.fault:
            status, reason, stored = QUARANTINED, finding.fault, f"{run.volume('quarantine')}/{stored_name}"
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
                rows=finding.rows,
                status=status,
                reason=reason or None,
                stored=stored or None,
                date=run.date,
                run_id=run.run_id,
            )
        )
    return rows


def report(rows: Sequence[Delivered]) -> str:
    """Report of a run, as text: counts, and each file that is not as it should be."""
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


class Intake:
    """Takes in delivered files, a chunk at a time: each chunk is done before the next is read."""

    def __init__(self, run: Run, client: WorkspaceClient, spark: SparkSession) -> None:
        self._run, self._files, self._spark = run, client.files, spark
        self._table = spark.table(DELIVERIES.create(spark, run.catalog))
        self._seen = _admitted(self._table)
        self._by_domain = {contract.domain: contract for contract in file_contracts()}

    def run(self) -> list[Delivered]:
        """Moves every file that lies in a volume of `landing`, and records it."""
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            folders = [f"{self._run.landing}/{domain}" for domain in self._by_domain]
            landed = sorted(file for folder in folders for file in self.landed(folder))
            return [row for chunk in chunks(landed) for row in self.take_in(chunk, pool)]

    def landed(self, folder: str) -> Iterator[Landed]:
        """All files below a folder; none if there is no such folder."""
        try:
            entries = list(self._files.list_directory_contents(folder))
        except NotFound:
            return
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_directory:
                yield from self.landed(path)
            else:
                yield Landed(entry.last_modified or 0, path, entry.file_size or 0)

    def take_in(self, chunk: Sequence[Landed], pool: ThreadPoolExecutor) -> list[Delivered]:
        """Reads files, stores each where it belongs, records them, and only then removes them from `landing`."""
        contents = list(pool.map(self.read, chunk))
        rows = assess(list(zip(chunk, contents, strict=True)), self._seen, self._by_domain, self._run)
        list(pool.map(self.store, rows, contents))
        recorded = self._spark.createDataFrame([astuple(row) for row in rows], self._table.schema)
        recorded.write.mode("append").saveAsTable(self._run.table(DELIVERIES.name))
        list(pool.map(self.remove, chunk, contents))
        self.remove_empty_folders(chunk)
        return rows

    def read(self, landed: Landed) -> bytes:
        """Content of a file.

        Raises:
            NoContentError: The Files API gave none.
        """
        contents = self._files.download(landed.path).contents
        if contents is None:
            raise NoContentError(f"{landed.path}: the Files API gave no content: run `ingest` again")
        with contents:
            return contents.read()

    def store(self, row: Delivered, data: bytes) -> None:
        """Writes a file to where it is kept; a duplicate is not kept."""
        if row.stored:
            self._files.upload(row.stored, io.BytesIO(data), overwrite=True)

    def remove(self, landed: Landed, data: bytes) -> None:
        """Removes a file from `landing`, unless it was replaced or taken back meanwhile."""
        with suppress(NotFound):
            if self.read(landed) == data:
                self._files.delete(landed.path)

    def remove_empty_folders(self, removed: Sequence[Landed]) -> None:
        """Removes the empty folders of removed files, which each run would list again; the first is a volume."""
        files = [PurePosixPath(landed.path.removeprefix(f"{self._run.landing}/")) for landed in removed]
        folders = {folder for file in files for folder in file.parents}
        for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
            if len(folder.parts) > 1:
                with suppress(BadRequest, NotFound):  # a file has come meanwhile, or the store keeps no empty folders
                    self._files.delete_directory(f"{self._run.landing}/{folder}")


def main(argv: Sequence[str] | None = None) -> None:
    """Takes in all files delivered so far, and prints what became of them."""
    run, _ = parse(tasks.INGEST, argv)
    print(report(Intake(run, WorkspaceClient(), spark_session()).run()))


def _admitted(deliveries: DataFrame) -> dict[str, str]:
    """Files admitted so far, by identity."""
    rows = deliveries.where(f"status = '{ADMITTED}'").select("file", "sha256").collect()
    return {_identity(row.file, row.sha256): row.file for row in rows}


def _identity(file: str, digest: str) -> str:
    """Identity of a file: its folder, which says of which day the file reports, and its content."""
    return f"{PurePosixPath(file).parent}/{digest}"


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
