"""Custom properties of a data contract: how rows are delivered, or which task writes them.

The docstring of each function below `broken_source` is the rule that it checks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from churn.core.contract_checks import CHECKS, broken_checks
from churn.core.contract_terms import FAIL, QUARANTINE, WARN
from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

FORMAT = "format"
FORMATS = ("csv", "json", "parquet")
MESSAGE_FORMATS = ("json",)
ORDERING = "ordering"
TOPIC = "topic"
DELIVERY = (FORMAT, ORDERING, TOPIC, CHECKS)  # of a delivered table
WRITER, PART = "writer", "part"  # the task that writes it, and the columns that name a part
PRODUCTION = (WRITER, PART)  # of a table of gold


def source_of(column: SchemaProperty) -> str:
    """Name of a column in the delivered files."""
    return (column.transformSourceObjects or [column.name or ""])[0]


def bronze_name(source: str) -> str:
    """Name in bronze of a column of delivered files; Delta takes no blank and none of `,;{}()=` in a name."""
    return re.sub(r"[ ,;{}()\n\t=]", "_", source)


def formats_of(written: OpenDataContractStandard) -> tuple[str, ...]:
    """Formats of the delivered files or messages: one, or a list."""
    value = next((entry.value for entry in written.customProperties or () if entry.property == FORMAT), None)
    return tuple(map(str, value)) if isinstance(value, list) else () if value is None else (str(value),)


def custom_property(written: OpenDataContractStandard | SchemaProperty, name: str) -> str | None:
    """Value of a custom property as text; None if it is missing."""
    values = (entry.value for entry in written.customProperties or () if entry.property == name)
    return next((str(value) for value in values if value is not None), None)


def property_list(written: OpenDataContractStandard, name: str) -> tuple[str, ...]:
    """Value of a custom property that is a list of texts; empty if it is missing."""
    value = next((entry.value for entry in written.customProperties or () if entry.property == name), None)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def broken_source(document: Document, written: OpenDataContractStandard, *, delivered: bool) -> list[Fault]:
    """Applies the rules below to a contract.

    Args:
        document: What its file holds.
        written: The same by the standard's model, of one table.
        delivered: Whether its rows are delivered; else a task writes them.
    """
    (table,) = written.schema_ or []
    names, rules = (DELIVERY, _delivery) if delivered else (PRODUCTION, _production)
    return _misspelt(document, written, names) or list(rules(document, written, table))


def _misspelt(document: Document, written: OpenDataContractStandard, names: Collection[str]) -> list[Fault]:
    """Requires of a custom property that it is none of these names, misspelt; it would be as good as missing."""
    return [
        document.fault(
            ("customProperties", index, "property"),
            received=shown(entry.property),
            allowed=choices(names),
            remedy=f"write {meant}",
        )
        for index, entry in enumerate(written.customProperties or ())
        if entry.property not in names and (meant := nearest(entry.property or "", names))
    ]


def _production(document: Document, written: OpenDataContractStandard, table: SchemaObject) -> Iterator[Fault]:
    """Requires of a table of gold the task that writes it, and columns of it as part."""
    if not custom_property(written, WRITER):
        remedy = f"add the property {WRITER} with the name of the task that writes the table"
        yield document.fault(("customProperties",), received=f"no {WRITER}", allowed="a task", remedy=remedy)
    columns = [column.name or "" for column in table.properties or ()]
    for name in property_list(written, PART):
        if name not in columns:
            remedy = f"correct it in {PART}: a run replaces the rows that share the values of these columns"
            allowed = choices(columns)
            yield document.fault(("customProperties",), received=shown(name), allowed=allowed, remedy=remedy)


def _delivery(document: Document, written: OpenDataContractStandard, table: SchemaObject) -> Iterator[Fault]:
    """Requires a known format of the files or messages, checks, and a column as ordering, which messages have not."""

    def place(name: str) -> Place:
        entries = enumerate(written.customProperties or ())
        return next(
            (("customProperties", n, "value") for n, entry in entries if entry.property == name),
            ("customProperties",),
        )

    given, ordering = formats_of(written), custom_property(written, ORDERING)
    topic = custom_property(written, TOPIC)
    formats, delivered = (FORMATS, "files") if topic is None else (MESSAGE_FORMATS, "messages")
    wrong = next((name for name in given if name not in formats or given.count(name) > 1), None)
    if wrong is not None or not given:
        remedy = f"give the format of the delivered {delivered}" if given else f"add the property {FORMAT}"
        yield document.fault(place(FORMAT), received=shown(wrong), allowed=choices(formats), remedy=remedy)
    yield from broken_checks(document, written, table, streamed=topic is not None)
    if topic is not None:
        yield from _severities(document, table)
    if topic is not None and ordering is not None:
        allowed, remedy = "no ordering, since each message is an event of its own", f"remove {ORDERING}"
        yield document.fault(place(ORDERING), received=shown(ordering), allowed=allowed, remedy=remedy)
        return
    columns = [column.name or "" for column in table.properties or ()]
    if ordering is not None and ordering not in columns:
        meant = nearest(ordering, columns)
        remedy = (
            f"write {meant}" if meant else f"name the column that says when a row was reported, or remove {ORDERING}"
        )
        yield document.fault(place(ORDERING), received=shown(ordering), allowed="the name of a column", remedy=remedy)


def _severities(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires of the rules of a topic that they set messages aside: its stream neither counts nor stops."""
    owners: list[tuple[Place, SchemaObject | SchemaProperty]] = [(("schema", 0), table)]
    owners += [(("schema", 0, "properties", index), column) for index, column in enumerate(table.properties or ())]
    rules = [((*place, "quality", n), rule) for place, owner in owners for n, rule in enumerate(owner.quality or ())]
    for place, rule in rules:
        if rule.severity in (WARN, FAIL):
            remedy = "set rows aside, or remove the rule"
            allowed = f"{QUARANTINE}, since the stream sets messages aside and does nothing else with them"
            yield document.fault((*place, "severity"), received=shown(rule.severity), allowed=allowed, remedy=remedy)
