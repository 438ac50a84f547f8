"""References of contracts to the columns of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.faults import nearest, shown
from infra.written.contracts.conditions import mappings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from churn.core.faults import Fault
    from churn.core.files import Document


def broken_references(
    documents: Sequence[Document], known: Sequence[Document], faulty: Collection[str]
) -> Iterator[Fault]:
    """A fault for each relationship to a column that is no key of a contract.

    Args:
        documents: Contracts to check.
        known: All contracts that they may refer to.
        faulty: Files of contracts with faults of their own; what refers to these is not judged.
    """
    unjudged = tuple(
        f"{table.get('name')}."
        for document in known
        if document.file in faulty
        for table in mappings(document.values.get("schema"))
    )
    keys = {
        f"{table.get('name')}.{column.get('name')}"
        for document in known
        for table in mappings(document.values.get("schema"))
        for column in mappings(table.get("properties"))
        if column.get("primaryKey") is True
    }
    for document in documents:
        for number, table in enumerate(mappings(document.values.get("schema"))):
            for index, column in enumerate(mappings(table.get("properties"))):
                for position, each in enumerate(mappings(column.get("relationships"))):
                    if each.get("to") not in keys and not str(each.get("to")).startswith(unjudged):
                        place = ("schema", number, "properties", index, "relationships", position, "to")
                        meant = nearest(str(each.get("to")), keys)
                        yield document.fault(
                            place,
                            received=shown(each.get("to")),
                            allowed="the key of a table that has a contract, as table.column",
                            remedy=f"write {meant}" if meant else "name the key, or remove the relationship",
                        )
