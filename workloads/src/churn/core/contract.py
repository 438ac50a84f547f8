"""Reads the data contracts: what a silver table holds, where each column comes from, and which rules its rows meet.

`python -m churn.core.contract` says what is wrong with those of the repository, before any is deployed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaProperty
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

KIND = "DataContract"
NAME = re.compile(r"[a-z][a-z0-9_]*")
NAMING = "a lower-case letter, then lower-case letters, digits and underscores"
FORMATS = ("csv", "parquet")
TYPES = ("STRING", "INT", "DOUBLE", "DATE", "BOOLEAN")
ENGINE = "spark"


class ContractError(ValueError):
    """A contract lacks what the workloads need; the text names file, field and remedy."""


@dataclass(frozen=True)
class Column:
    """One column of a silver table.

    Attributes:
        name: Its name in silver.
        type: Its Spark type, one of `TYPES`.
        source: Its name in the delivered files.
        required: Whether a row without it is quarantined.
        key: Whether it is part of the natural key.
    """

    name: str
    type: str
    source: str
    required: bool
    key: bool


@dataclass(frozen=True)
class Contract:
    """One contract.

    Attributes:
        domain: Name of the table in bronze and silver, and of the folder that its files are delivered to.
        description: What a row is.
        format: Format of the files, one of `FORMATS`.
        ordering: Column that says when a row was reported: of two rows with one key the later is kept. None where rows
            do not say it: then the later delivered is kept.
        columns: In the order of the files.
        quality: Rules beyond `required`, SQL conditions on silver's columns by name.
    """

    domain: str
    description: str
    format: str
    ordering: str | None
    columns: tuple[Column, ...]
    quality: dict[str, str]

    @property
    def keys(self) -> list[str]:
        """Names of the natural key's columns in silver."""
        return [column.name for column in self.columns if column.key]

    @property
    def sources(self) -> list[str]:
        """Names of the columns in the delivered files."""
        return [column.source for column in self.columns]

    @property
    def delivered_schema(self) -> str:
        """DDL of the delivered files: text files hold strings, Parquet files have types of their own."""
        return ", ".join(f"`{c.source}` {'STRING' if self.format == 'csv' else c.type}" for c in self.columns)

    @property
    def rules(self) -> dict[str, str]:
        """Every rule that a row has to meet, SQL conditions by name; a NULL counts as broken."""
        given = {f"{column.name}_is_given": f"{column.name} IS NOT NULL" for column in self.columns if column.required}
        whole = {"has_its_fields": "NOT _uneven", "values_have_their_type": "_malformed IS NULL"}
        return {**whole, **given, **self.quality}


@cache
def contracts() -> tuple[Contract, ...]:
    """All contracts, by domain.

    Raises:
        ContractError: One of them lacks what the workloads need.
    """
    return tuple(parse(text, name) for name, text in sorted(_texts().items()))


def contract_of(domain: str) -> Contract:
    """The contract of a domain."""
    return next(contract for contract in contracts() if contract.domain == domain)


def _texts() -> dict[str, str]:
    """The contracts' texts by the names of their files: `contracts/<table>.yaml`."""
    folder = files("churn") / "contracts"
    return {
        f"contracts/{entry.name}": entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.is_file() and entry.name.endswith(".yaml") and not entry.name.startswith(".")
    }


def parse(text: str, file: str) -> Contract:
    """Reads one contract.

    Args:
        text: The file's text.
        file: Its name, for errors.

    Raises:
        ContractError: It is no contract, or lacks what the workloads need.
    """
    document = _document(text, file)
    table = next(iter(document.schema_ or []), None)
    if table is None or not table.name or not table.properties:
        raise ContractError(f"{file}: schema: has no table with properties: add one")
    if not NAME.fullmatch(table.name):
        raise ContractError(f"{file}: schema[0].name is {table.name}: write {NAMING}")
    custom = {entry.property: entry.value for entry in document.customProperties or []}
    columns = tuple(_column(prop, f"{file}: schema[0].properties[{n}]") for n, prop in enumerate(table.properties))
    for names in ([column.name for column in columns], [column.source.lower() for column in columns]):
        if twice := _twice(names):
            raise ContractError(f"{file}: schema[0].properties: {twice} is there twice: remove or rename one of them")
    contract = Contract(
        domain=table.name,
        description=table.description or "",
        format=str(custom.get("format")),
        ordering=str(custom["ordering"]) if "ordering" in custom else None,
        columns=columns,
        quality={},
    )
    if contract.format not in FORMATS:
        raise ContractError(f"{file}: customProperties.format is {contract.format}: write one of {', '.join(FORMATS)}")
    if contract.ordering is not None and contract.ordering not in [column.name for column in columns]:
        remedy = "write the name of a column, or leave it out"
        raise ContractError(f"{file}: customProperties.ordering is {contract.ordering}: {remedy}")
    if not contract.keys:
        raise ContractError(f"{file}: schema[0].properties: no primaryKey: mark the natural key's columns")
    rules = [_rule(rule, f"{file}: schema[0].quality[{n}]") for n, rule in enumerate(table.quality or [])]
    if twice := _twice([*contract.rules, *(name for name, _ in rules)]):
        raise ContractError(f"{file}: schema[0].quality: two rules are named {twice}: rename one, or it would be lost")
    return replace(contract, quality=dict(rules))


def _document(text: str, file: str) -> OpenDataContractStandard:
    """The file as the standard has it."""
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ContractError(f"{file}: is no YAML: {' '.join(str(error).split())}: correct that line") from None
    if not isinstance(values, dict):
        raise ContractError(f"{file}: is no contract but {values!r:.80}: write `name: value` lines")
    try:
        document = OpenDataContractStandard.model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
        field = ".".join(map(str, detail["loc"]))
        raise ContractError(f"{file}: {field} is {detail['input']!r:.80}: {detail['msg']}") from None
    if document.kind != KIND:
        raise ContractError(f"{file}: kind is {document.kind}: write {KIND}")
    if not document.version:
        raise ContractError(f"{file}: version is {document.version}: write the contract's version, such as 1.0.0")
    return document


def _column(prop: SchemaProperty, field: str) -> Column:
    if not prop.name or not NAME.fullmatch(prop.name):
        raise ContractError(f"{field}: name is {prop.name}: write {NAMING}")
    if prop.physicalType not in TYPES:
        raise ContractError(f"{field}: physicalType is {prop.physicalType}: write one of {', '.join(TYPES)}")
    source = (prop.transformSourceObjects or [prop.name])[0]
    return Column(prop.name, prop.physicalType, source, bool(prop.required), bool(prop.primaryKey))


def _rule(rule: DataQuality, field: str) -> tuple[str, str]:
    """Name and condition of a rule of quality."""
    if rule.engine != ENGINE or not rule.name or not isinstance(rule.implementation, str):
        raise ContractError(f"{field}: give name, engine: {ENGINE} and a SQL condition (implementation)")
    return rule.name, rule.implementation


def _twice(names: Iterable[str]) -> str | None:
    """The first name that is there more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def main() -> None:
    """Tells what is wrong with each contract, the first fault of each."""
    faults = []
    for file, text in sorted(_texts().items()):
        try:
            parse(text, file)
        except ContractError as error:
            faults.append(str(error))
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
