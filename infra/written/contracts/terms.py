"""Terms of a contract that people and programs rely on, as far as they are written.

Two versions of a contract are compared by these: an old one need not keep the rules of today, so the reader of the
wheel, which refuses such a contract, is of no use for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from open_data_contract_standard.model import OpenDataContractStandard

from churn.core.contract import contract_file
from churn.core.contract_checks import checks_of
from churn.core.contract_rules import PUBLIC, owner_of
from churn.core.contract_source import FORMAT, ORDERING, TOPIC, custom_property, formats_of, source_of
from churn.core.contract_terms import QUARANTINE, SEVERITIES, listed_values, quality_of, seconds_of
from churn.core.faults import FaultsError
from churn.core.field_faults import examine
from churn.core.files import read_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from open_data_contract_standard.model import SchemaObject, SchemaProperty

    from churn.core.contract_terms import Rule
    from churn.core.faults import Fault
    from churn.core.files import Document


@dataclass(frozen=True)
class ColumnTerms:
    """What is promised of a column.

    Attributes:
        type: Spark's type.
        required: Whether no row is without it.
        key: Whether it is part of the key.
        classification: Its class; `public` where none is written, since nothing would restrict it.
        values: The values that it may have; none if it may have any.
        severity: What becomes of a row with another value; empty if it may have any.
        source: Its name where the rows come from.
        sources: All names there: of gold the tables and columns that it is made from.
        meaning: Its description.
    """

    type: str
    required: bool
    key: bool
    classification: str
    values: tuple[str, ...]
    severity: str
    source: str
    sources: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Terms:
    """What is promised of a table.

    Attributes:
        file: The contract's file.
        table: Schema and table.
        version: Of the contract.
        owner: Display name of the group that owns the table.
        channels: Where the owner answers.
        columns: By name.
        rules: Conditions by name, those of columns left out.
        roles: What groups use it for, `read` or `write`, by group.
        levels: Durations of the service levels in seconds by property; a time of day as seconds after midnight.
        delivery: How rows come: format, topic, ordering.
        checks: Severities of checks that look at more than one row, by name.
    """

    file: str
    table: str
    version: str
    owner: str
    channels: tuple[str, ...]
    columns: Mapping[str, ColumnTerms]
    rules: Mapping[str, Rule]
    roles: Mapping[str, str]
    levels: Mapping[str, float]
    delivery: Mapping[str, str]
    checks: Mapping[str, str]


def read_terms(folder: Path) -> dict[str, Terms]:
    """The terms of all contracts of a folder, by table.

    Raises:
        FaultsError: A contract is not YAML, or no data contract of one table.
    """
    found: dict[str, Terms] = {}
    faults: list[Fault] = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            terms = _terms(read_document(path, contract_file(path)))
        except FaultsError as error:
            faults += error.faults
            continue
        found[terms.table] = terms
    if faults:
        raise FaultsError(faults)
    return found


def _terms(document: Document) -> Terms:
    written, document, faults = examine(OpenDataContractStandard, document)
    tables = written.schema_ if written else None
    if written is None or not tables or not tables[0].name:
        raise FaultsError(
            faults
            or [document.fault(("schema",), received="no table", allowed="one table", remedy="write the table's entry")]
        )
    table = tables[0]
    return Terms(
        file=document.file,
        table=table.physicalName or str(table.name),
        version=str(written.version),
        owner=owner_of(written) or "",
        channels=tuple(str(each.channel) for each in written.support or ()),
        columns={str(column.name): _column(column) for column in table.properties or ()},
        rules=_rules(table),
        roles={str(role.role): str(role.access) for role in written.roles or ()},
        levels={str(level.property): seconds_of(level) for level in written.slaProperties or ()},
        delivery=_delivery(written),
        checks=checks_of(written),
    )


def _delivery(written: OpenDataContractStandard) -> dict[str, str]:
    """How rows come; empty for a table of gold."""
    given = {FORMAT: ", ".join(formats_of(written))}
    given |= {name: custom_property(written, name) or "" for name in (ORDERING, TOPIC)}
    return {name: value for name, value in given.items() if value}


def _column(column: SchemaProperty) -> ColumnTerms:
    return ColumnTerms(
        type=column.physicalType or "",
        required=bool(column.required),
        key=bool(column.primaryKey),
        classification=column.classification or PUBLIC,
        values=tuple(map(str, listed_values(column))),
        severity=next((str(rule.severity or QUARANTINE) for rule in column.quality or ()), ""),
        source=source_of(column),
        sources=tuple(column.transformSourceObjects or ()),
        meaning=column.description or "",
    )


def _rules(table: SchemaObject) -> dict[str, Rule]:
    """The table's own rules; one without a known severity sets rows aside, as all did before there were severities."""
    own = {str(rule.name) for rule in table.quality or ()}
    return {
        rule.name: rule if rule.severity in SEVERITIES else replace(rule, severity=QUARANTINE)
        for rule in quality_of(table)
        if rule.name in own
    }
