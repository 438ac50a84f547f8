"""Reads the data contracts: what a silver table holds, where each column comes from, and which rules its rows meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

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
    folder = files("churn") / "contracts"
    texts = {
        entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    }
    return tuple(parse(text, name) for name, text in sorted(texts.items()))


def parse(text: str, file: str) -> Contract:
    """Reads one contract.

    Args:
        text: The file's text.
        file: Its name, for errors.

    Raises:
        ContractError: It is no contract, or lacks what the workloads need.
    """
    document = OpenDataContractStandard.model_validate(yaml.safe_load(text))
    table = next(iter(document.schema_ or []), None)
    if table is None or not table.name or not table.properties:
        raise ContractError(f"{file}: schema: has no table with properties: add one")
    custom = {entry.property: entry.value for entry in document.customProperties or []}
    columns = tuple(_column(prop, f"{file}: schema[0].properties[{n}]") for n, prop in enumerate(table.properties))
    quality = {}
    for number, rule in enumerate(table.quality or []):
        if rule.engine != ENGINE or not rule.name or not isinstance(rule.implementation, str):
            raise ContractError(
                f"{file}: schema[0].quality[{number}]: give name, engine: {ENGINE} and a SQL condition (implementation)"
            )
        quality[rule.name] = rule.implementation
    contract = Contract(
        domain=table.name,
        description=table.description or "",
        format=str(custom.get("format")),
        ordering=str(custom["ordering"]) if "ordering" in custom else None,
        columns=columns,
        quality=quality,
    )
    if contract.format not in FORMATS:
        raise ContractError(f"{file}: customProperties.format is {contract.format}: write one of {', '.join(FORMATS)}")
    if contract.ordering is not None and contract.ordering not in [column.name for column in columns]:
        remedy = "write the name of a column, or leave it out"
        raise ContractError(f"{file}: customProperties.ordering is {contract.ordering}: {remedy}")
    if not contract.keys:
        raise ContractError(f"{file}: schema[0].properties: no primaryKey: mark the natural key's columns")
    return contract


def _column(prop: SchemaProperty, field: str) -> Column:
    if not prop.name or prop.physicalType not in TYPES:
        raise ContractError(f"{field}: physicalType is {prop.physicalType}: write a name and one of {', '.join(TYPES)}")
    source = (prop.transformSourceObjects or [prop.name])[0]
    return Column(prop.name, prop.physicalType, source, bool(prop.required), bool(prop.primaryKey))
