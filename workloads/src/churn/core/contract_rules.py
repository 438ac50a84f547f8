"""Rules that a data contract must meet beyond the standard's model, and the names of the rules that its rows meet.

The docstring of each function below `broken_rules` is the rule that it checks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from open_data_contract_standard.model import Team

from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

KIND = "DataContract"
SCHEMA = "silver"  # of the tables that contracts describe
NAME = re.compile(r"[a-z][a-z0-9_]*")
NAMING = "a lower-case letter, then lower-case letters, digits and underscores"
ACCESS = ("read", "write")
ENGINE = "spark"
TYPES = ("STRING", "INT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN")  # Spark's
# Of a column, as the standard's JSON schema lists them (`schema.json` of open-data-contract-standard).
LOGICAL_TYPES = (
    "string",
    "date",
    "timestamp",
    "time",
    "number",
    "integer",
    "object",
    "array",
    "boolean",
    "map",
    "vector",
)

# Custom properties that the workloads need.
FORMAT = "format"
FORMATS = ("csv", "json", "parquet")
MESSAGE_FORMATS = ("json",)
ORDERING = "ordering"
TOPIC = "topic"
PROPERTIES = (FORMAT, ORDERING, TOPIC)

# Rules that every row or message has to meet whatever its contract says, SQL conditions by name.
TYPED = {"values_have_their_type": "_malformed IS NULL"}
ROW_RULES = {"has_its_fields": "NOT _uneven", **TYPED, "dates_are_possible": "_misdated IS NULL"}
MESSAGE_RULES = {
    **TYPED,
    "text_is_utf8": "NOT _unreadable",
    "event_is_not_late": "NOT _late",
    "clock_is_right": "NOT _ahead",
}


def given_rule(column: str) -> str:
    """Name of the rule that a required column is given."""
    return f"{column}_is_given"


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


def owner_of(written: OpenDataContractStandard) -> str | None:
    """Display name of the group that owns the table."""
    return written.team.name if isinstance(written.team, Team) else None


def custom_property(written: OpenDataContractStandard, name: str) -> str | None:
    """Value of a custom property as text; None if it is missing."""
    return next((str(entry.value) for entry in written.customProperties or () if entry.property == name), None)


def broken_rules(document: Document, written: OpenDataContractStandard, groups: Collection[str] | None) -> list[Fault]:
    """Applies every rule to a contract, and lists the faults.

    Args:
        document: What its file holds.
        written: The same by the standard's model.
        groups: Display names of the groups that may own or use a table; None takes any.
    """
    faults = [*_head(document, written), *_groups(document, written, groups)]
    entries = written.schema_ or []
    if len(entries) != 1 or not entries[0].name or not entries[0].properties:
        names = [entry.name for entry in entries]
        allowed, remedy = "one entry with a name and properties", "write one table a file"
        return [*faults, document.fault(("schema",), received=shown(names), allowed=allowed, remedy=remedy)]
    (table,) = entries
    faults += _table(document, table)
    faults += _columns(document, table)
    faults += _delivery(document, written, table)
    faults += _quality(document, table)
    return faults


def _head(document: Document, written: OpenDataContractStandard) -> Iterator[Fault]:
    """Requires a contract with a version."""
    if written.kind != KIND:
        verb = "correct" if written.kind else "add"
        remedy = f"{verb} kind, or move a file that is no contract to another folder"
        allowed = f"{KIND}, the only kind that this folder holds"
        yield document.fault(("kind",), received=shown(written.kind), allowed=allowed, remedy=remedy)
    if not written.version:
        remedy = "write the contract's version"
        yield document.fault(("version",), received=shown(written.version), allowed="text such as 1.0.0", remedy=remedy)


def _groups(document: Document, written: OpenDataContractStandard, groups: Collection[str] | None) -> Iterator[Fault]:
    """Requires known groups as owner and in roles, and the access of each role."""
    allowed = "the name of a group" if groups is None else choices(groups)
    known = "correct the name, or add it to churn:platform.team_groups"
    owner = owner_of(written)
    if not owner or (groups is not None and owner not in groups):
        remedy = known if owner else "name the group that owns the table"
        yield document.fault(("team", "name"), received=shown(owner), allowed=allowed, remedy=remedy)
    for index, role in enumerate(written.roles or ()):
        if not role.role or (groups is not None and role.role not in groups):
            place = ("roles", index, "role")
            yield document.fault(place, received=shown(role.role), allowed=allowed, remedy=known)
        if role.access not in ACCESS:
            place, meant = ("roles", index, "access"), nearest(role.access or "", ACCESS)
            remedy = f"correct it to {meant}" if meant else "choose no more than the group needs, or remove the role"
            yield document.fault(place, received=shown(role.access), allowed=choices(ACCESS), remedy=remedy)


def _table(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires a name of silver for the table, the same in both properties."""
    if not NAME.fullmatch(table.name or ""):
        place, remedy = ("schema", 0, "name"), "rename the table"
        yield document.fault(place, received=shown(table.name), allowed=NAMING, remedy=remedy)
        return
    full_name = f"{SCHEMA}.{table.name}"
    if table.physicalName != full_name:
        allowed = f"the schema {SCHEMA}, a dot and the table's name"
        remedy = f"write {full_name}, or correct name"
        place = ("schema", 0, "physicalName")
        yield document.fault(place, received=shown(table.physicalName), allowed=allowed, remedy=remedy)


def _columns(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires columns with different names, in silver and in the files, and a key among them."""
    names: set[str] = set()
    sources: set[str] = set()
    columns: Place = ("schema", 0, "properties")
    for index, column in enumerate(table.properties or ()):
        place = (*columns, index)
        name, source = column.name or "", source_of(column)
        if not NAME.fullmatch(name):
            yield document.fault(
                (*place, "name"), received=shown(column.name), allowed=NAMING, remedy="rename the column"
            )
        if name in names:
            remedy = "remove or rename one of the two columns"
            yield document.fault(
                (*place, "name"), received=shown(name), allowed="a name that no other column has", remedy=remedy
            )
        elif bronze_name(source.strip()).lower() in sources:  # Spark's columns do not differ by capitals
            yield document.fault(
                (*place, "transformSourceObjects"),
                received=shown(source),
                allowed="a name in the files that no other column has, whatever its capitals and blanks",
                remedy="remove or rename one of the two columns",
            )
        names.add(name)
        sources.add(bronze_name(source.strip()).lower())
        yield from _types(document, place, column)
    if not any(column.primaryKey for column in table.properties or ()):
        allowed, remedy = "columns of which one or more have primaryKey", "mark the natural key with primaryKey: true"
        yield document.fault(columns, received="no primaryKey", allowed=allowed, remedy=remedy)


def _types(document: Document, place: Place, column: SchemaProperty) -> Iterator[Fault]:
    """Requires a type of Spark for a column; one of the standard may be missing, and may not be wrong."""
    if column.physicalType not in TYPES:
        meant = nearest((column.physicalType or "").upper(), TYPES)
        remedy = f"write {meant}" if meant else "choose the type that holds the values of the column"
        yield document.fault(
            (*place, "physicalType"), received=shown(column.physicalType), allowed=choices(TYPES), remedy=remedy
        )
    if column.logicalType is not None and column.logicalType not in LOGICAL_TYPES:
        meant = nearest(column.logicalType, LOGICAL_TYPES)
        remedy = f"write logicalType: {meant}" if meant else "give the standard's name of the type, or remove it"
        yield document.fault(
            (*place, "logicalType"), received=shown(column.logicalType), allowed=choices(LOGICAL_TYPES), remedy=remedy
        )


def _delivery(document: Document, written: OpenDataContractStandard, table: SchemaObject) -> Iterator[Fault]:
    """Requires a known format of the files or messages, and a column as ordering; messages have their own order."""

    def place(name: str) -> Place:
        entries = enumerate(written.customProperties or ())
        return next(
            (("customProperties", n, "value") for n, entry in entries if entry.property == name),
            ("customProperties",),
        )

    for index, entry in enumerate(written.customProperties or ()):
        if (meant := nearest(entry.property or "", PROPERTIES)) and entry.property not in PROPERTIES:
            named = ("customProperties", index, "property")
            allowed, remedy = choices(PROPERTIES), f"write {meant}"
            yield document.fault(named, received=shown(entry.property), allowed=allowed, remedy=remedy)
            return
    given, ordering = formats_of(written), custom_property(written, ORDERING)
    topic = custom_property(written, TOPIC)
    formats, delivered = (FORMATS, "files") if topic is None else (MESSAGE_FORMATS, "messages")
    wrong = next((name for name in given if name not in formats or given.count(name) > 1), None)
    if wrong is not None or not given:
        remedy = f"give the format of the delivered {delivered}" if given else f"add the property {FORMAT}"
        yield document.fault(place(FORMAT), received=shown(wrong), allowed=choices(formats), remedy=remedy)
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


def _quality(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires of a rule its own name and a condition that Spark checks."""
    required = [column.name or "" for column in table.properties or () if column.required]
    names = {*ROW_RULES, *MESSAGE_RULES, *map(given_rule, required)}
    for index, rule in enumerate(table.quality or ()):
        place = ("schema", 0, "quality", index)
        if not rule.name:
            remedy = "add a name; quarantined rows carry it"
            yield document.fault((*place, "name"), received=shown(rule.name), allowed="text", remedy=remedy)
        elif rule.name in names:
            allowed, remedy = "a name that no other rule has", "rename one of the two rules, or this one would be lost"
            yield document.fault((*place, "name"), received=shown(rule.name), allowed=allowed, remedy=remedy)
        names.add(rule.name or "")
        if rule.engine != ENGINE:
            allowed = f"{ENGINE}, since the silver pipeline checks every rule"
            remedy = "rewrite the rule as a condition in SQL for this engine, or remove the rule"
            yield document.fault((*place, "engine"), received=shown(rule.engine), allowed=allowed, remedy=remedy)
        if not isinstance(rule.implementation, str):
            received, remedy = shown(rule.implementation), "write the condition that each row has to meet"
            yield document.fault((*place, "implementation"), received=received, allowed="SQL", remedy=remedy)
