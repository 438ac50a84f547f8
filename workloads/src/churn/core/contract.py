"""Data contracts: the columns of a silver table, their sources, the rules that rows meet, and the groups with access.

Contracts are files of the Open Data Contract Standard, `contracts/<table>.yaml`. This is their only reader: the
workloads and the program that deploys the platform both use it, and it imports neither Spark nor a provider SDK.
https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from open_data_contract_standard.model import OpenDataContractStandard

from churn.core.contract_checks import checks_of
from churn.core.contract_rules import (
    GOLD,
    MESSAGE_RULES,
    PUBLIC,
    ROW_RULES,
    SILVER,
    UNIT,
    broken_rules,
    owner_of,
)
from churn.core.contract_source import (
    ORDERING,
    PART,
    TOPIC,
    WRITER,
    bronze_name,
    custom_property,
    formats_of,
    property_list,
    source_of,
)
from churn.core.contract_terms import (
    FAIL,
    QUARANTINE,
    WARN,
    Rule,
    Service,
    listed_values,
    quality_of,
    references,
    service_of,
)
from churn.core.faults import FaultsError, shown
from churn.core.field_faults import examine
from churn.core.files import files_to_read, read_document

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from churn.core.files import Document

FOLDER = Path(__file__).parents[1] / "contracts"


@dataclass(frozen=True)
class Column:
    """One column of a silver table.

    Attributes:
        name: Its name in silver.
        type: Its Spark type.
        source: Its name in the delivered files or messages.
        required: Whether a row without it is quarantined.
        key: Whether it is part of the natural key.
        classification: Its class of confidentiality, one of `contract_rules.CLASSIFICATIONS`.
        description: What it holds.
        unit: Unit of a number.
        values: The values that it may have; none if it may have any.
        refers_to: Keys of other tables that it refers to, such as `customer.customer_id`.
        made_from: Tables and columns that a column of gold is made from, such as `silver.customer.churn_date`.
    """

    name: str
    type: str
    source: str
    required: bool
    key: bool
    classification: str
    description: str
    unit: str | None = None
    values: tuple[str | int, ...] = ()
    refers_to: tuple[str, ...] = ()
    made_from: tuple[str, ...] = ()

    @property
    def bronze(self) -> str:
        """Its name in bronze: that in the files, without what Delta takes in no name of a column."""
        return bronze_name(self.source)

    @property
    def classified(self) -> bool:
        """Whether only trusted people may read the column."""
        return self.classification != PUBLIC


@dataclass(frozen=True)
class Role:
    """A group that uses the table.

    Attributes:
        group: Display name of the group.
        access: `read` or `write`.
        use: What the group uses the table for.
        line: Line of the role in the contract's file.
    """

    group: str
    access: str
    use: str
    line: int | None


@dataclass(frozen=True)
class Contract:
    """One contract.

    Attributes:
        file: Its file, such as `contracts/customer.yaml`.
        schema: Of the table: `silver` if rows are delivered, `gold` if a task writes them.
        version: Of the contract, such as `1.0.0`.
        domain: Name of the table in bronze and silver, and of the folder that its files are delivered to.
        topic: Topic of Kafka whose messages are its rows; None where files deliver them.
        description: What a row is.
        owner: Display name of the group that owns the table.
        channel: Where the owner answers questions.
        roles: Groups that may use the table.
        formats: Formats of the delivered files, of `csv`, `json` and `parquet`, or of messages, `json`.
        ordering: Column that says when a row was reported: of two rows with one key the later is kept. None where rows
            do not say it: then the later delivered is kept.
        columns: In the order of the files.
        quality: Rules of required columns, of listed values, and the contract's own.
        service: What readers may rely on.
        checks: Severity of each check that looks at more than one row, by its name (`churn.core.contract_checks`).
        writer: Task that writes a table of gold; empty in silver.
        part: Columns of a table of gold whose values name what one run replaces; none if it writes all or adds rows.
    """

    file: str
    schema: str
    version: str
    domain: str
    topic: str | None
    description: str
    owner: str
    channel: str
    roles: tuple[Role, ...]
    formats: tuple[str, ...]
    ordering: str | None
    columns: tuple[Column, ...]
    quality: tuple[Rule, ...]
    service: Service
    checks: Mapping[str, str] = field(default_factory=dict)
    writer: str = ""
    part: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """Schema and table, such as `silver.customer`."""
        return f"{self.schema}.{self.domain}"

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
        """Every rule without which a row is quarantined, SQL conditions by name; a NULL counts as broken."""
        return {**(ROW_RULES if self.topic is None else MESSAGE_RULES), **self._rules(QUARANTINE)}

    @property
    def warnings(self) -> dict[str, str]:
        """Every rule that is counted when it is broken; the row stays."""
        return self._rules(WARN)

    @property
    def stops(self) -> dict[str, str]:
        """Every rule that stops the pipeline's update when it is broken."""
        return self._rules(FAIL)

    def _rules(self, severity: str) -> dict[str, str]:
        return {rule.name: rule.condition for rule in self.quality if rule.severity == severity}


@cache
def contracts() -> tuple[Contract, ...]:
    """All contracts of delivered tables, of the repository or of the installed wheel, by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    return read_contracts(FOLDER)


@cache
def gold_contracts() -> tuple[Contract, ...]:
    """All contracts of tables of gold, of the repository or of the installed wheel, by name.

    Raises:
        FaultsError: With every fault of every contract.
    """
    return read_contracts(FOLDER / GOLD, schema=GOLD)


def file_contracts() -> tuple[Contract, ...]:
    """Contracts of what files deliver, by domain; those of topics are left out."""
    return tuple(contract for contract in contracts() if contract.topic is None)


def contract_of(domain: str) -> Contract:
    """The contract of a domain."""
    return next(contract for contract in contracts() if contract.domain == domain)


def read_contracts(folder: Path, groups: Collection[str] | None = None, schema: str = SILVER) -> tuple[Contract, ...]:
    """Reads all contracts of a folder; those of gold lie in a folder `gold` of their own.

    Args:
        folder: Where they lie.
        groups: Display names of the groups that may own or use a table; None takes any.
        schema: Of their tables.

    Returns:
        The contracts by domain.

    Raises:
        FaultsError: With every fault of every contract.
    """
    others = [path.relative_to(folder).as_posix() for path in folder.glob(f"{GOLD}/*.yaml")]
    paths, faults = files_to_read(folder, "*.yaml", f"{folder.name}/<table>.yaml", others)
    by_domain: dict[str, Contract] = {}
    for path in paths:
        try:
            document = read_document(path, contract_file(path))
            contract = read_contract(document, groups, schema)
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


def contract_file(path: Path) -> str:
    """The file of a contract as its author knows it, such as `contracts/gold/churn_labels.yaml`."""
    parent = path.absolute().parent
    return f"{f'{parent.parent.name}/' if parent.name == GOLD else ''}{parent.name}/{path.name}"


def read_contract(document: Document, groups: Collection[str] | None = None, schema: str = SILVER) -> Contract:
    """Reads one contract.

    Args:
        document: What its file holds.
        groups: Display names of the groups that may own or use the table; None takes any.
        schema: Of the table.

    Raises:
        FaultsError: With every fault of the contract.
    """
    written, document, faults = examine(OpenDataContractStandard, document)
    if written is not None:
        faults += broken_rules(document, written, groups, schema)
    if faults or written is None:
        raise FaultsError(faults)
    return _contract(document, written, schema)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return f"`{name.replace('`', '``')}`"


def _contract(document: Document, written: OpenDataContractStandard, schema: str) -> Contract:
    """The contract in a document that breaks no rule."""
    (table,) = written.schema_ or []
    return Contract(
        file=document.file,
        schema=schema,
        version=str(written.version),
        domain=str(table.name),
        topic=custom_property(written, TOPIC),
        description=table.description or "",
        owner=owner_of(written) or "",
        channel=next(str(each.channel) for each in written.support or ()),
        roles=tuple(
            Role(str(role.role), str(role.access), str(role.description), document.line(("roles", index)))
            for index, role in enumerate(written.roles or ())
        ),
        formats=formats_of(written),
        ordering=custom_property(written, ORDERING),
        columns=tuple(
            Column(
                name=str(column.name),
                type=str(column.physicalType),
                source=source_of(column),
                required=bool(column.required),
                key=bool(column.primaryKey),
                classification=str(column.classification),
                description=column.description or "",
                unit=custom_property(column, UNIT),
                values=listed_values(column),
                refers_to=references(column),
                made_from=tuple(column.transformSourceObjects or ()) if schema == GOLD else (),
            )
            for column in table.properties or ()
        ),
        quality=quality_of(table),
        service=service_of(written),
        checks=checks_of(written),
        writer=custom_property(written, WRITER) or "",
        part=property_list(written, PART),
    )
