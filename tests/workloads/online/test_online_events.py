"""What a batch of events says of days, sessions and signals, and how long its hops took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churn.online.event import Event
from churn.online.events import days_of, freshness, percentile, sessions_of
from churn.online.signals import SIGNALS

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def event(kind: str, minutes_ago: float = 0, session: str | None = "s", **more: object) -> Event:
    at = AT - timedelta(minutes=minutes_ago)
    return Event("c", session, kind, at, at.date(), **more)  # type: ignore[arg-type]  # fields by name


def test_days_count_sessions_and_uses_of_core_features() -> None:
    events = [
        event("session_start", 3),
        event("core_feature_use", 2, minutes=2.5, feature="call"),
        event("core_feature_use", 1, session=None, minutes=None, feature="data"),
        event("login", 24 * 60),
    ]
    days = days_of(events)
    today = days["c", AT.date()]
    assert (today.events, today.sessions, today.core_uses, today.core_minutes) == (3, 1, 2, 2.5)
    assert today.last_event_time == AT - timedelta(minutes=1)
    assert days["c", AT.date() - timedelta(days=1)].events == 1


def test_the_order_of_events_does_not_matter() -> None:
    events = [event("session_start", 9), *[event("page_view", minute, page="support") for minute in range(1, 5)]]
    expected = sessions_of(events)
    for first in range(1, 5):
        assert sessions_of([*events[first:], *reversed(events[:first])]) == expected
    part = expected["c", "s"]
    assert (part.started_at, part.ended_at) == (AT - timedelta(minutes=9), None)
    assert part.counted == {"support_pages": (4, AT - timedelta(minutes=1))}


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (event("page_view", page="cancel"), ["cancel_page"]),
        (event("page_view", page="contract"), ["contract_page"]),
        (event("page_view", page="home"), []),
        (event("login", page="cancel"), []),
        (event("feature_toggle", feature="data", enabled=False), ["core_feature_off"]),
        (event("feature_toggle", feature="data", enabled=True), []),
        (event("feature_toggle", feature="dark_mode", enabled=False), []),
    ],
)
def test_signals_count_the_events_that_they_name(seen: Event, names: list[str]) -> None:
    assert [signal.name for signal in SIGNALS if signal.counts(seen)] == names


def test_signals_have_names_of_their_own_and_reasons() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    assert all(signal.reason.endswith(".") for signal in SIGNALS)


def test_each_hop_is_measured_for_events_of_the_stream_alone() -> None:
    second = timedelta(seconds=1)
    way = {"broker_time": AT + second, "read_at": AT + 3 * second, "accepted_at": AT + 6 * second}
    measured = freshness([event("login", **way), event("core_feature_use", minutes=1)], AT + 10 * second)
    assert measured == {
        "event_broker": (1, 1.0, 1.0, 1.0),
        "broker_bronze": (1, 2.0, 2.0, 2.0),
        "bronze_silver": (1, 3.0, 3.0, 3.0),
        "silver_online": (1, 4.0, 4.0, 4.0),
        "event_online": (1, 10.0, 10.0, 10.0),
    }
    assert freshness([event("core_feature_use")], AT) == {}


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert [percentile(range(1, 101), share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert percentile([7.0], 0.99) == 7.0
