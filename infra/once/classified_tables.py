"""A resource that closes the tables of single customers to people while what is classified in them changes.

The grants of people take the names of their tables from it. When the list of classified columns changes, the resource
is replaced, deleted first, and with it, before it, whatever depends on its output: the engine takes the grants away
first. Only then code is uploaded, the tables are made anew or get their new columns, these are tagged, and the grants
are made again. Whatever interrupts a deployment leaves people without the tables, and never without the masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

if TYPE_CHECKING:
    from collections.abc import Sequence


class ClassifiedTablesProvider(ResourceProvider):
    """Provider whose resources are lists; there is nothing to make."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Gives the list."""
        return CreateResult("classified-tables", props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replaces the list when a place or a class has changed, deleted first."""
        replaces = [name for name in ("tables", "places") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(replaces), replaces=replaces, delete_before_replace=True)


class ClassifiedTables(Resource, module="churn", name="ClassifiedTables"):
    """The tables of single customers, with the columns that are classified in them.

    Attributes:
        tables: Full names of the tables, as an output.
        names: The same, as they were declared.
    """

    tables: pulumi.Output[list[str]]
    names: frozenset[str]

    def __init__(self, name: str, tables: Sequence[str], places: Sequence[str], opts: pulumi.ResourceOptions) -> None:
        """Declares the list.

        Args:
            name: Name of the resource.
            tables: Full names of the tables.
            places: Each classified column with its class, such as `silver.customer.email: pii.email`.
            opts: Options of the resource.
        """
        self.names = frozenset(tables)
        super().__init__(ClassifiedTablesProvider(), name, {"tables": list(tables), "places": ", ".join(places)}, opts)

    def table(self, full_name: str) -> pulumi.Output[str]:
        """The name of one table, as an output of this resource."""
        return self.tables.apply(lambda names: next(name for name in names if name == full_name))
