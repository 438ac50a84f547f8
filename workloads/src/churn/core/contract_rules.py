"""Rules that a data contract must meet beyond the standard's model, and the names of the rules that its rows meet.

The docstring of each function below `broken_rules` is the rule that it checks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from open_data_contract_standard.model import Team

from churn.core.contract_source import broken_source, bronze_name, custom_property, source_of
from churn.core.contract_terms import broken_terms, given_rule, known_rule
from churn.core.faults import choices, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty

    from churn.core.faults import Fault
    from churn.core.files import Document, Place

KIND = "DataContract"
SILVER, GOLD = "silver", "gold"  # schemas of the tables that contracts describe
NAME = re.compile(r"[a-z][a-z0-9_]*")
NAMING = "a lower-case letter, then lower-case letters, digits and underscores"
ACCESS = ("read", "write")
PUBLIC = "public"  # the class that restricts nothing
# Classes of confidentiality, which the governed tag `classification` has as its values.
CLASSIFICATIONS = (
    "pii.name",
    "pii.email",
    "pii.phone",
    "pii.birth",
    "pii.location",
    "pii.id",
    "confidential",
    PUBLIC,
)
TYPES = ("STRING", "INT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN")  # Spark's, that silver conforms
WRITTEN_TYPES = (*TYPES, "BIGINT")  # that tasks write to gold
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

UNIT = "unit"  # of a column
NUMBERS = ("INT", "BIGINT", "DOUBLE")  # types whose values have a unit

# Rules that every row or message has to meet whatever its contract says, SQL conditions by name.
TYPED = {"values_have_their_type": "_malformed IS NULL"}
ROW_RULES = {"has_its_fields": "NOT _uneven", **TYPED, "dates_are_possible": "_misdated IS NULL"}
MESSAGE_RULES = {
    **TYPED,
    "text_is_utf8": "NOT _unreadable",
    "event_is_not_late": "NOT _late",
    "clock_is_right": "NOT _ahead",
}


def owner_of(written: OpenDataContractStandard) -> str | None:
    """Display name of the group that owns the table."""
    return written.team.name if isinstance(written.team, Team) else None


def broken_rules(
    document: Document, written: OpenDataContractStandard, groups: Collection[str] | None, schema: str
) -> list[Fault]:
    """Applies every rule to a contract, and lists the faults.

    Args:
        document: What its file holds.
        written: The same by the standard's model.
        groups: Display names of the groups that may own or use a table; None takes any.
        schema: That the table has to lie in: `SILVER` or `GOLD`.
    """
    faults = [*_head(document, written), *_groups(document, written, groups)]
    entries = written.schema_ or []
    if len(entries) != 1 or not entries[0].name or not entries[0].properties:
        names = [entry.name for entry in entries]
        allowed, remedy = "one entry with a name and properties", "write one table a file"
        return [*faults, document.fault(("schema",), received=shown(names), allowed=allowed, remedy=remedy)]
    (table,) = entries
    faults += _table(document, table, schema)
    faults += _columns(document, table, delivered=schema == SILVER)
    faults += broken_source(document, written, delivered=schema == SILVER)
    faults += _rule_names(document, table)
    faults += broken_terms(document, written, table)
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
        if not role.description:
            place, remedy = ("roles", index, "description"), "say what the group uses the table for"
            yield document.fault(place, received=shown(role.description), allowed="text", remedy=remedy)
    if not any(each.channel for each in written.support or ()):
        remedy = "name the channel where the owner answers questions"
        yield document.fault(("support",), received="no channel", allowed="a channel", remedy=remedy)


def _table(document: Document, table: SchemaObject, schema: str) -> Iterator[Fault]:
    """Requires a name of the schema for the table, the same in both properties."""
    if not NAME.fullmatch(table.name or ""):
        place, remedy = ("schema", 0, "name"), "rename the table"
        yield document.fault(place, received=shown(table.name), allowed=NAMING, remedy=remedy)
        return
    full_name = f"{schema}.{table.name}"
    if table.physicalName != full_name:
        allowed = f"the schema {schema}, a dot and the table's name"
        remedy = f"write {full_name}, or correct name"
        place = ("schema", 0, "physicalName")
        yield document.fault(place, received=shown(table.physicalName), allowed=allowed, remedy=remedy)


def _columns(document: Document, table: SchemaObject, *, delivered: bool) -> Iterator[Fault]:
    """Requires columns with different names, in the table and in delivered files, and a key among them."""
    types = TYPES if delivered else WRITTEN_TYPES
    names: set[str] = set()
    sources: set[str] = set()
    columns: Place = ("schema", 0, "properties")
    for index, column in enumerate(table.properties or ()):
        place = (*columns, index)
        name, source = column.name or "", bronze_name(source_of(column).strip()).lower()
        if not NAME.fullmatch(name):
            yield document.fault(
                (*place, "name"), received=shown(column.name), allowed=NAMING, remedy="rename the column"
            )
        if name in names:
            remedy = "remove or rename one of the two columns"
            yield document.fault(
                (*place, "name"), received=shown(name), allowed="a name that no other column has", remedy=remedy
            )
        elif delivered and source in sources:  # Spark's columns do not differ by capitals
            yield document.fault(
                (*place, "transformSourceObjects"),
                received=shown(source_of(column)),
                allowed="a name in the files that no other column has, whatever its capitals and blanks",
                remedy="remove or rename one of the two columns",
            )
        names.add(name)
        sources.add(source)
        yield from _types(document, place, column, types)
        yield from _meaning(document, place, column)
    if not any(column.primaryKey for column in table.properties or ()):
        allowed, remedy = "columns of which one or more have primaryKey", "mark the natural key with primaryKey: true"
        yield document.fault(columns, received="no primaryKey", allowed=allowed, remedy=remedy)


def _types(document: Document, place: Place, column: SchemaProperty, types: Collection[str]) -> Iterator[Fault]:
    """Requires a type of Spark for a column; one of the standard may be missing, and may not be wrong."""
    if column.physicalType not in types:
        meant = nearest((column.physicalType or "").upper(), types)
        remedy = f"write {meant}" if meant else "choose the type that holds the values of the column"
        yield document.fault(
            (*place, "physicalType"), received=shown(column.physicalType), allowed=choices(types), remedy=remedy
        )
    if column.logicalType is not None and column.logicalType not in LOGICAL_TYPES:
        meant = nearest(column.logicalType, LOGICAL_TYPES)
        remedy = f"write logicalType: {meant}" if meant else "give the standard's name of the type, or remove it"
        yield document.fault(
            (*place, "logicalType"), received=shown(column.logicalType), allowed=choices(LOGICAL_TYPES), remedy=remedy
        )


def _meaning(document: Document, place: Place, column: SchemaProperty) -> Iterator[Fault]:
    """Requires of a column its class, its description and, of a number, its unit."""
    if column.classification not in CLASSIFICATIONS:
        meant = nearest(column.classification or "", CLASSIFICATIONS)
        remedy = f"write {meant}" if meant else f"say who may read the column; {PUBLIC} restricts nothing"
        yield document.fault(
            (*place, "classification"),
            received=shown(column.classification),
            allowed=choices(CLASSIFICATIONS),
            remedy=remedy,
        )
    if not column.description:
        remedy = "say what the column holds"
        yield document.fault((*place, "description"), received=shown(column.description), allowed="text", remedy=remedy)
    if column.physicalType in NUMBERS and not custom_property(column, UNIT):
        remedy = f"add the property {UNIT}, such as dollars, minutes, months or flag"
        yield document.fault(
            (*place, "customProperties"), received=f"no {UNIT}", allowed=f"a number with its {UNIT}", remedy=remedy
        )


def _rule_names(document: Document, table: SchemaObject) -> Iterator[Fault]:
    """Requires of a rule a name of its own."""
    columns = table.properties or ()
    names = {
        *(*ROW_RULES, *MESSAGE_RULES),
        *(given_rule(column.name or "") for column in columns if column.required),
        *(known_rule(column.name or "") for column in columns if column.quality),
    }
    for index, rule in enumerate(table.quality or ()):
        place = ("schema", 0, "quality", index, "name")
        if not rule.name:
            remedy = "add a name; quarantined rows carry it"
            yield document.fault(place, received=shown(rule.name), allowed="text", remedy=remedy)
        elif rule.name in names:
            allowed, remedy = "a name that no other rule has", "rename one of the two rules, or this one would be lost"
            yield document.fault(place, received=shown(rule.name), allowed=allowed, remedy=remedy)
        names.add(rule.name or "")
