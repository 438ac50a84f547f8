"""Erased customers in the online store: removed, and kept out of what the task `activity` takes over later.

Their hashes lie in the store, so that a batch of events sees them in its own transaction. Both take the position's lock
first: a batch is in the store before the removal, or knows of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Identifier

from churn.core.blanks import BLANKS
from churn.core.erased import Erased, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg
    from databricks.sdk import WorkspaceClient

TABLES = ("customer_days", "activity", "sessions", "scores")  # with rows of single customers


def remove(connection: psycopg.Connection[Any], customer: str, hashed: str, secret: str) -> None:
    """Removes a customer, and remembers the hash.

    Args:
        connection: In a transaction.
        customer: Id of the customer, without blanks around it.
        hashed: Its hash.
        secret: Secret that has the key of the hash.
    """
    connection.execute("LOCK TABLE churn.position IN EXCLUSIVE MODE")
    connection.execute("INSERT INTO churn.erased VALUES (%s, %s) ON CONFLICT DO NOTHING", (secret, hashed))
    for table in TABLES:
        connection.execute(
            SQL("DELETE FROM churn.{} WHERE btrim(customer_id, %s) = %s").format(Identifier(table)),
            (BLANKS, customer),
        )


def counts(connection: psycopg.Connection[Any], customer: str) -> dict[str, int]:
    """Rows that the store has of a customer, by table."""
    found = {}
    for table in TABLES:
        query = SQL("SELECT count(*) FROM churn.{} WHERE btrim(customer_id, %s) = %s").format(Identifier(table))
        row = connection.execute(query, (BLANKS, customer)).fetchone()
        found[table] = int(row[0]) if row else 0
    return found


class KeptOut:
    """Customers whom the task `activity` leaves out, since they were erased."""

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client
        self._keys: dict[str, bytes] = {}

    def among(self, connection: psycopg.Connection[Any], customers: Iterable[str]) -> set[str]:
        """Those of some customers who were erased.

        Args:
            connection: In a transaction that has moved the position.
            customers: Their ids.
        """
        rows = connection.execute("SELECT secret, customer FROM churn.erased").fetchall()
        if not rows:
            return set()
        for secret in {secret for secret, _ in rows} - self._keys.keys():
            self._keys[secret] = key_of(self._client, secret)
        hashes = {secret: frozenset(gone for known, gone in rows if known == secret) for secret, _ in rows}
        erased = Erased(hashes, self._keys)
        return {customer for customer in set(customers) if erased.find(customer)}
