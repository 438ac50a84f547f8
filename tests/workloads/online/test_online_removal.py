"""An erased customer in the online store: removed with every row, and kept out of what the task takes over later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.erased import KEY, hashed
from churn.online import removal, schema
from tests.workloads.online.live_stream import Stream, signal_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

SCOPE = "erasure-online"


def rows_of(stream: Stream, customer: str) -> dict[str, int]:
    with stream.store.connect() as connection:
        return removal.counts(connection, customer)


def test_a_customer_is_removed_and_later_events_are_passed_over(
    stream: Stream, customers: list[str], models: WorkspaceClient
) -> None:
    gone, other = customers[0], customers[1]
    models.secrets.create_scope(SCOPE)
    models.secrets.put_secret(SCOPE, KEY, string_value="of the tests")
    stream.add(*signal_of(gone, "s1"), *signal_of(other, "s2"))
    stream.catch_up()
    assert all(rows_of(stream, gone).values()), "days, activity, a session and a score"
    before = rows_of(stream, other)
    cause = hashed(b"of the tests", gone)
    for _ in range(2):  # a removal that was killed is done again
        with stream.store.connect() as connection, connection.transaction():
            removal.remove(connection, gone, cause, f"{SCOPE}/{KEY}")
    assert rows_of(stream, gone) == dict.fromkeys(removal.TABLES, 0)
    assert rows_of(stream, other) == before
    stream.add(*signal_of(gone, "s3"), *signal_of(other, "s4"))
    stream.catch_up()
    assert rows_of(stream, gone) == dict.fromkeys(removal.TABLES, 0)
    assert rows_of(stream, other)["sessions"] == before["sessions"] + 1
    assert stream.rows("SELECT customer FROM churn.erased") == [(cause,)]


def test_a_store_that_is_begun_anew_keeps_them_out(stream: Stream, customers: list[str]) -> None:
    with stream.store.connect() as connection:
        connection.execute("UPDATE churn.position SET table_id = 'of a table that was made anew'")
        assert schema.apply(connection) == 0
    stream.catch_up()
    assert rows_of(stream, customers[0]) == dict.fromkeys(removal.TABLES, 0)
    assert rows_of(stream, customers[1])["customer_days"] > 0
