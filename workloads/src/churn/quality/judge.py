"""Judgement of a day's checks: outcome by the contract's severity, and a sentence for people. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from churn.core.contract import Contract
from churn.core.contract_checks import FRESHNESS, GAPS, KEYS, ORDER, REFERENCES, VOLUME
from churn.core.contract_terms import FAIL
from churn.quality.feeds import LEAST_WEEKS, Came, Feed, judged_days, named


class Outcome(StrEnum):
    """Outcome of a check; `unjudged` where there is no history to compare with."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Check:
    """One check of a table, and its outcome.

    Attributes:
        table: Name of the table in silver.
        name: Of the check.
        severity: `warn` or `fail`.
        outcome: What came of it.
        reason: What was expected, what came and what to do.
        rows: Rows that break the check; of gaps and freshness days, of volume rows that came.
        least: Of volume, the fewest rows that are usual.
    """

    table: str
    name: str
    severity: str
    outcome: Outcome
    reason: str
    rows: int
    least: float | None = None


Found = tuple[Outcome | None, str, int, float | None]  # None where the severity decides
# What each rule across tables is called when rows break it, and what to do about them.
ACROSS = {
    KEYS: (
        "keys stand more than once in {table}",
        "look for files that were taken in twice, and rebuild {table} by a full refresh",
    ),
    REFERENCES: (
        "rows of {table} refer to no row of silver.{others}",
        "ask {channel} whether these are to be delivered, or the rows are wrong",
    ),
    ORDER: (
        "events of a session in {table} happened before one that was sent earlier",
        "ask {channel} about devices whose clock was set back, or senders that change the order",
    ),
}


def judge(feed: Feed, broken: Mapping[str, int]) -> Iterator[Check]:
    """Makes every check of one table's contract.

    Args:
        feed: What came of it, and what is usual.
        broken: Number of rows that break a rule across tables, by check.
    """
    contract = feed.contract
    for name, severity in contract.checks.items():
        outcome, reason, rows, least = (
            _across(contract, name, broken.get(name, 0)) if name in ACROSS else _OF_FEED[name](feed)
        )
        decided = outcome or (Outcome.FAILED if severity == FAIL else Outcome.WARNED)
        yield Check(contract.domain, name, severity, decided, reason, rows, least)


def _across(contract: Contract, name: str, rows: int) -> Found:
    what, remedy = ACROSS[name]
    targets = (target.partition(".")[0] for column in contract.columns for target in column.refers_to)
    words = {
        "table": contract.table,
        "channel": contract.channel,
        "others": ", silver.".join(dict.fromkeys(targets)),
    }
    said = f"{rows:,} {what.format(**words)}"
    if not rows:
        return Outcome.PASSED, f"{said}, of the days that may have come", rows, None
    return None, f"{said}: {remedy.format(**words)}; silver.quality_samples names some", rows, None


def _gaps(feed: Feed) -> Found:
    days = feed.gaps()
    domain = feed.contract.domain
    if not days:
        return Outcome.PASSED, "no day was left out", 0, None
    reason = (
        f"no file of {domain} was admitted for {named(days)}, although others were before and after; expected: one "
        f"every {_length(feed.contract)}; {_ask(feed, days)}"
    )
    return None, reason, len(days), None


def _freshness(feed: Feed) -> Found:
    domain, due = feed.contract.domain, _length(feed.contract)
    if not any(came.admitted for day, came in feed.files.items() if day <= feed.day):
        return Outcome.UNJUDGED, f"no file of {domain} was ever admitted; expected: one every {due}", 0, None
    days = feed.missing()
    if not days:
        return Outcome.PASSED, f"the file of {feed.day} is here", 0, None
    if len(days) < max(feed.contract.service.frequency.days, 1):
        return Outcome.PASSED, f"the file of {feed.day} is not due yet; expected: one every {due}", 0, None
    late = len(days) < len(judged_days(feed.contract, feed.day))
    reason = (
        f"{domain} is {'late' if late else 'dead'}: nothing usable came for {named(days)}, where one file every {due} "
        f"is expected, at most {_latency(feed.contract)} after its day; {_ask(feed, days)}"
    )
    return Outcome.WARNED if late else None, reason, len(days), None


def _volume(feed: Feed) -> Found:
    domain, day = feed.contract.domain, feed.day
    rows, usual = feed.rows.get(day, 0), feed.usual(day)
    said = f"{rows:,} accepted rows of {domain} are dated {named([day])}"
    if usual is None:
        history = f"{LEAST_WEEKS} earlier {day:%A}s and the same day of an earlier month"
        return Outcome.UNJUDGED, f"{said}; nothing to compare with yet: it takes {history}", rows, None
    expected = f"at least {usual.least:,.0f}, by the {usual.middle:,.0f} of a usual {day:%A} ({usual.weeks} weeks)"
    if not feed.is_short(day):
        return Outcome.PASSED, f"{said}; expected: {expected}", rows, usual.least
    return None, f"{said}, too few; expected: {expected}; {_ask(feed, [day])}", rows, usual.least


_OF_FEED: dict[str, Callable[[Feed], Found]] = {GAPS: _gaps, FRESHNESS: _freshness, VOLUME: _volume}


def _ask(feed: Feed, days: Sequence[date]) -> str:
    """What came of some days, and what to do."""
    contract = feed.contract
    if contract.topic:
        return f"look at silver.quarantine_{contract.domain}, and ask {contract.channel} for what was not sent"
    came = [feed.files.get(day, Came()) for day in days]
    admitted, aside = sum(each.admitted for each in came), sum(each.quarantined for each in came)
    files = f"{admitted} files admitted, {aside} set aside whole"
    return (
        f"came: {files}; look at bronze.deliveries and silver.quarantine_{contract.domain} for why, ask "
        f"{contract.channel} for the files of these days, then repair this run"
    )


def _length(contract: Contract) -> str:
    """Frequency in words."""
    days = max(contract.service.frequency.days, 1)
    return "day" if days == 1 else f"{days} days"


def _latency(contract: Contract) -> str:
    hours = contract.service.latency.total_seconds() / 3600
    return f"{hours:g} hours"
