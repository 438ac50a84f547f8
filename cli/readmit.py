"""`platform readmit`: a delivered file whose rows were deleted on purpose, so that `ingest` takes it once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.queries import literal, rows

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

LEDGER = "{catalog}.bronze.deliveries"
TABLES = ("bronze.{domain}", "silver.{domain}_versions", "silver.quarantine_{domain}")


def readmit(client: WorkspaceClient, outputs: dict[str, Any], file: str) -> int:
    """Deletes what is left of a file's rows, and takes it out of the account; its next delivery is no duplicate then.

    A command that was interrupted is run again: the ledger changes last.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        file: Path below the schema `landing`, as it was delivered, or the path at which the file is kept.

    Returns:
        Number of rows that were left in bronze, the accepted reports and the quarantine.

    Raises:
        CommandError: No such file was admitted, or several were under this name.
    """
    name = literal(file)
    query = (
        f"SELECT DISTINCT domain, stored FROM {LEDGER} WHERE status = 'admitted' AND (file = {name} OR stored = {name})"
    )
    admitted = rows(client, outputs, query)
    if not admitted:
        ledger = LEDGER.format(catalog=outputs["catalog"])
        raise CommandError(
            f"no file {file!r} was admitted\n  → `SELECT file, status, reason FROM {ledger}` has them all"
        )
    if len(admitted) > 1:
        kept = ", ".join(sorted(stored for _, stored in admitted))
        raise CommandError(f"{len(admitted)} files were admitted as {file!r}\n  → name one by where it is kept: {kept}")
    ((domain, stored),) = admitted
    left = 0
    for table in TABLES:
        named = table.format(domain=domain)
        deleted = rows(client, outputs, f"DELETE FROM {{catalog}}.{named} WHERE endswith(_file, {literal(stored)})")
        left += int(deleted[0][0])
    rows(client, outputs, f"UPDATE {LEDGER} SET status = 'withdrawn' WHERE stored = {literal(stored)}")
    return left
