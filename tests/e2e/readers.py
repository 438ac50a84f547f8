"""People of each role who read a deployed platform, and what is true of the customers they read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cli import queries
from cli.errors import CommandError
from tests.e2e.programs import join
from tests.local.conftest import LocalWorkspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Platform

CUSTOMERS = """
SELECT customer_id, full_name, email, phone, CAST(birth_date AS STRING) AS birth_date, street, city, postcode, region,
  monthly_charges
FROM {catalog}.silver.customer
"""
DELIVERED = "SELECT FullName, Email, Street, _rescued_data FROM {catalog}.bronze.customer"
# What nobody but the readers of personal data may find in any answer.
PERSONAL = ("customer_id", "full_name", "email", "phone", "street", "city", "postcode")


class Reader:
    """Somebody who asks the stack's warehouse."""

    def __init__(self, platform: Platform, name: str) -> None:
        cloud = LocalWorkspace(platform.settings)
        self._client, self._outputs = cloud.client(cloud.token_of(name)), platform.outputs()

    def rows(self, statement: str) -> list[list[str]]:
        """Rows of a query, values as text."""
        return queries.rows(self._client, self._outputs, statement)

    def refused(self, statement: str) -> str:
        """What the warehouse says of a query that it refuses."""
        with pytest.raises(CommandError) as refusal:
            self.rows(statement)
        return str(refusal.value)

    def customers(self) -> list[dict[str, str]]:
        """Rows of the customer master."""
        names = [*PERSONAL[:4], "birth_date", *PERSONAL[4:], "region", "monthly_charges"]
        return [dict(zip(names, row, strict=True)) for row in self.rows(CUSTOMERS)]


@contextmanager
def member(platform: Platform, *groups: str) -> Iterator[Reader]:
    """A new user who is in some groups, each made if it is missing; gone afterwards, as are groups that were made."""
    client = platform.client()
    there = {group.display_name for group in client.groups.list()}
    user = client.users.create(user_name=f"{groups[0]}@churn.local")
    made = []
    for group in groups:
        if group not in there:
            made.append(client.groups.create(display_name=group).id)
        join(LocalWorkspace(platform.settings), group, user.id or "")
    try:
        yield Reader(platform, f"{groups[0]}@churn.local")
    finally:
        client.users.delete(user.id or "")
        for group_id in made:
            client.groups.delete(group_id or "")
