"""Data dictionary: a page with every table that has a contract, its columns, rules, and where rows come from and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract_rules import GOLD
from churn.core.contract_terms import known_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from churn.core.contract import Column, Contract
    from churn.core.contract_terms import Rule

HEAD = """# Data dictionary

Every table that has a data contract. This page is made from [contracts/](../contracts/); renew it with
`.venv/bin/platform contract docs`. A class says who reads a column in clear: `public` whoever has access to the table,
`confidential` those whose work is with single customers, `pii.*` those alone who have a right to personal data.
"""


def page(silver: Sequence[Contract], gold: Sequence[Contract]) -> str:
    """The page as Markdown.

    Args:
        silver: Contracts of delivered tables.
        gold: Contracts of the tables that tasks write.
    """
    every = [*silver, *gold]
    index = "\n".join(f"- [{each.table}](#{_anchor(each.table)}): {each.description}" for each in every)
    return "\n".join([HEAD, _lineage(silver, gold), index, "", *(_section(each, every) for each in every)])


def _anchor(table: str) -> str:
    """The anchor of a heading, as Markdown makes it."""
    return table.replace(".", "")


def _lineage(silver: Sequence[Contract], gold: Sequence[Contract]) -> str:
    """A diagram of where rows come from."""
    lines = []
    for each in silver:
        source = f"topic {each.topic}" if each.topic else f"landing/{each.domain}/"
        lines += [
            f"  in_{each.domain}[{source}] --> bronze.{each.domain} --> {each.table}",
            f"  bronze.{each.domain} -. broken rules .-> silver.quarantine_{each.domain}",
        ]
    for each in gold:
        tables = dict.fromkeys(_table_of(source) for column in each.columns for source in column.made_from)
        lines += [f"  {table} -->|{each.writer}| {each.table}" for table in tables if table != each.table]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"


def _table_of(source: str) -> str:
    """Schema and table of a table or column."""
    return ".".join(source.split(".")[:2])


def _section(contract: Contract, every: Sequence[Contract]) -> str:
    by_column = {known_rule(column.name) for column in contract.columns if column.values}
    rules = [rule for rule in contract.quality if rule.description and rule.name not in by_column]
    checks = ", ".join(f"{name} ({severity})" for name, severity in contract.checks.items())
    checked = f" Checked each day: {checks}." if checks else ""
    uses = "".join(f"- `{role.group}` ({role.access}): {role.use}\n" for role in contract.roles)
    return (
        f"## {contract.table}\n\n{contract.description} Version {contract.version}, owned by `{contract.owner}`, "
        f"questions in {contract.channel}. {_service(contract)}{checked}\n\n{uses}\n"
        + _table(
            ("column", "type", "class", "meaning", "values or unit", "from", "feeds"),
            (_column(column, contract, every) for column in contract.columns),
        )
        + ("\n" + _table(("rule", "severity", "condition", "meaning"), _rules(rules)) if rules else "")
    )


def _service(contract: Contract) -> str:
    """The service levels in words."""
    service = contract.service
    by = f", yesterday's rows by {service.available_by} UTC" if service.available_by else ""
    after = f" after `{service.dated}`" if service.dated else ""
    kept = f" after `{service.expires_by}`" if service.expires_by else ""
    return (
        f"Frequency {_length(service.frequency)}, latency {_length(service.latency)}{after}{by}, "
        f"kept {_length(service.retention)}{kept}."
    )


def _length(duration: timedelta) -> str:
    """A duration in its largest whole unit."""
    seconds = int(duration.total_seconds())
    units = (("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, length = next(each for each in units if seconds % each[1] == 0 and seconds >= each[1])
    count = seconds // length
    return f"{count} {name}{'' if count == 1 else 's'}"


def _column(column: Column, contract: Contract, every: Sequence[Contract]) -> tuple[str, ...]:
    marks = [*(["key"] if column.key else []), *(["required"] if column.required and not column.key else [])]
    refers = f" Refers to `{', '.join(column.refers_to)}`." if column.refers_to else ""
    values = ", ".join(map(str, column.values)) if column.values else column.unit or ""
    name = f"`{column.name}`" + (f" ({', '.join(marks)})" if marks else "")
    sources = column.made_from if contract.schema == GOLD else (column.source,)
    made = [
        f"{other.table}.{each.name}"
        for other in every
        for each in other.columns
        if f"{contract.table}.{column.name}" in each.made_from
    ]
    meaning = column.description + refers
    return name, column.type, column.classification, meaning, values, _code(sources), _code(made)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _rules(rules: Iterable[Rule]) -> Iterable[tuple[str, ...]]:
    return ((f"`{rule.name}`", rule.severity, f"`{rule.condition}`", rule.description) for rule in rules)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; a bar within a cell would end it."""
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
