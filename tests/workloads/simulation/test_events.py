"""The simulated stream: the same messages for the same seed, faults in their shares, sessions in their order."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from churn.simulation.events import ACCEPTED, OUTCOMES, Message, Shares, Simulator, StreamSettings
from churn.simulation.sessions import SIGNAL_PAGES
from churn.simulation.world import World, grow

DAY = date(2026, 1, 31)
START = datetime(2026, 2, 1, 12, tzinfo=UTC)
MANY = Shares(duplicate=0.1, late=0.1, too_late=0.05, wrong_clock=0.05, malformed=0.05, unknown_field=0.1)
MOST = 20_000


@pytest.fixture(scope="module")
def world() -> World:
    return grow(DAY, DAY, 7)


def drawn(world: World, number: int = MOST, **changes: Any) -> list[Message]:
    settings = StreamSettings(**{"start": START, "rate": 1000, "seed": 7, **changes})
    return [*islice(Simulator(world, settings).messages(), number)]


@pytest.fixture(scope="module")
def messages(world: World) -> list[Message]:
    return drawn(world, shares=MANY)


def fields(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.value)
    return found


def happened(message: Message) -> datetime:
    return datetime.fromisoformat(fields(message)["event_time"])


def sent(message: Message) -> datetime:
    return START + timedelta(seconds=message.due)


def test_a_seed_and_a_start_give_the_same_messages(world: World) -> None:
    some = drawn(world, 500)
    assert drawn(world, 500) == some
    assert drawn(world, 500, seed=8) != some
    ids = {fields(message)["event_id"] for message in some if message.outcome == ACCEPTED}
    later = drawn(world, 500, start=START + timedelta(seconds=1))
    assert not ids & {fields(message)["event_id"] for message in later if message.outcome == ACCEPTED}


def test_faults_have_their_shares(messages: list[Message]) -> None:
    counts = Counter(message.fault for message in messages)
    for fault, share in vars(MANY).items():
        assert counts[fault] / MOST == pytest.approx(share, rel=0.25)
    assert {message.fault for message in drawn_without_faults(messages)} == {None}


def drawn_without_faults(messages: list[Message]) -> list[Message]:
    return [message for message in messages if message.fault is None]


def test_no_share_is_no_fault(world: World) -> None:
    none = Shares(**dict.fromkeys(vars(Shares()), 0.0))
    assert {message.fault for message in drawn(world, 2000, shares=none)} == {None}


def test_only_a_duplicate_repeats_an_id_and_it_repeats_all(messages: list[Message]) -> None:
    seen: dict[str, Message] = {}
    for message in messages:
        if message.fault == "malformed":
            continue
        first = seen.setdefault(fields(message)["event_id"], message)
        assert (first is message) == (message.fault != "duplicate")
        assert first.value == message.value
        assert first.key == message.key
        assert first.outcome == ACCEPTED or first is message


def test_lateness_and_wrong_clocks_are_a_day_clear_of_the_limits(messages: list[Message]) -> None:
    by_fault = defaultdict(list)
    for message in messages:
        if message.fault not in ("malformed", "duplicate"):
            by_fault[message.fault].append((sent(message) - happened(message)).total_seconds() / 86_400)
    assert 0 < min(by_fault["late"]) < max(by_fault["late"]) < 6.1
    assert min(by_fault["too_late"]) > 7.9
    assert max(by_fault["wrong_clock"]) < -0.4
    assert min(by_fault["wrong_clock"]) < -300
    assert -0.001 < min(by_fault[None]) < max(by_fault[None]) < 0.001


def test_customers_are_those_of_the_batch_sources_and_few_are_busy(world: World, messages: list[Message]) -> None:
    active = set(world.customers.loc[world.customers["churn_date"].isna(), "customer_id"])
    known = [message.key.decode() for message in messages if message.fault not in ("unknown_customer", "duplicate")]
    assert set(known) <= active
    assert not active & {message.key.decode() for message in messages if message.fault == "unknown_customer"}
    busiest = sum(number for _, number in Counter(known).most_common(len(active) // 10))
    assert busiest / len(known) > 0.3
    even = Counter(message.key for message in drawn(world, skew=0.0))
    assert sum(number for _, number in even.most_common(len(active) // 10)) / MOST < 0.3


def test_sessions_begin_go_on_and_end(world: World) -> None:
    sessions = defaultdict(list)
    for message in drawn_without_faults(drawn(world, rate=10)):
        if session := fields(message)["session_id"]:
            sessions[session].append(fields(message))
    assert len(sessions) > 500
    for steps in sessions.values():
        kinds = [step["kind"] for step in steps]
        assert (kinds[0], kinds.count("session_start")) == ("session_start", 1)
        assert "session_end" not in kinds[:-1]
        assert len({step["customer_id"] for step in steps}) == 1
        times = [step["event_time"] for step in steps]
        assert times == sorted(times)
    assert any(steps[-1]["kind"] != "session_end" for steps in sessions.values())


def test_unhappy_customers_show_signals(world: World) -> None:
    unhappiness = dict(zip(world.customers["customer_id"], world.customers["unhappiness"], strict=True))
    risky = [message for message in drawn(world) if message.risky]
    assert {unhappiness[message.key.decode()] > 1 for message in risky} == {True}
    assert {fields(message)["page"] for message in risky} >= {*SIGNAL_PAGES, "support"}
    off = [message for message in risky if fields(message)["enabled"] is False and fields(message)["feature"] == "call"]
    assert off


def test_malformed_messages_are_so_in_every_way(messages: list[Message]) -> None:
    values = {message.value for message in messages if message.fault == "malformed"}
    assert {b""} <= values
    assert any(value.startswith(b"\xff") for value in values)
    assert any(value.startswith(b"[") for value in values)
    assert any(b' min"' in value for value in values)
    assert set(OUTCOMES) == set(vars(Shares()))


def test_shares_beyond_all_messages_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="110% of the messages"):
        drawn(world, 1, shares=Shares(**{**dict.fromkeys(vars(Shares()), 0.0), "late": 1.1}))
