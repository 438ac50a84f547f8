"""Texts of a contract, and those that its author still has to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churn.core.faults import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

TODO = "TODO"  # begins what `template` leaves to be answered


def texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text at any depth, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*place, index))


def unanswered(document: Document) -> Iterator[Fault]:
    """A fault for each text that a template has left to be answered."""
    for place, text in texts(document.values):
        if text.startswith(TODO):
            yield document.fault(
                place, received=shown(text), allowed="an answer", remedy="write it in place of the TODO"
            )
