"""Data contracts: the columns of a silver table, their sources, the rules that rows meet, and the groups with access.

Contracts are files of the Open Data Contract Standard, `contracts/<table>.yaml`. This is their only reader: the
workloads and the program that deploys the platform both use it, and it imports neither Spark nor a provider SDK.
https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from open_data_contract_standard.model import OpenDataContractStandard

from churn.core.contract_rules import (
    MESSAGE_RULES,
    ORDERING,
    ROW_RULES,
    SCHEMA,
    TOPIC,
    broken_rules,
    bronze_name,
    custom_property,
    formats_of,
    given_rule,
    owner_of,
    source_of,
)
from churn.core.faults import FaultsError, shown
from churn.core.field_faults import examine
from churn.core.files import files_to_read, read_document

if TYPE_CHECKING:
    from collections.abc import Collection

    from churn.core.files import Document

FOLDER = Path(__file__).parents[1] / "contracts"
PUBLIC = "public"  # the classification that restricts nothing


@dataclass(frozen=True)
class Column:
    """One column of a silver table.

    Attributes:
        name: Its name in silver.
        type: Its Spark type.
        source: Its name in the delivered files or messages.
        required: Whether a row without it is quarantined.
        key: Whether it is part of the natural key.
        classification: Its class of confidentiality, such as `confidential`; None where none is given.
        values: The values that it may have; none if it may have any.
    """

    name: str
    type: str
    source: str
    required: bool
    key: bool
    classification: str | None = None
    values: tuple[str | int, ...] = ()

    @property
    def bronze(self) -> str:
        """Its name in bronze: that in the files, without what Delta takes in no name of a column."""
        return bronze_name(self.source)

    @property
    def classified(self) -> bool:
        """Whether only trusted people may read the column."""
        return self.classification not in (None, PUBLIC)


@dataclass(frozen=True)
class Role:
    """A group that may use the table.

    Attributes:
        group: Display name of the group.
        access: `read` or `write`.
        line: Line of the role in the contract's file.
    """

    group: str
    access: str
    line: int | None


@dataclass(frozen=True)
class Contract:
    """One contract.

    Attributes:
        file: Its file, such as `contracts/customer.yaml`.
        domain: Name of the table in bronze and silver, and of the folder that its files are delivered to.
        topic: Topic of Kafka whose messages are its rows; None where files deliver them.
        description: What a row is.
        owner: Display name of the group that owns the table.
        roles: Groups that may use the table.
        formats: Formats of the delivered files, of `csv`, `json` and `parquet`, or of messages, `json`.
        ordering: Column that says when a row was reported: of two rows with one key the later is kept. None where rows
            do not say it: then the later delivered is kept.
        columns: In the order of the files.
        quality: Rules beyond `required`, SQL conditions on silver's columns by name.
    """

    file: str
    domain: str
    topic: str | None
    description: str
    owner: str
    roles: tuple[Role, ...]
    formats: tuple[str, ...]
    ordering: str | None
    columns: tuple[Column, ...]
    quality: dict[str, str]

    @property
    def table(self) -> str:
        """Schema and table, such as `silver.customer`."""
        return f"{SCHEMA}.{self.domain}"

    @property
    def confidential(self) -> bool:
        """Whether a column is classified as anything but public."""
        return any(column.classified for column in self.columns)

    @property
    def keys(self) -> list[str]:
        """Names of the natural key's columns in silver."""
        return [column.name for column in self.columns if column.key]

    @property
    def sources(self) -> list[str]:
        """Names of the columns in the delivered files."""
        return [column.source for column in self.columns]

    @property
    def typed(self) -> bool:
        """Whether bronze holds values of the contract's types, as Parquet alone delivers them; else it holds text."""
        return self.formats == ("parquet",)

    def delivered_schema(self, format_: str) -> str:
        """DDL of delivered files: those of text hold strings, those of Parquet have types of their own."""
        columns = (f"{quoted(c.source)} {c.type if format_ == 'parquet' else 'STRING'}" for c in self.columns)
        return ", ".join(columns)

    @property
    def rules(self) -> dict[str, str]:
        """Every rule that a row has to meet, SQL conditions by name; a NULL counts as broken."""
        given = {given_rule(column.name): f"{column.name} IS NOT NULL" for column in self.columns if column.required}
        return {**(ROW_RULES if self.topic is None else MESSAGE_RULES), **given, **self.quality}


@cache
def contracts() -> tuple[Contract, ...]:
    """All contracts of the repository, or of the installed wheel, by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    return read_contracts(FOLDER)


def file_contracts() -> tuple[Contract, ...]:
    """Contracts of what files deliver, by domain; those of topics are left out."""
    return tuple(contract for contract in contracts() if contract.topic is None)


def contract_of(domain: str) -> Contract:
    """The contract of a domain."""
    return next(contract for contract in contracts() if contract.domain == domain)


def read_contracts(folder: Path, groups: Collection[str] | None = None) -> tuple[Contract, ...]:
    """Reads all contracts of a folder.

    Args:
        folder: Where they lie.
        groups: Display names of the groups that may own or use a table; None takes any.

    Returns:
        The contracts by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    paths, faults = files_to_read(folder, "*.yaml", f"{folder.name}/<table>.yaml")
    by_domain: dict[str, Contract] = {}
    for path in paths:
        try:
            document = read_document(path, f"{folder.name}/{path.name}")
            contract = read_contract(document, groups)
        except FaultsError as error:
            faults += error.faults
            continue
        other = by_domain.setdefault(contract.domain, contract)
        if other is not contract:
            faults.append(
                document.fault(
                    ("schema", 0, "name"),
                    received=shown(contract.domain),
                    allowed=f"a table of its own; {other.file} describes this one",
                    remedy="make one contract of the two",
                )
            )
    if faults:
        raise FaultsError(faults)
    return tuple(by_domain[domain] for domain in sorted(by_domain))


def read_contract(document: Document, groups: Collection[str] | None = None) -> Contract:
    """Reads one contract.

    Args:
        document: What its file holds.
        groups: Display names of the groups that may own or use the table; None takes any.

    Raises:
        FaultsError: With every fault of the contract.
    """
    written, document, faults = examine(OpenDataContractStandard, document)
    if written is not None:
        faults += broken_rules(document, written, groups)
    if faults or written is None:
        raise FaultsError(faults)
    return _contract(document, written)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return f"`{name.replace('`', '``')}`"


def _contract(document: Document, written: OpenDataContractStandard) -> Contract:
    """The contract in a document that breaks no rule."""
    (table,) = written.schema_ or []
    roles = enumerate(written.roles or ())
    return Contract(
        file=document.file,
        domain=str(table.name),
        topic=custom_property(written, TOPIC),
        description=table.description or "",
        owner=owner_of(written) or "",
        roles=tuple(Role(str(r.role), str(r.access), document.line(("roles", index))) for index, r in roles),
        formats=formats_of(written),
        ordering=custom_property(written, ORDERING),
        columns=tuple(
            Column(
                name=str(column.name),
                type=str(column.physicalType),
                source=source_of(column),
                required=bool(column.required),
                key=bool(column.primaryKey),
                classification=column.classification,
            )
            for column in table.properties or ()
        ),
        quality={str(rule.name): str(rule.implementation) for rule in table.quality or ()},
    )
