"""Changes between two versions of a contract, by what they mean for those who read or deliver the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from churn.core.contract_rules import PUBLIC
from churn.core.contract_source import FORMAT
from churn.core.contract_terms import FAIL, FREQUENCY, LATENCY, QUARANTINE, RETENTION, WARN
from infra.written.contracts.strictness import Strictness, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from churn.core.contract_terms import Rule
    from infra.written.contracts.terms import ColumnTerms, Terms

# Types that hold every value of another: Delta widens a column in place.
# https://docs.databricks.com/aws/en/delta/type-widening
WIDER = {("INT", "BIGINT"), ("INT", "DOUBLE"), ("DATE", "TIMESTAMP")}
STRICTER = {WARN: 0, QUARANTINE: 1, FAIL: 2}
OPENNESS = {PUBLIC: 2, "confidential": 1}  # of a class; any other shows a person and is open to nobody by itself
DELIVERERS = "whoever delivers it"


class Effect(StrEnum):
    """What has to be done so that a change holds."""

    DEPLOYED = "applies itself with the next deployment"
    ADDED = "applies itself with the next run; earlier rows have NULL"
    ONWARD = "applies itself to new rows"
    REBUILT = "applies once the table is rebuilt"


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        breaking: Whether somebody's work stops, changes its meaning, or shows what was hidden.
        what: The difference, for people.
        whom: Whom it concerns; empty for a safe one that concerns nobody in particular.
        column: Column that it is about; empty if it is about the table.
        effect: What has to be done so that it holds.
    """

    breaking: bool
    what: str
    whom: tuple[str, ...] = ()
    column: str = ""
    effect: Effect = Effect.DEPLOYED


def changes(before: Terms, now: Terms) -> list[Change]:
    """Lists the changes of one contract."""
    readers = tuple(before.roles)
    return [
        *_columns(before, now, readers),
        *(replace(change, effect=Effect.ONWARD) for change in _rules(before, now, readers)),
        *_roles(before, now),
        *_levels(before, now, readers),
        *_checks(before, now, readers),
        *_head(before, now),
    ]


def _columns(before: Terms, now: Terms, readers: tuple[str, ...]) -> Iterator[Change]:
    added = [name for name in now.columns if name not in before.columns]
    for name, column in before.columns.items():
        if name in now.columns:
            for change in _column(name, column, now.columns[name], now, readers):
                yield replace(change, column=name)
            continue
        renamed = next((new for new in added if _is_like(column, now.columns[new])), None)
        if renamed:
            added.remove(renamed)
        what = f"column {name} {f'renamed to {renamed}' if renamed else 'removed'}"
        yield Change(True, what, readers, name, Effect.REBUILT)
    for name in added:
        column = now.columns[name]
        if column.required and now.delivery:
            what = f"required column {name} added: rows without it are set aside"
            yield Change(True, what, (DELIVERERS,), effect=Effect.ADDED)
        else:
            yield Change(False, f"column {name} added, {column.classification}", effect=Effect.ADDED)


def _is_like(one: ColumnTerms, other: ColumnTerms) -> bool:
    """Whether a column may be another under a new name."""
    same = one.source == other.source or (bool(one.meaning) and one.meaning == other.meaning)
    return same and one.type == other.type


def _column(
    name: str, before: ColumnTerms, now: ColumnTerms, terms: Terms, readers: tuple[str, ...]
) -> Iterator[Change]:
    if before.type != now.type:
        widened = (before.type, now.type) in WIDER
        how = "widened" if widened else "narrowed" if (now.type, before.type) in WIDER else "changed"
        what = f"column {name}: type {how} from {before.type} to {now.type}"
        yield Change(not widened, what, readers, effect=Effect.REBUILT)
    if now.required and not before.required:
        what = f"column {name}: required from now on; rows without it are set aside"
        yield Change(True, what, (DELIVERERS,), effect=Effect.ONWARD)
    elif before.required and not now.required:
        yield Change(True, f"column {name}: no longer required; readers meet NULL", readers, effect=Effect.ONWARD)
    if before.key != now.key:
        what = f"column {name}: {'part' if now.key else 'no longer part'} of the key"
        yield Change(True, what, readers, effect=Effect.REBUILT)
    if before.source != now.source and terms.delivery:
        what = f"column {name}: delivered as {now.source}, no longer as {before.source}"
        yield Change(True, what, (DELIVERERS,), effect=Effect.ADDED)
    for change in _values(name, before, now, readers):
        yield replace(change, effect=Effect.ONWARD)
    yield from _classification(name, before, now, terms)
    if before.meaning != now.meaning:
        yield Change(False, f"column {name}: description")


def _values(name: str, before: ColumnTerms, now: ColumnTerms, readers: tuple[str, ...]) -> Iterator[Change]:
    """Listed values: a further one is new to readers, one less is set aside when it is delivered."""
    gone, come = set(before.values) - set(now.values), set(now.values) - set(before.values)
    if before.values and not now.values:
        yield Change(True, f"column {name}: values no longer listed, so that readers meet any", readers)
    elif now.values and not before.values:
        yield Change(True, f"column {name}: values listed; rows with any other are set aside", (DELIVERERS,))
    elif come:
        yield Change(True, f"column {name}: values {', '.join(sorted(come))} added (loosened)", readers)
    if gone and now.values:
        yield Change(True, f"column {name}: values {', '.join(sorted(gone))} removed (tightened)", (DELIVERERS,))
    if before.values and now.values and before.severity != now.severity:
        yield _severity(f"column {name}: values", before.severity, now.severity, readers)


def _classification(name: str, before: ColumnTerms, now: ColumnTerms, terms: Terms) -> Iterator[Change]:
    """The class of a column: whom it is masked for."""
    if before.classification == now.classification:
        return
    change = f"column {name}: classification {before.classification} changed to {now.classification}"
    if now.classification == PUBLIC:
        change = f"column {name}: classification {before.classification} removed"
    readers = tuple(terms.roles)
    was, becomes = (OPENNESS.get(each.classification, 0) for each in (before, now))
    if becomes > was:
        yield Change(True, f"{change}; {', '.join(readers) or 'nobody'} would then read it in clear", readers)
    else:
        how = "masked" if becomes < was else "masked in another way"
        yield Change(True, f"{change}; {how} for whoever may not read {now.classification}", readers)


def _rules(before: Terms, now: Terms, readers: tuple[str, ...]) -> Iterator[Change]:
    for name in dict.fromkeys((*before.rules, *now.rules)):
        one, other = before.rules.get(name), now.rules.get(name)
        if one is None and other is not None:
            counts = other.severity == WARN
            what = "broken rows are counted" if counts else "tightened: rows that break it are refused"
            yield Change(not counts, f"rule {name} added ({other.severity}); {what}", () if counts else (DELIVERERS,))
        elif one is not None and other is None:
            counts = one.severity == WARN
            what = "broken rows are no longer counted" if counts else "loosened: readers meet rows that broke it"
            yield Change(not counts, f"rule {name} removed ({one.severity}); {what}", () if counts else readers)
        elif one is not None and other is not None:
            yield from _rule(one, other, readers)


def _rule(before: Rule, now: Rule, readers: tuple[str, ...]) -> Iterator[Change]:
    if before.severity != now.severity:
        yield _severity(f"rule {now.name}", before.severity, now.severity, readers)
    strictness = compare(before.condition, now.condition)
    if strictness != Strictness.SAME:
        whom = {Strictness.LOOSENED: readers, Strictness.TIGHTENED: (DELIVERERS,)}.get(
            strictness, (*readers, DELIVERERS)
        )
        counts = now.severity == before.severity == WARN
        what = f"rule {now.name} {strictness}: {before.condition} is {now.condition} now"
        yield Change(not counts, what, () if counts else whom)


def _severity(what: str, before: str, now: str, readers: tuple[str, ...]) -> Change:
    """The change of what becomes of rows that break a rule."""
    tightened = STRICTER.get(now, 1) > STRICTER.get(before, 1)
    whom = (DELIVERERS,) if tightened else readers
    return Change(True, f"{what} {'tightened' if tightened else 'loosened'}: {before} is {now} now", whom)


def _roles(before: Terms, now: Terms) -> Iterator[Change]:
    for group, access in before.roles.items():
        if group not in now.roles:
            yield Change(True, f"role {group} removed ({access})", (group,))
        elif access != now.roles[group]:
            lost = now.roles[group] == "read"
            yield Change(lost, f"role {group}: {now.roles[group]}, before {access}", (group,))
    for group in now.roles.keys() - before.roles.keys():
        clear = [name for name, column in now.columns.items() if column.classification == PUBLIC]
        yield Change(False, f"role {group} added ({now.roles[group]}): reads {len(clear)} public columns", (group,))


def _levels(before: Terms, now: Terms, readers: tuple[str, ...]) -> Iterator[Change]:
    """Service levels: later, rarer and shorter kept is looser."""
    for name in dict.fromkeys((*before.levels, *now.levels)):
        one, other = before.levels.get(name), now.levels.get(name)
        if one == other:
            continue
        if one is None:
            yield Change(False, f"service level {name} added")
        elif other is None:
            yield Change(True, f"service level {name} removed (loosened)", readers)
        else:
            loosened = (other < one) if name == RETENTION else (other > one)
            how = "loosened" if loosened else "tightened"
            what = f"service level {name} {how} from {_shown(name, one)} to {_shown(name, other)}"
            yield Change(loosened, what, readers if loosened else ())


def _checks(before: Terms, now: Terms, readers: tuple[str, ...]) -> Iterator[Change]:
    """Checks of the day: whether a broken one stops it."""
    for name in dict.fromkeys((*before.checks, *now.checks)):
        one, other = before.checks.get(name, "none"), now.checks.get(name, "none")
        loosened = one == FAIL != other
        if one != other:
            what = f"check {name} {'loosened' if loosened else 'tightened'}: {one} is {other} now"
            yield Change(loosened, what, readers if loosened else ())


def _shown(name: str, seconds: float) -> str:
    """A duration in days, hours or seconds; a time of day as such."""
    if name not in (FREQUENCY, LATENCY, RETENTION):
        return f"{int(seconds // 3_600):02d}:{int(seconds % 3_600 // 60):02d}"
    unit, length = next((each for each in (("days", 86_400), ("hours", 3_600)) if seconds >= each[1]), ("seconds", 1))
    count = seconds / length
    return f"{count:g} {unit if count != 1 else unit.removesuffix('s')}"


def _head(before: Terms, now: Terms) -> Iterator[Change]:
    for name in dict.fromkeys((*before.delivery, *now.delivery)):
        one, other = before.delivery.get(name), now.delivery.get(name)
        if name == FORMAT and one and one != "parquet" and other and set(one.split(", ")) < set(other.split(", ")):
            yield Change(False, f"{name} {other} taken, no longer {one} alone", (DELIVERERS,), effect=Effect.ONWARD)
        elif one != other:
            what = f"{name} changed from {one or 'none'} to {other or 'none'}"
            yield Change(True, what, (DELIVERERS,), effect=Effect.ONWARD)
    if before.owner != now.owner:
        yield Change(False, f"owner changed from {before.owner or 'nobody'} to {now.owner or 'nobody'}", (now.owner,))
    if before.channels != now.channels:
        yield Change(False, f"channel changed to {', '.join(now.channels) or 'none'}")
