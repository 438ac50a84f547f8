"""What is written into the online store, and read of it; each batch in one transaction with the position it ends at.

So a batch is in the store wholly, with its position, or not at all: after a crash it is read again from the position
that is there, and no event counts twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from churn.feature_engineering.rolling_activity import KEPT_DAYS, Day, rolling
from churn.online.signals import SIGNALS, Signal

if TYPE_CHECKING:
    import psycopg

    from churn.online.events import DayTotals, SessionPart

SOURCE = "silver.events"
CUSTOMERS_AT_ONCE = 2_000  # whose days, 90 each at most, are in memory at once: about 40 MB
ACTIVE = timedelta(minutes=30)  # a session without an end and without an event for so long runs no more


@dataclass(frozen=True)
class Position:
    """How far a table has been taken over: its id, which a table that is made anew changes, and its version."""

    table_id: str
    version: int


@dataclass(frozen=True)
class Raised:
    """A signal that a running session has raised, and for which there is no score yet."""

    customer_id: str
    session_id: str
    signal: Signal
    event_time: datetime


def position(connection: psycopg.Connection[Any]) -> Position | None:
    """How far silver.events has been taken over; None if nothing has."""
    query = "SELECT table_id, version FROM churn.position WHERE source = %s"
    row = connection.execute(query, (SOURCE,)).fetchone()
    return Position(*row) if row else None


def move(connection: psycopg.Connection[Any], old: Position | None, new: Position, at: datetime) -> bool:
    """Sets the position, unless another task has moved it meanwhile; returns whether it did."""
    if old is None:
        done = connection.execute(
            "INSERT INTO churn.position VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (SOURCE, new.table_id, new.version, at),
        )
    else:
        done = connection.execute(
            "UPDATE churn.position SET table_id = %s, version = %s, written_at = %s "
            "WHERE source = %s AND table_id = %s AND version = %s",
            (new.table_id, new.version, at, SOURCE, old.table_id, old.version),
        )
    return done.rowcount == 1


def clear(connection: psycopg.Connection[Any]) -> None:
    """Forgets what was taken over; scores and measurements stay."""
    connection.execute("DELETE FROM churn.position")
    connection.execute("TRUNCATE churn.customer_days, churn.activity, churn.sessions")


def add_days(connection: psycopg.Connection[Any], days: Mapping[tuple[str, date], DayTotals]) -> None:
    """Adds to days of customers."""
    rows = [
        (customer, on, each.events, each.sessions, each.core_uses, each.core_minutes, each.last_event_time)
        for (customer, on), each in sorted(days.items())
    ]
    connection.execute(
        """
        INSERT INTO churn.customer_days AS old
        SELECT * FROM unnest(%s::text[], %s::date[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[],
            %s::timestamptz[])
        ON CONFLICT (customer_id, event_date) DO UPDATE SET events = old.events + excluded.events,
            sessions = old.sessions + excluded.sessions, core_uses = old.core_uses + excluded.core_uses,
            core_minutes = old.core_minutes + excluded.core_minutes,
            last_event_time = greatest(old.last_event_time, excluded.last_event_time)
        """,
        _columns(rows, 7),
    )


def days_of(connection: psycopg.Connection[Any], customers: Sequence[str]) -> dict[str, list[Day]]:
    """What is known of the days of customers, by customer."""
    found: dict[str, list[Day]] = defaultdict(list)
    query = (
        "SELECT customer_id, event_date, sessions, core_uses, core_minutes FROM churn.customer_days "
        "WHERE customer_id = ANY(%s)"
    )
    for customer, *day in connection.execute(query, (list(customers),)):
        found[customer].append(Day(*day))
    return found


def refresh_activity(connection: psycopg.Connection[Any], touched: Iterable[str], at: datetime) -> None:
    """Computes the activity of customers anew, a bounded number at a time, and forgets what is old.

    Args:
        connection: In a transaction.
        touched: The customers.
        at: The moment, whose date the windows end with.
    """
    on, customers = at.date(), sorted(set(touched))
    before = on - timedelta(days=KEPT_DAYS)
    connection.execute("DELETE FROM churn.customer_days WHERE event_date <= %s", (before,))
    connection.execute("DELETE FROM churn.sessions WHERE last_event_at < %s", (before,))
    for first in range(0, len(customers), CUSTOMERS_AT_ONCE):
        _refresh(connection, customers[first : first + CUSTOMERS_AT_ONCE], at)


def move_windows(connection: psycopg.Connection[Any], at: datetime) -> bool:
    """Computes anew the activity of some customers whose windows end with an earlier day than that of the moment.

    Args:
        connection: In a transaction.
        at: The moment.

    Returns:
        Whether the windows of all customers end with the day.
    """
    # As a batch does: an erasure is done before, or comes later and removes what is written here.
    connection.execute("LOCK TABLE churn.position IN ROW EXCLUSIVE MODE")
    query = "SELECT customer_id FROM churn.activity WHERE as_of < %s LIMIT %s"
    stale = connection.execute(query, (at.date(), CUSTOMERS_AT_ONCE)).fetchall()
    refresh_activity(connection, (customer for (customer,) in stale), at)
    return len(stale) < CUSTOMERS_AT_ONCE


def _refresh(connection: psycopg.Connection[Any], customers: list[str], at: datetime) -> None:
    on, days = at.date(), days_of(connection, customers)
    rows = [(customer, on, *asdict(rolling(days.get(customer, []), on)).values()) for customer in customers]
    connection.execute(
        """
        INSERT INTO churn.activity AS old
        SELECT new.*, coalesce(latest.at, earlier.last_event_time), %s FROM unnest(%s::text[], %s::date[], %s::bigint[],
            %s::bigint[], %s::int[], %s::int[], %s::float8[], %s::float8[]) AS new (customer_id)
        LEFT JOIN (SELECT customer_id, max(last_event_time) AS at FROM churn.customer_days
            WHERE customer_id = ANY(%s) GROUP BY customer_id) AS latest USING (customer_id)
        LEFT JOIN churn.activity AS earlier USING (customer_id)
        WHERE coalesce(latest.at, earlier.last_event_time) IS NOT NULL
        ON CONFLICT (customer_id) DO UPDATE SET as_of = excluded.as_of, sessions_7d = excluded.sessions_7d,
            sessions_30d = excluded.sessions_30d, days_since_last_use = excluded.days_since_last_use,
            streak_days = excluded.streak_days, core_minutes_7d = excluded.core_minutes_7d,
            core_minutes_30d = excluded.core_minutes_30d, last_event_time = excluded.last_event_time,
            updated_at = excluded.updated_at
        """,
        (at, *_columns(rows, 8), customers),
    )


def add_sessions(
    connection: psycopg.Connection[Any], sessions: Mapping[tuple[str, str], SessionPart], at: datetime
) -> list[Raised]:
    """Adds what is new of sessions.

    Args:
        connection: In a transaction.
        sessions: What a batch says, by customer and session.
        at: The moment.

    Returns:
        Signals that sessions which run raise with it. One is raised by each of its events until it is scored.
    """
    rows = [
        (customer, session, part.started_at, part.last_event_at, part.ended_at, at)
        for (customer, session), part in sorted(sessions.items())
    ]
    connection.execute(
        """
        INSERT INTO churn.sessions AS old (customer_id, session_id, started_at, last_event_at, ended_at, updated_at)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
            %s::timestamptz[])
        ON CONFLICT (customer_id, session_id) DO UPDATE SET
            started_at = least(old.started_at, excluded.started_at),
            last_event_at = greatest(old.last_event_at, excluded.last_event_at),
            ended_at = greatest(old.ended_at, excluded.ended_at), updated_at = excluded.updated_at
        """,
        _columns(rows, 6),
    )
    raised = []
    for (customer, session), part in sessions.items():
        if part.counted:
            raised += _count(connection, customer, session, part, at)
    return raised


def _count(
    connection: psycopg.Connection[Any], customer: str, session: str, part: SessionPart, at: datetime
) -> list[Raised]:
    """Adds to what a session counts for signals; returns those that it raises now, if it runs."""
    where = "WHERE customer_id = %s AND session_id = %s"
    query = f"SELECT counted, signals, ended_at, last_event_at FROM churn.sessions {where}"
    row = connection.execute(query, (customer, session)).fetchone()
    if row is None:
        raise LookupError(f"session {session} of {customer} is not there, although it was just written")
    counted, known, ended_at, last_event_at = row
    new = []
    for signal in SIGNALS:
        number, latest = part.counted.get(signal.name, (0, part.last_event_at))
        counted[signal.name] = counted.get(signal.name, 0) + number
        if number and counted[signal.name] >= signal.at_least and signal.name not in known:
            new.append(Raised(customer, session, signal, latest))
    update = f"UPDATE churn.sessions SET counted = %s {where}"
    connection.execute(update, (Jsonb(counted), customer, session))
    return new if ended_at is None and last_event_at > at - ACTIVE else []


def mark_scored(connection: psycopg.Connection[Any], scored: Iterable[Raised]) -> None:
    """Marks signals that have a score, so that they are raised no more."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE churn.sessions SET signals = array_append(signals, %s) WHERE customer_id = %s AND session_id = %s",
            [(each.signal.name, each.customer_id, each.session_id) for each in scored],
        )


def out_of_order(connection: psycopg.Connection[Any], at: datetime) -> tuple[int, int]:
    """Number of sessions whose last event is no older than a session that runs, and of those with a fault of order."""
    query = "SELECT count(*), count(*) FILTER (WHERE order_faults <> '{}') FROM churn.sessions WHERE last_event_at > %s"
    row = connection.execute(query, (at - ACTIVE,)).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def _columns(rows: Sequence[tuple[Any, ...]], number: int) -> list[list[Any]]:
    """Rows as columns, for `unnest`."""
    return [[row[column] for row in rows] for column in range(number)]
