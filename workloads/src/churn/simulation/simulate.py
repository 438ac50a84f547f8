"""Entry point `simulate`: delivers the files of the simulated world up to a day, if there is no source system yet.

Every delivery that is due and not there yet is written to `<day>/` of its domain's volume in the schema
`landing`. The same parameters give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from churn import tasks
from churn.core.contract import Contract, file_contracts
from churn.core.entry import Run, parse
from churn.simulation.deliveries import Delivery, deliveries, delivery_rows
from churn.simulation.world import World, grow

TAKEN_IN = ("admitted", "quarantine")  # volumes where a delivery may be kept by the time of the next run
UPLOADS_AT_ONCE = 8


def content(rows: pd.DataFrame, contract: Contract) -> bytes:
    """A table as the bytes of a file in its contract's first format; the same table gives the same bytes."""
    buffer = io.BytesIO()
    if contract.formats[0] == "csv":
        rows.to_csv(buffer, index=False, date_format="%Y-%m-%d", lineterminator="\n")
    else:
        types = {"STRING": pa.string(), "DOUBLE": pa.float64(), "DATE": pa.date32()}
        schema = pa.schema([(column.source, types[column.type]) for column in contract.columns])
        pq.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False), buffer)
    return buffer.getvalue()


def files(
    world: World, due: Sequence[tuple[Contract, Delivery]], first: Delivery, seed: int
) -> Iterator[tuple[str, bytes]]:
    """Path below `landing` and content of each file that is due.

    Args:
        world: Grown up to the last delivery.
        due: Which deliveries of which domains.
        first: The very first delivery, which reports every customer.
        seed: Of every draw.
    """
    for contract, delivery in due:
        rows = delivery_rows(contract.domain, world, delivery, initial=delivery == first, seed=seed)
        name = f"{contract.domain}.{contract.formats[0]}"
        yield f"{contract.domain}/{delivery.last}/{name}", content(rows, contract)


def deliver(run: Run, client: WorkspaceClient, snapshot: date, seed: int) -> int:
    """Writes what is due and not there yet.

    Returns:
        Number of files written.
    """
    planned = deliveries(snapshot, run.date)
    if not planned:
        return 0
    due = []
    for contract in file_contracts():
        delivered = _delivered(client, run, contract.domain)
        due += [(contract, delivery) for delivery in planned if delivery.last.isoformat() not in delivered]
    if not due:
        return 0
    world = grow(snapshot, run.date, seed)

    def upload(file: tuple[str, bytes]) -> None:
        path, data = file
        client.files.upload(f"{run.landing}/{path}", io.BytesIO(data), overwrite=True)

    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        return len(list(pool.map(upload, files(world, due, planned[0], seed))))


def main(argv: Sequence[str] | None = None) -> None:
    """Delivers what is due by the logical date, and prints how many files that were."""
    run, options = parse(tasks.SIMULATE, argv)
    count = deliver(run, WorkspaceClient(), options.snapshot_date, options.seed)
    print(f"{count} files delivered up to {run.date}" if count else f"everything up to {run.date} was delivered before")


def _delivered(client: WorkspaceClient, run: Run, domain: str) -> set[str]:
    """Days on which files of a domain were delivered, as folder names."""
    days: set[str] = set()
    for place in (run.landing, *map(run.volume, TAKEN_IN)):
        try:
            days.update(entry.name or "" for entry in client.files.list_directory_contents(f"{place}/{domain}"))
        except NotFound:
            continue  # no file of this domain is there
    return days
