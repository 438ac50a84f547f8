"""Entry point `erase`: removes every customer whose erasure was asked for, wherever the platform has a row of them.

What is removed, in this order: files that were not taken in; rows of silver and bronze, with the admitted files that
they came in; messages and events; the online store; gold; files that were set aside whole. The hash of the customer is
recorded before all of it, so that `ingest` and `activity` keep out what comes meanwhile or later. Rows are counted
before they are removed, and a request is forgotten after all of it: a run that was killed is finished by the next one,
which counts nothing twice. The update of silver that follows in the job makes its views anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from databricks.sdk import WorkspaceClient
from pyspark.sql import functions as sf

from churn import tasks
from churn.core.clock import moment
from churn.core.contract import file_contracts
from churn.core.entry import Run, parse, spark_session
from churn.core.erased import KEY, Erased, Removed, hashed, key_of, record
from churn.core.tables import DELIVERIES, ERASED_ROWS, ERASURES
from churn.erasure import requests, tables
from churn.erasure.files import Files
from churn.online import removal as online_removal
from churn.online import schema
from churn.online.connection import OnlineStore
from churn.streaming import removal as stream_removal
from churn.transforms.removal import require_read, tables_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from churn.erasure.requests import Request


@dataclass(frozen=True)
class Erasure:
    """The erasure of one customer.

    Attributes:
        run: The run.
        client: The workspace.
        spark: A session.
        request: The request.
        cause: Hash of the customer's id.
        secret: Secret that has the key of the hash.
        key: The key.
        store: The online store; None where the stack has no stream.
    """

    run: Run
    client: WorkspaceClient
    spark: SparkSession
    request: Request
    cause: str
    secret: str
    key: bytes
    store: OnlineStore | None

    @property
    def customer(self) -> str:
        """Id of the customer."""
        return self.request.customer

    def perform(self) -> list[str]:
        """Removes the customer everywhere.

        Returns:
            Files in `landing` that name the customer and cannot be read: they are removed once `ingest` has set them
            aside, so the request stays open.

        Raises:
            SilverBehindError: Silver has not read all of bronze.
        """
        require_read(self.spark, self.run, file_contracts(), self.cause)
        self._remember()
        erased = Erased({self.secret: frozenset([self.cause])}, {self.secret: self.key})
        files = Files(self.client, self.spark, self.run, self.customer, self.cause, erased)
        left = [file for contract, _ in tables.customer_contracts() for file in files.clean_landing(contract)]
        changed = self._remove_delivered(files)
        changed += self._remove_events()
        self._remove_online()
        changed += tables.delete_gold(self.spark, self.run, self.customer, self.cause, self.request.name)
        changed += tables.delete_samples(self.spark, self.run)
        files.clean_quarantine()
        tables.purge(self.spark, self.run, changed)
        return left

    def _remember(self) -> None:
        """Records the request, from when on nobody takes rows of the customer in."""
        row = (self.request.name, self.cause, self.secret, self.request.requested_by, moment())
        rows = [(*row, self.run.date, self.run.run_id)]
        ERASURES.insert_missing(self.spark.createDataFrame(rows, ERASURES.schema), self.run.catalog)
        ERASED_ROWS.create(self.spark, self.run.catalog)
        DELIVERIES.create(self.spark, self.run.catalog)

    def _remove_delivered(self, files: Files) -> list[str]:
        """Removes rows of bronze and silver and of the files that they came in; returns the tables."""
        counts, changed = tables.delivered_rows(self.spark, self.run, self.customer), list[str]()
        unread = tables.unread_files(self.spark, self.run)
        for contract, column in tables.customer_contracts():
            bronze = f"bronze.{contract.domain}"
            by_file = counts.get(bronze, {})
            record(self.spark, self.run, [Removed(self.cause, bronze, *counted) for counted in by_file.items()])
            files.clean_unread(contract, unread.get(contract.domain, []))
            if by_file:
                files.clean_admitted(contract, sorted(by_file))
                tables.delete_delivered(self.spark, self.run, contract, column, self.customer)
                changed += tables_of(contract)
        leftovers = tables.delete_leftovers(self.spark, self.run, self.customer, self.cause)
        for contract, _ in tables.customer_contracts():
            of_contract = {file for table in tables_of(contract) for file in leftovers.get(table, {})}
            files.clean_admitted(contract, sorted(of_contract))
        return [*changed, *leftovers]

    def _remove_events(self) -> list[str]:
        """Removes messages and events, where the stack has a stream; returns the tables."""
        names = [stream_removal.BRONZE, stream_removal.SILVER, stream_removal.QUARANTINE]
        if not all(self.spark.catalog.tableExists(self.run.table(name)) for name in names):
            return []
        stream_removal.remove_customer(self.spark, self.run, self.customer, self.cause, self.request.name)
        return names

    def _remove_online(self) -> None:
        """Removes rows of the online store, where the stack has one."""
        if self.store is None:
            return
        with self.store.connect() as connection:
            schema.apply(connection)
            found = online_removal.counts(connection, self.customer)
            places = [Removed(self.cause, f"online.{name}", self.request.name, rows) for name, rows in found.items()]
            record(self.spark, self.run, places)
            with connection.transaction():
                online_removal.remove(connection, self.customer, self.cause, self.secret)


def main(argv: Sequence[str] | None = None) -> None:
    """Removes every customer whose erasure was asked for, and prints what each was removed from.

    Raises:
        NoKeyError: The scope has no key of the hash.
        WrongRequestError: A request names no customer.
        SilverBehindError: Silver has not read all of bronze; nothing of the request was removed.
        NoOnlineStoreError: There is no such endpoint.
        OnlineStoreAwayError: The online store does not answer.
    """
    run, options = parse(tasks.ERASE, argv)
    client, spark = WorkspaceClient(), spark_session()
    secret = f"{options.scope}/{KEY}"
    key = key_of(client, secret)
    store = OnlineStore(client, options.endpoint, options.database, options.sslmode) if options.endpoint else None
    found = list(requests.pending(client, options.scope))
    for request in found:
        cause = hashed(key, request.customer)
        left = Erasure(run, client, spark, request, cause, secret, key, store).perform()
        print("\n".join(report(spark, run, cause)))
        if left:
            print(
                f"{request.name} stays open: cannot be read yet, and are removed once `ingest` set them aside: {left}"
            )
        else:
            requests.done(client, options.scope, request)
    print(f"{len(found)} requests")


def report(spark: SparkSession, run: Run, cause: str) -> list[str]:
    """What was removed of a customer so far, a line a place."""
    rows = spark.table(run.table(ERASED_ROWS.name)).where(sf.col("cause") == cause)
    places = rows.groupBy("place").agg(sf.sum("rows").alias("rows"), sf.count("*").alias("origins")).orderBy("place")
    lines = [
        f"  {row.place}: {f'{row.rows:,} rows' if row.rows else f'{row.origins} files'}" for row in places.collect()
    ]
    return [f"erased the customer {cause}", *(lines or ["  no row was found; what comes later is kept out"])]


if __name__ == "__main__":
    main()
