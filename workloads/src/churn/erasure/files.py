"""Delivered files in the volumes: written anew without the rows of an erased customer, or removed whole.

What has read a file of the volume `admitted` does not read it again, whatever becomes of it. One that still lies in
`landing` counts as delivered when it was written anew, and of two reports of one day the later delivered counts. So the
files that were delivered after it are written anew too, as they are, in their order.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from databricks.sdk.errors import NotFound

from churn.core.erased import Removed, record
from churn.core.tables import DELIVERIES
from churn.erasure.text_search import names
from churn.ingestion.admission import examine
from churn.ingestion.ingest import download, files_below

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

    from churn.core.contract import Contract
    from churn.core.entry import Run
    from churn.core.erased import Erased

FILES_AT_ONCE = 8
CLOCK_SECONDS = 1.0  # stores tell the time of a file in whole seconds
FORGET = """
MERGE INTO {table} AS there USING removed_files AS gone ON there.stored = gone.stored
WHEN MATCHED THEN UPDATE SET stored = NULL,
  reason = concat_ws('; ', there.reason, 'removed with an erased customer: deliver it again, corrected, without them')
"""


@dataclass(frozen=True)
class Files:
    """The volumes of a run, for the erasure of one customer.

    Attributes:
        client: The workspace.
        spark: A session.
        run: The run.
        customer: Id of the customer, without blanks around it.
        cause: Hash of the id.
        erased: The customer alone, by that hash.
    """

    client: WorkspaceClient
    spark: SparkSession
    run: Run
    customer: str
    cause: str
    erased: Erased

    def clean_landing(self, contract: Contract) -> list[str]:
        """Removes the customer from what lies in a domain's volume and was not taken in yet.

        Returns:
            Files that name the customer and cannot be read: `ingest` sets them aside, and then they can be removed.
        """
        folder, left, changed = f"{self.run.landing}/{contract.domain}", list[str](), False
        for landed in sorted(files_below(self.client.files, folder)):
            file = landed.path.removeprefix(f"{folder}/")
            with suppress(NotFound), self._copy(landed.path) as copy:
                finding = examine(copy, contract, self.erased)
                if finding.fault and names(copy, self.customer):
                    left.append(f"{contract.domain}/{file}")
                if not finding.erased and not changed:
                    continue
                self._note(f"landing.{contract.domain}", {file: finding.erased.get(self.cause, 0)})
                time.sleep(CLOCK_SECONDS if changed else 0)
                self._write(finding.readable if finding.erased and finding.readable else copy, landed.path)
                changed = True
        return left

    def clean_admitted(self, contract: Contract, files: Sequence[str]) -> None:
        """Removes the customer from admitted files whose rows are counted; files that are gone are passed over.

        Args:
            contract: Of their domain.
            files: Their paths in the volume.
        """
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            list(pool.map(lambda file: self._clean(contract, file), files))

    def clean_unread(self, contract: Contract, files: Sequence[str]) -> None:
        """Removes the customer from admitted files that bronze has not read, and counts the rows."""
        for file in files:
            self._clean(contract, file, counted=False)

    def clean_quarantine(self) -> None:
        """Removes the files that were set aside whole and name the customer: nobody can take rows out of them."""
        folder = self.run.volume("quarantine")
        paths = [landed.path for landed in files_below(self.client.files, folder)]
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            named = [path for path, found in zip(paths, pool.map(self._named, paths), strict=True) if found]
        if not named:
            return
        self._note("bronze.quarantine", dict.fromkeys(path.removeprefix(f"{folder}/") for path in named))
        self.spark.createDataFrame([(path,) for path in named], "stored STRING").createOrReplaceTempView(
            "removed_files"
        )
        self.spark.sql(FORGET.format(table=self.run.table(DELIVERIES.name))).collect()
        self.spark.catalog.dropTempView("removed_files")
        for path in named:
            with suppress(NotFound):
                self.client.files.delete(path)

    def _clean(self, contract: Contract, file: str, *, counted: bool = True) -> None:
        path = f"{self.run.volume('admitted')}/{file}"
        with suppress(NotFound), self._copy(path) as copy:
            finding = examine(copy, contract, self.erased)
            if finding.erased and finding.readable:
                if not counted:
                    self._note(f"bronze.{contract.domain}", {file: finding.erased[self.cause]})
                self._write(finding.readable, path)

    def _named(self, path: str) -> bool:
        with suppress(NotFound), self._copy(path) as copy:
            return names(copy, self.customer)
        return False

    @contextmanager
    def _copy(self, path: str) -> Iterator[Path]:
        """A copy of a file on this machine, and room beside it, while it is looked at."""
        with tempfile.TemporaryDirectory(prefix="churn-erase-") as folder:
            copy = Path(folder) / "file"
            download(self.client.files, path, copy)
            yield copy

    def _write(self, copy: Path, path: str) -> None:
        with copy.open("rb") as file:
            self.client.files.upload(path, file, overwrite=True, use_parallel=False)

    def _note(self, place: str, files: dict[str, int] | dict[str, None]) -> None:
        record(self.spark, self.run, [Removed(self.cause, place, file, rows) for file, rows in files.items()])
