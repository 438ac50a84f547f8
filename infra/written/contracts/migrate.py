"""What makes changed contracts hold: what applies itself, and what is rebuilt, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.contract_rules import GOLD
from infra.written.contracts.changes import Effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.written.contracts.changes import Change
    from infra.written.contracts.diff import TableDiff


def steps(found: Sequence[TableDiff]) -> str:
    """Steps as text, for each table by what its changes need.

    Args:
        found: Differences of contracts.
    """
    lines = []
    for each in found:
        lines.append(each.table)
        if each.before is None or each.now is None:
            lines.append(f"  {_whole(each)}")
            continue
        for effect in Effect:
            changes = [change for change in each.changes if change.effect is effect]
            if changes:
                lines += [f"  {effect}:", *(f"    {change.what}" for change in changes)]
                lines += [f"    → {step}" for step in _steps(each, changes, effect)]
    return "\n".join(lines) or "nothing to do"


def _whole(each: TableDiff) -> str:
    """What becomes of a table whose contract is new or gone."""
    if each.before is None:
        return "applies itself: the next deployment and run make the table"
    return (
        "the table stays, with nobody to write it: drop it and what is delivered for it by hand, or keep the contract"
    )


def _steps(each: TableDiff, changes: Sequence[Change], effect: Effect) -> list[str]:
    """What people do after the deployment, beside waiting for the next run."""
    schema, _, name = each.table.partition(".")
    feeds = {feed.rpartition(".")[0] for change in changes for feed in each.feeds.get(change.column, ())}
    again = [f"run the days of {', '.join(sorted(feeds))} again that are to follow"] if feeds else []
    if schema == GOLD:
        return {
            Effect.REBUILT: ["drop the table, and run its days again: a run adds columns, and changes none", *again],
            Effect.ADDED: ["run the days again that are to have it"],
        }.get(effect, [])
    refresh = f"full refresh of {name}_versions and quarantine_{name} in the pipeline of silver"
    return {
        Effect.ONWARD: [f"to judge earlier rows too: {refresh}, which takes bronze as it is"],
        Effect.REBUILT: [f"{refresh}, and of {name}; bronze keeps what was delivered", *again],
    }.get(effect, [])
