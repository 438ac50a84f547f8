"""Data dictionary: a page with every table that has a contract, its columns, rules, and where rows come from and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def page(contracts: Sequence[Contract]) -> str:
    """The page as Markdown.

    Args:
        contracts: Of all tables, by domain.
    """
    index = "\n".join(f"- [{each.table}](#{_anchor(each.table)}): {each.description}" for each in contracts)
    return "\n".join([HEAD, _lineage(contracts), f"\n{index}\n", *(_section(each) for each in contracts)])


def _anchor(table: str) -> str:
    """The anchor of a heading, as Markdown makes it."""
    return table.replace(".", "")


def _lineage(contracts: Sequence[Contract]) -> str:
    """A diagram of where rows come from."""
    lines = []
    for each in contracts:
        source = f"{each.domain}_in[{'topic ' + each.topic if each.topic else f'landing/{each.domain}/'}]"
        lines += [
            f"  {source} --> bronze_{each.domain}[bronze.{each.domain}] --> silver_{each.domain}[{each.table}]",
            f"  bronze_{each.domain} -. broken rules .-> quarantine_{each.domain}[silver.quarantine_{each.domain}]",
        ]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"


def _section(contract: Contract) -> str:
    by_column = {known_rule(column.name) for column in contract.columns if column.values}
    rules = [rule for rule in contract.quality if rule.description and rule.name not in by_column]
    uses = "".join(f"- `{role.group}` ({role.access}): {role.use}\n" for role in contract.roles)
    return (
        f"## {contract.table}\n\n{contract.description} Version {contract.version}, owned by `{contract.owner}`, "
        f"questions in {contract.channel}. {_service(contract)}\n\n{uses}\n"
        + _table(
            ("column", "type", "class", "meaning", "values or unit", "delivered as"),
            (_column(column, contract) for column in contract.columns),
        )
        + ("\n" + _table(("rule", "severity", "condition", "meaning"), _rules(rules)) if rules else "")
    )


def _service(contract: Contract) -> str:
    """The service levels in words."""
    service = contract.service
    by = f", yesterday's by {service.available_by} UTC" if service.available_by else ""
    return (
        f"Rows come each {_length(service.frequency)}, {_length(service.latency)} after `{service.dated}` at the "
        f"latest{by}, and are kept {_length(service.retention)}."
    )


def _length(duration: timedelta) -> str:
    """A duration in its largest whole unit."""
    seconds = int(duration.total_seconds())
    units = (("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, length = next(each for each in units if seconds % each[1] == 0 and seconds >= each[1])
    count = seconds // length
    return f"{count} {name}{'' if count == 1 else 's'}"


def _column(column: Column, contract: Contract) -> tuple[str, ...]:
    marks = [*(["key"] if column.key else []), *(["required"] if column.required and not column.key else [])]
    refers = f" Refers to `{', '.join(column.refers_to)}`." if column.refers_to else ""
    values = ", ".join(map(str, column.values)) if column.values else column.unit or ""
    source = f"`{column.source}`" if contract.topic is None else f"`{column.source}` in the message"
    name = f"`{column.name}`" + (f" ({', '.join(marks)})" if marks else "")
    return name, column.type, column.classification, column.description + refers, values, source


def _rules(rules: Iterable[Rule]) -> Iterable[tuple[str, ...]]:
    return ((f"`{rule.name}`", rule.severity, f"`{rule.condition}`", rule.description) for rule in rules)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; a bar within a cell would end it."""
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
