"""Dead letters keep key and value, and repaired messages are replayed once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from churn.streaming import events
from churn.streaming.dead_letters import ReplayError, dead_letters, listing, replay, replayed
from churn.streaming.messages import FIRST_BROKER_TIME, REPLAY_OF
from tests.workloads.streaming.stream_rows import EVENTS, bronze, conformed, value

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

POISON = value(kind="logout")
KNOWN = {(0, 3): POISON.decode(), (0, 4): "{"}


def line(**changes: Any) -> str:
    fields = {"partition": 0, "offset": 3, "first_broker_time": "2026-02-01T12:00:00.000000Z", "key": "a"}
    return json.dumps({**fields, "value": value().decode(), **changes})


def test_a_dead_letter_is_the_message_with_its_reasons(spark: SparkSession) -> None:
    quarantined = events.quarantined(conformed(spark, POISON, b"\xff", None, first=3), EVENTS)
    letters = dead_letters(quarantined).collect()
    found = {next(bytes(h.value) for h in letter.headers if h.key == "offset"): letter for letter in letters}
    poison = found[b"3"]
    assert (bytes(poison.key), bytes(poison.value)) == (b"a", POISON)
    assert {header.key: bytes(header.value) for header in poison.headers} == {
        "reasons": b"kind_is_known",
        "partition": b"0",
        "offset": b"3",
        FIRST_BROKER_TIME: b"2026-02-01T12:00:00.000000Z",
    }
    assert bytes(found[b"4"].value) == b"\xff"
    assert found[b"5"].value is None


def test_a_listed_message_is_replayed_after_its_repair(spark: SparkSession) -> None:
    quarantined = events.quarantined(conformed(spark, POISON, first=3), EVENTS)
    (listed,) = [row.line for row in listing(quarantined).collect()]
    assert json.loads(listed)["reasons"] == ["kind_is_known"]
    repaired = json.dumps({**json.loads(listed), "value": value().decode()})
    (message,) = replay([repaired, ""], KNOWN, set())
    assert (message.key, message.value) == (b"a", value())
    headers = dict(message.headers)
    assert headers == {REPLAY_OF: b"0/3", FIRST_BROKER_TIME: b"2026-02-01T12:00:00.000000Z"}
    sent = bronze(spark, message.value, headers=message.headers, first=9)
    assert [tuple(row) for row in replayed(sent).collect()] == [(0, 3)]
    assert events.accepted(events.conform(sent, EVENTS), EVENTS).count() == 1
    assert replayed(bronze(spark, value(), headers=[(REPLAY_OF, b"mine")])).collect() == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([line(offset=5)], "line 1: partition 0, offset 5 is not in silver.quarantine_events; remove the line"),
        ([line(offset=4)], "line 1: partition 0, offset 4 was replayed before; remove the line"),
        ([line(), line()], "line 2: partition 0, offset 3 stands in an earlier line too; remove one of them"),
        ([line(value=POISON.decode())], "line 1: partition 0, offset 3 is as it was; repair its value"),
        (["", "{"], "line 2: "),
        (["[]"], "line 1: it is no JSON object"),
        (['{"partition": 0}'], "line 1: it lacks offset, first_broker_time, value"),
        ([line(offset="3")], "line 1: partition and offset are 0 and '3' and must be whole numbers"),
        ([line(value=None)], "line 1: value and key must be text"),
        ([line(first_broker_time="noon")], "line 1: Invalid isoformat string: 'noon'"),
    ],
)
def test_a_line_that_cannot_be_replayed_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(ReplayError) as caught:
        replay(lines, KNOWN, {(0, 4)})
    assert said in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ReplayError) as caught:
        replay([line(offset=5), line(), line(offset=6)], KNOWN, set())
    assert [fault.partition(":")[0] for fault in str(caught.value).split("; ") if "offset" in fault] == [
        "line 1",
        "line 3",
    ]


def test_a_file_that_is_wrong_throughout_is_told_in_short() -> None:
    with pytest.raises(ReplayError, match=r"line 10: .*; and 90 more lines$"):
        replay([line(offset=5)] * 100, {}, set())
