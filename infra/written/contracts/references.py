"""References of contracts: to keys of other tables, to what a column is made from, to the task that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from churn.core.contract_rules import GOLD
from churn.core.contract_source import WRITER
from churn.core.faults import choices, nearest, shown
from churn.tasks import TASKS
from infra.written.contracts.conditions import mappings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from churn.core.faults import Fault
    from churn.core.files import Document, Place


class Known(NamedTuple):
    """What contracts may refer to.

    Attributes:
        keys: Columns of keys, as table.column.
        sources: Tables, as schema.table, and their columns.
        unjudged: Beginnings of references to contracts with faults of their own.
    """

    keys: set[str]
    sources: set[str]
    unjudged: tuple[str, ...]


def broken_references(
    documents: Sequence[Document], known: Sequence[Document], faulty: Collection[str]
) -> Iterator[Fault]:
    """A fault for each reference to what no contract has.

    Args:
        documents: Contracts to check.
        known: All contracts that they may refer to.
        faulty: Files of contracts with faults of their own; what refers to these is not judged.
    """
    there = _known(known, faulty)
    for document in documents:
        for table_place, table in _tables(document):
            of_gold = str(table.get("physicalName")).startswith(f"{GOLD}.")
            for index, column in enumerate(mappings(table.get("properties"))):
                place = (*table_place, "properties", index)
                yield from _relationships(document, place, column, there)
                if of_gold:
                    yield from _sources(document, place, column, there)
        yield from _writer(document)


def _tables(document: Document) -> list[tuple[Place, dict[str, Any]]]:
    return [(("schema", number), table) for number, table in enumerate(mappings(document.values.get("schema")))]


def _known(documents: Sequence[Document], faulty: Collection[str]) -> Known:
    known = Known(set(), set(), ())
    unjudged: list[str] = []
    for document in documents:
        for _, table in _tables(document):
            name, full_name = str(table.get("name")), str(table.get("physicalName"))
            known.sources.add(full_name)
            if document.file in faulty:
                unjudged += [f"{name}.", f"{full_name}."]
            for column in mappings(table.get("properties")):
                known.sources.add(f"{full_name}.{column.get('name')}")
                if column.get("primaryKey") is True:
                    known.keys.add(f"{name}.{column.get('name')}")
    return known._replace(unjudged=tuple(unjudged))


def _relationships(document: Document, place: Place, column: dict[str, Any], known: Known) -> Iterator[Fault]:
    for position, each in enumerate(mappings(column.get("relationships"))):
        target = str(each.get("to"))
        if target not in known.keys and not target.startswith(known.unjudged):
            meant = nearest(target, known.keys)
            yield document.fault(
                (*place, "relationships", position, "to"),
                received=shown(target),
                allowed="the key of a table that has a contract, as table.column",
                remedy=f"write {meant}" if meant else "name the key, or remove the relationship",
            )


def _sources(document: Document, place: Place, column: dict[str, Any], known: Known) -> Iterator[Fault]:
    sources = column.get("transformSourceObjects")
    for position, source in enumerate(map(str, sources) if isinstance(sources, list) else ()):
        if source not in known.sources and not source.startswith(known.unjudged):
            meant = _nearest_source(source, known.sources)
            yield document.fault(
                (*place, "transformSourceObjects", position),
                received=shown(source),
                allowed="a table or column that has a contract, as schema.table or schema.table.column",
                remedy=f"write {meant}" if meant else "name what the column is made from",
            )


def _nearest_source(name: str, sources: Collection[str]) -> str | None:
    """The table or column that is probably meant: of columns one of the same table, if there is such a table."""
    table = name.rpartition(".")[0]
    return nearest(name, {each for each in sources if each.startswith(f"{table}.")} if table in sources else sources)


def _writer(document: Document) -> Iterator[Fault]:
    for index, each in enumerate(mappings(document.values.get("customProperties"))):
        if each.get("property") == WRITER and each.get("value") not in TASKS:
            meant = nearest(str(each.get("value")), TASKS)
            remedy = f"write {meant}" if meant else "name the task that writes the table"
            place: Place = ("customProperties", index, "value")
            yield document.fault(place, received=shown(each.get("value")), allowed=choices(TASKS), remedy=remedy)
