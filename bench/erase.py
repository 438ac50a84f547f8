"""Time of the erasure of one customer, from the command to its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

from cli import erase
from cli.errors import CommandError
from cli.lifecycle import workspace_client
from cli.queries import rows
from cli.stack import Stack
from local import supervisor
from local.settings import LocalSettings

CUSTOMER = "SELECT max(customer_id) FROM {catalog}.silver.customer"


def of_running_platform() -> Iterator[tuple[str, str]]:
    """Erasure of one customer, for good, on the platform that `make up` has brought up."""
    settings = LocalSettings.load()
    if not supervisor.running(settings):
        raise CommandError("`erase` is measured on a platform that is up: `make up` first")
    client, outputs = workspace_client(settings), Stack.local(settings).outputs()
    [[customer]] = rows(client, outputs, CUSTOMER)
    began = time.monotonic()
    places = erase.erase(client, outputs, customer)[1:]
    yield "`platform erase`, one customer (must: 60 s)", f"{time.monotonic() - began:.0f} s, {len(places)} places"
