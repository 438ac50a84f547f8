"""Terms of a data contract: the values that a column may have, quality rules, references, service levels.

The docstring of each function below `broken_terms` is the rule that it checks. The others read the terms of a contract
that breaks none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from open_data_contract_standard.model import (
        DataQuality,
        OpenDataContractStandard,
        SchemaObject,
        SchemaProperty,
        ServiceLevelAgreementProperty,
    )

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

ENGINE = "spark"
LISTED = "invalidValues"  # the standard's metric of a column's listed values
VALUES = "validValues"  # its argument
WARN, QUARANTINE, FAIL = "warn", "quarantine", "fail"
SEVERITIES = (WARN, QUARANTINE, FAIL)
LISTABLE: dict[str, type] = {"STRING": str, "INT": int, "BIGINT": int}  # Spark's types, and YAML's of their values
UNLISTABLE = ("DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN")

FREQUENCY, LATENCY, RETENTION, AVAILABLE = "frequency", "latency", "retention", "timeOfAvailability"
DURATIONS = (FREQUENCY, LATENCY, RETENTION)
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "y": 365 * 86_400}  # in each unit of a duration
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
UTC = "UTC"


@dataclass(frozen=True)
class Rule:
    """A condition on the rows of a table.

    Attributes:
        name: Its name, which quarantined rows carry.
        condition: SQL on silver's columns; NULL counts as broken.
        severity: What becomes of a row that breaks it: `warn` keeps and counts the row, `quarantine` sets it aside,
            `fail` stops the pipeline's update.
        description: What it means, a sentence; empty for one that follows from a column.
    """

    name: str
    condition: str
    severity: str = QUARANTINE
    description: str = ""


@dataclass(frozen=True)
class Service:
    """What readers of a table may rely on.

    Attributes:
        frequency: Time between two deliveries.
        latency: Longest time from what a row is dated to the row in the table.
        retention: How long rows are kept.
        dated: Column by which latency is measured; None where there is none.
        expires_by: Column by which retention is measured; None where there is none.
        available_by: Time of day in UTC, `HH:MM`, by which yesterday's rows are there; None where there is no day.
    """

    frequency: timedelta
    latency: timedelta
    retention: timedelta
    dated: str | None
    expires_by: str | None
    available_by: str | None


def given_rule(column: str) -> str:
    """Name of the rule that a required column is given."""
    return f"{column}_is_given"


def known_rule(column: str) -> str:
    """Name of the rule that a column has one of its listed values."""
    return f"{column}_is_known"


def listed_values(column: SchemaProperty) -> tuple[Any, ...]:
    """The values that a column may have; none if it may have any."""
    return tuple(next(((rule.arguments or {}).get(VALUES, ()) for rule in column.quality or ()), ()))


def references(column: SchemaProperty) -> tuple[str, ...]:
    """The keys of other tables that a column refers to, such as `customer.customer_id`."""
    return tuple(each.to for each in column.relationships or () if isinstance(each.to, str))


def quality_of(table: SchemaObject) -> tuple[Rule, ...]:
    """Every rule that the contract gives: those of required columns, of listed values, then its own."""
    columns = table.properties or ()
    given = [Rule(given_rule(str(each.name)), f"{each.name} IS NOT NULL") for each in columns if each.required]
    own = [
        Rule(str(each.name), str(each.implementation), str(each.severity), each.description or "")
        for each in table.quality or ()
    ]
    return (*given, *(_listed(each) for each in columns if listed_values(each)), *own)


def _listed(column: SchemaProperty) -> Rule:
    literals = (_literal(value) for value in listed_values(column))
    condition = f"{column.name} IN ({', '.join(literals)})"
    if not column.required:
        condition = f"{column.name} IS NULL OR {condition}"
    severity = next(str(rule.severity) for rule in column.quality or ())
    return Rule(known_rule(str(column.name)), condition, severity)


def _literal(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def service_of(written: OpenDataContractStandard) -> Service:
    """The service levels of a contract."""
    levels = {str(level.property): level for level in written.slaProperties or ()}
    durations = {name: timedelta(seconds=seconds_of(levels[name])) for name in DURATIONS}
    dated, expires_by = (levels[name].element for name in (LATENCY, RETENTION))
    available = levels.get(AVAILABLE)
    return Service(
        **durations,
        dated=dated.rpartition(".")[2] if dated else None,
        expires_by=expires_by.rpartition(".")[2] if expires_by else None,
        available_by=str(available.value) if available else None,
    )


def seconds_of(level: ServiceLevelAgreementProperty) -> float:
    """Length of a duration, or the time from midnight to a time of day, in seconds; 0 if it is neither."""
    if CLOCK.fullmatch(str(level.value)):
        hours, _, minutes = str(level.value).partition(":")
        return int(hours) * 3_600 + int(minutes) * 60
    value, unit = level.value, SECONDS.get(level.unit or "", 0)
    return value * unit if isinstance(value, int | float) and not isinstance(value, bool) else 0


def broken_terms(document: Document, written: OpenDataContractStandard, table: SchemaObject) -> Iterator[Fault]:
    """Applies the rules below to a contract.

    Args:
        document: What its file holds.
        written: The same by the standard's model.
        table: Its only table.
    """
    for index, column in enumerate(table.properties or ()):
        yield from _values(document, ("schema", 0, "properties", index), column)
    yield from _quality(document, table)
    yield from _service(document, written, table)


def _values(document: Document, place: Place, column: SchemaProperty) -> Iterator[Fault]:
    """Requires of a column's rules one list of values of the column's type."""
    for index, rule in enumerate(column.quality or ()):
        here = (*place, "quality", index)
        if rule.metric != LISTED or index:
            received = shown(rule.metric or rule.name) if not index else "a second rule"
            remedy = "write a rule of another kind into the quality of the table"
            yield document.fault(here, received=received, allowed=f"one rule with metric: {LISTED}", remedy=remedy)
            continue
        yield from _severity(document, here, rule)
        values, kind = (rule.arguments or {}).get(VALUES), LISTABLE.get(column.physicalType or "")
        if column.physicalType in UNLISTABLE:
            remedy = "remove the list, or write a rule with a range into the quality of the table"
            yield document.fault(
                here, received=f"listed values of {column.physicalType}", allowed=choices(LISTABLE), remedy=remedy
            )
        elif kind and (not isinstance(values, list) or not values or any(type(value) is not kind for value in values)):
            remedy = "put each value in quotes" if kind is str else "write each value in digits alone"
            allowed = f"a list of {'text' if kind is str else 'whole numbers'}"
            yield document.fault((*here, "arguments", VALUES), received=shown(values), allowed=allowed, remedy=remedy)
        if rule.mustBe != 0:
            remedy = "correct it: no row may have another value"
            yield document.fault((*here, "mustBe"), received=shown(rule.mustBe), allowed="0", remedy=remedy)


def _severity(document: Document, place: Place, rule: DataQuality) -> Iterator[Fault]:
    """Requires the severity of a rule."""
    if rule.severity not in SEVERITIES:
        meant = nearest(rule.severity or "", SEVERITIES)
        remedy = f"write {meant}" if meant else "say what becomes of a row that breaks the rule"
        yield document.fault(
            (*place, "severity"), received=shown(rule.severity), allowed=choices(SEVERITIES), remedy=remedy
        )


def _quality(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires of a table's rule a severity and a condition that Spark checks."""
    for index, rule in enumerate(table.quality or ()):
        place = ("schema", 0, "quality", index)
        yield from _severity(document, place, rule)
        if rule.engine != ENGINE:
            allowed = f"{ENGINE}, since the silver pipeline checks every rule"
            remedy = "rewrite the rule as a condition in SQL for this engine, or remove the rule"
            yield document.fault((*place, "engine"), received=shown(rule.engine), allowed=allowed, remedy=remedy)
        if not isinstance(rule.implementation, str):
            received, remedy = shown(rule.implementation), "write the condition that each row has to meet"
            yield document.fault((*place, "implementation"), received=received, allowed="SQL", remedy=remedy)


def _service(document: Document, written: OpenDataContractStandard, table: SchemaObject) -> Iterator[Fault]:
    """Requires frequency, latency and retention with their units, and elements that are columns."""
    columns = [f"{name}.{column.name}" for name in (table.name, written.name) for column in table.properties or ()]
    names = (*DURATIONS, AVAILABLE)
    given = [level.property or "" for level in written.slaProperties or ()]
    misspelt = {nearest(name, names) for name in given if name not in names}
    for name in DURATIONS:
        if name not in given and name not in misspelt:
            yield document.fault(
                ("slaProperties",),
                received=f"no {name}",
                allowed=choices(names),
                remedy=f"add the property {name} with value and unit",
            )
    for index, level in enumerate(written.slaProperties or ()):
        place = ("slaProperties", index)
        if level.property not in names or level.property in given[:index]:
            meant = nearest(level.property or "", names)
            remedy = f"write {meant}" if meant and meant not in given else "remove it; nothing keeps it"
            allowed = f"{choices(names)}, each once"
            yield document.fault((*place, "property"), received=shown(level.property), allowed=allowed, remedy=remedy)
        elif level.property == AVAILABLE:
            if not CLOCK.fullmatch(str(level.value)) or level.unit != UTC:
                received, remedy = shown(f"{level.value} {level.unit}"), 'write value: "06:00" and unit: UTC'
                yield document.fault(place, received=received, allowed="HH:MM in UTC", remedy=remedy)
        elif seconds_of(level) <= 0 or isinstance(level.value, str):
            received, remedy = shown(f"{level.value} {level.unit}"), "write a number as value, and its unit as unit"
            allowed = f"a number above 0 of {choices(SECONDS)}"
            yield document.fault((*place, "value"), received=received, allowed=allowed, remedy=remedy)
        if level.element is not None and level.element not in columns:
            meant = nearest(level.element, columns)
            remedy = f"write {meant}" if meant else "name table and column, or remove element"
            yield document.fault(
                (*place, "element"), received=shown(level.element), allowed="a column of the table", remedy=remedy
            )
