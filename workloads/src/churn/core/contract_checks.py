"""Checks of a table that look at more than one row: which a contract has, and what a broken one does to the day.

The task `quality` makes them once a day. They follow from what the contract says anyway: its key, its references, its
service levels. The custom property `checks` gives each its severity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churn.core.contract_terms import FAIL, LATENCY, QUARANTINE, WARN
from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

CHECKS = "checks"
KEYS, REFERENCES, ORDER = "keys", "references", "order"
GAPS, FRESHNESS, VOLUME = "gaps", "freshness", "volume"
SEVERITIES = (WARN, FAIL)
SESSION = "session_id"  # column of the session that an event belongs to


def checks_of(written: OpenDataContractStandard) -> dict[str, str]:
    """Severity of each check of a contract, by its name; empty if it has none."""
    value = next((entry.value for entry in written.customProperties or () if entry.property == CHECKS), None)
    return {str(name): str(severity) for name, severity in value.items()} if isinstance(value, dict) else {}


def due_checks(written: OpenDataContractStandard, table: SchemaObject, *, streamed: bool) -> tuple[str, ...]:
    """Names of the checks that a delivered table has to have.

    The stream's own alert looks at how fresh events are, so a topic has no check of that. How many rows are usual is
    known of rows that have a day: that of the service level `latency`.
    """
    columns = table.properties or ()
    due = {
        KEYS: True,
        REFERENCES: any(column.relationships for column in columns),
        ORDER: streamed and any(column.name == SESSION for column in columns),
        GAPS: not streamed,
        FRESHNESS: not streamed,
        VOLUME: any(level.property == LATENCY and level.element for level in written.slaProperties or ()),
    }
    return tuple(name for name, wanted in due.items() if wanted)


def broken_checks(
    document: Document, written: OpenDataContractStandard, table: SchemaObject, *, streamed: bool
) -> Iterator[Fault]:
    """Requires a severity for each check of a delivered table, and none for another.

    Args:
        document: What the file holds.
        written: The same by the standard's model.
        table: Its only table.
        streamed: Whether a topic delivers the rows.
    """
    due = due_checks(written, table, streamed=streamed)
    entries = enumerate(written.customProperties or ())
    place: Place = next(
        (("customProperties", index, "value") for index, entry in entries if entry.property == CHECKS),
        ("customProperties",),
    )
    given = checks_of(written)
    for name in due:
        if name not in given:
            remedy = f"add {name}: {WARN} or {name}: {FAIL} to the property {CHECKS}"
            yield document.fault(place, received=f"no check {name}", allowed=f"each of {choices(due)}", remedy=remedy)
    for name, severity in given.items():
        here: Place = (*place, name)
        if name not in due:
            meant = nearest(name, due)
            remedy = f"write {meant}" if meant and meant not in given else "remove it; nothing makes it of this table"
            yield document.fault(here, received=shown(name), allowed=choices(due), remedy=remedy)
        elif severity not in SEVERITIES:
            yield document.fault(here, received=shown(severity), allowed=choices(SEVERITIES), remedy=_remedy(severity))


def _remedy(severity: Any) -> str:
    """What to write in place of a severity."""
    if severity == QUARANTINE:
        return (
            f"write {WARN}: the rows are in silver by then, and a row whose customer is unknown today may be right "
            "tomorrow; a condition on a single row can set it aside"
        )
    meant = nearest(severity, SEVERITIES)
    return f"write {meant}" if meant else "say whether a broken check fails the day"
