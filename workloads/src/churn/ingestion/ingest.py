"""Entry point `ingest`: examines delivered files, admits or quarantines each, and records it in bronze.deliveries.

Every file in the schema `landing`, which has a volume for each domain, is moved: to the volume `admitted`, which bronze
reads, or whole to `quarantine`. A file whose content was admitted from the same folder before is a duplicate, and is
removed; the same content under another day is another report. A file whose folder names a day after the run's waits
there for the run of that day; one whose folder names no day, or a day that had not come when it was delivered, is
quarantined.

Rows of customers who were erased are left out of an admitted file, and counted in mlops.erased_rows.

A file is downloaded once, to the disk of this machine, and is examined and kept from there: memory does not depend on
its size. An interrupted run is finished by the next one, since a file leaves `landing` only after bronze.deliveries has
it. A file that is replaced during a run is left to the next one: its size and its time are looked at before it is
copied and directly before it is deleted. A file replaced between that look and the delete is lost, since the Files API
has no conditional delete, and so is one replaced within a second by another of the same size; so deliver each file
under a name of its own.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound

from churn import tasks
from churn.core.contract import Contract, file_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.erased import Removed, erased_customers, record
from churn.core.errors import RetryableError
from churn.core.tables import ADMITTED, DELIVERIES, DUPLICATE, QUARANTINED
from churn.ingestion.admission import Finding, examine
from churn.ingestion.folders import EXAMPLES, day_of
from churn.ingestion.stored import identity, stored_name

if TYPE_CHECKING:
    from databricks.sdk.mixins.files import FilesExt
    from pyspark.sql import SparkSession

    from churn.core.erased import Erased

FILES_AT_ONCE = 8
CHUNK_BYTES = 256 * 2**20  # of files that are on this machine's disk together
CHUNK_FILES = 500  # that bronze.deliveries is asked for together
COPY_BYTES = 2**20  # of a file that is in memory at a time
ZONES = timedelta(days=1)  # a day begins in the east of the world before it does in UTC


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

    @property
    def delivered_on(self) -> date:
        """Day on which it was delivered, in UTC."""
        return datetime.fromtimestamp(self.modified // 1000, UTC).date()


State = tuple[int | None, str | None]  # of a file: its size in bytes, and when it was changed last


@dataclass(frozen=True)
class Copy:
    """A copy of a landed file on this machine.

    Attributes:
        landed: The file.
        path: Of the copy.
        sha256: Of the content, in hexadecimal digits.
        size: In bytes.
        state: Size and time that the Files API told before it was copied.
    """

    landed: Landed
    path: Path
    sha256: str
    size: int
    state: State


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


class Assessment(NamedTuple):
    """What becomes of files.

    Attributes:
        taken: For each file, in their order, its row of bronze.deliveries and the path of what is kept of it.
        removed: Rows of erased customers that are left out of admitted ones.
    """

    taken: list[tuple[Delivered, Path]]
    removed: list[Removed]


def assess(
    copies: Sequence[Copy],
    seen: dict[str, str],
    by_domain: Mapping[str, Contract],
    run: Run,
    erased: Erased | None = None,
) -> Assessment:
    """Decides what becomes of files: admitted, quarantined or removed as a duplicate.

    Args:
        copies: In the order of delivery.
        seen: File by identity of what was admitted so far; those admitted now are added.
        by_domain: The contracts.
        run: The run that takes them in.
        erased: Customers whose rows are left out; None if there are none.
    """
    taken, removed = list[tuple[Delivered, Path]](), list[Removed]()
    for copy in copies:
        file = copy.landed.path.removeprefix(f"{run.landing}/")
        domain = PurePosixPath(file).parts[0]
        known_as = identity(file, copy.sha256)
        fault = _folder_fault(file, copy.landed, run)
        finding = Finding(None, fault) if fault else examine(copy.path, by_domain[domain], erased)
        name = stored_name(file, copy.landed.modified, known_as, finding.kind)
        status, reason, stored = ADMITTED, "; ".join(finding.remarks), f"{run.volume('admitted')}/{name}"
        if finding.fault:
            status, reason, stored = QUARANTINED, finding.fault, f"{run.volume('quarantine')}/{name}"
        elif known_as in seen:
            status, reason, stored = DUPLICATE, f"same content as {seen[known_as]}", ""
        else:
            seen[known_as] = file
            removed += [Removed(cause, f"bronze.{domain}", name, rows) for cause, rows in finding.erased.items()]
        row = Delivered(
            file=file,
            domain=domain,
            sha256=copy.sha256,
            bytes=copy.size,
            rows=finding.rows,
            status=status,
            reason=reason or None,
            stored=stored or None,
            date=run.date,
            run_id=run.run_id,
        )
        taken.append((row, finding.readable or copy.path))
    return Assessment(taken, removed)


def waits(landed: Landed, run: Run) -> bool:
    """Whether a file is left to a later run: the day of its folder comes after the run's, and had come at delivery."""
    day = day_of(landed.path.removeprefix(f"{run.landing}/"))
    return day is not None and run.date < day <= landed.delivered_on + ZONES


def report(rows: Sequence[Delivered], waiting: Sequence[str] = ()) -> str:
    """Report of a run, as text: counts, and each file that is not as it should be, or that waits."""
    counts = Counter(row.status for row in rows)
    rows_in = sum(row.rows or 0 for row in rows if row.status == ADMITTED)
    numbers = ", ".join(f"{counts[status]} {status}" for status in (ADMITTED, QUARANTINED, DUPLICATE))
    lines = [f"{len(rows)} files delivered: {numbers}; {rows_in:,} rows admitted"]
    lines += [f"  {row.status}: {row.file}: {row.reason}" for row in rows if row.reason]
    lines += [f"  waiting: {file}: its folder names a day after the run's" for file in waiting]
    return "\n".join(lines)


def chunks(files: Iterable[Landed]) -> Iterator[list[Landed]]:
    """Files in their order, as many at a time as `CHUNK_BYTES` and `CHUNK_FILES` permit, and at least one."""
    chunk: list[Landed] = []
    size = 0
    for landed in files:
        if chunk and (size + landed.size > CHUNK_BYTES or len(chunk) == CHUNK_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(landed)
        size += landed.size
    if chunk:
        yield chunk


def files_below(files: FilesExt, folder: str) -> Iterator[Landed]:
    """All files below a folder; none if there is no such folder."""
    try:
        entries = list(files.list_directory_contents(folder))
    except NotFound:
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.is_directory:
            yield from files_below(files, path)
        else:
            yield Landed(entry.last_modified or 0, path, entry.file_size or 0)


def download(files: FilesExt, path: str, target: Path) -> tuple[str, int]:
    """Copies a file to this machine; returns the SHA-256 of its content, in hexadecimal digits, and its bytes.

    Raises:
        NoContentError: The Files API gave none.
    """
    contents = files.download(path).contents
    if contents is None:
        raise NoContentError(f"{path}: the Files API gave no content: run the task again")
    digest, size = hashlib.sha256(), 0
    with contents, target.open("wb") as file:
        while data := contents.read(COPY_BYTES):
            digest.update(data)
            size += file.write(data)
    return digest.hexdigest(), size


class Intake:
    """Takes in delivered files, a chunk at a time: each chunk is done before the next is read.

    Attributes:
        waiting: Files that are left to a later run, by their path below `landing`.
    """

    def __init__(self, run: Run, client: WorkspaceClient, spark: SparkSession) -> None:
        self._run, self._files, self._spark = run, client.files, spark
        self._table = DELIVERIES.create(spark, run.catalog)
        self._erased = erased_customers(spark, run.catalog)
        self._by_domain = {contract.domain: contract for contract in file_contracts()}
        self.waiting: list[str] = []

    def run(self) -> list[Delivered]:
        """Moves every file that lies in a volume of `landing` and does not wait, and records it."""
        folders = [f"{self._run.landing}/{domain}" for domain in self._by_domain]
        landed = sorted(file for folder in folders for file in files_below(self._files, folder))
        self.waiting = [file.path.removeprefix(f"{self._run.landing}/") for file in landed if waits(file, self._run)]
        due = [file for file in landed if not waits(file, self._run)]
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            return [row for chunk in chunks(due) for row in self.take_in(chunk, pool)]

    def take_in(self, chunk: Sequence[Landed], pool: ThreadPoolExecutor) -> list[Delivered]:
        """Copies files, stores each where it belongs, records them, and only then removes them from `landing`."""
        with tempfile.TemporaryDirectory(prefix="churn-ingest-") as folder:
            places = [Path(folder) / str(number) for number in range(len(chunk))]
            copies = list(pool.map(self.copy, chunk, places))
            taken, removed = assess(copies, self.admitted(copies), self._by_domain, self._run, self._erased)
            list(pool.map(self.store, *zip(*taken, strict=True)))
        record(self._spark, self._run, removed)
        rows = [row for row, _ in taken]
        recorded = self._spark.createDataFrame([astuple(row) for row in rows], DELIVERIES.schema)
        recorded.write.mode("append").saveAsTable(self._table)
        list(pool.map(self.remove, copies))
        self.remove_empty_folders(chunk)
        return rows

    def copy(self, landed: Landed, path: Path) -> Copy:
        """Copies a file to this machine."""
        state = self.state(landed.path)
        sha256, size = download(self._files, landed.path, path)
        return Copy(landed, path, sha256, size, state)

    def state(self, path: str) -> State:
        """Size and time of a file, which differ once it is replaced."""
        found = self._files.get_metadata(path)
        return found.content_length, found.last_modified

    def admitted(self, copies: Sequence[Copy]) -> dict[str, str]:
        """Files with the content of copies that were admitted so far, by identity."""
        ledger = self._spark.table(self._table)
        same = ledger.where((ledger.status == ADMITTED) & ledger.sha256.isin([copy.sha256 for copy in copies]))
        rows = same.select("file", "sha256").collect()
        return {identity(row.file, row.sha256): row.file for row in rows}

    def store(self, row: Delivered, path: Path) -> None:
        """Writes a file to where it is kept; a duplicate is not kept."""
        if row.stored:
            with path.open("rb") as file:
                self._files.upload(row.stored, file, overwrite=True, use_parallel=False)  # one part in memory, not ten

    def remove(self, copy: Copy) -> None:
        """Removes a file from `landing`, unless it was replaced or taken back meanwhile."""
        with suppress(NotFound):
            if self.state(copy.landed.path) == copy.state:
                self._files.delete(copy.landed.path)

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
    intake = Intake(run, WorkspaceClient(), spark_session())
    print(report(intake.run(), intake.waiting))


def _folder_fault(file: str, landed: Landed, run: Run) -> str | None:
    """Why a file is quarantined for the folder that it lies in; None if it is not."""
    day, folder = day_of(file), "/".join(PurePosixPath(file).parts[1:-1])
    if day is None:
        where = f"its folder {folder} names" if folder else "it lies in no folder that names"
        return f"{where} no day, or several: deliver it to a folder such as {EXAMPLES}"
    if day > run.date and not waits(landed, run):
        return f"its folder names {day}, a day after the run's, {run.date}, and after its delivery"
    return None


if __name__ == "__main__":
    main()
