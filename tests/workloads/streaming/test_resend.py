"""The sender of repaired messages, against a real broker."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from churn.streaming import resend
from churn.streaming.dead_letters import ReplayError
from cli.brokers import offsets
from tests.local.kafka import TestBroker
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE = {"partition": 0, "offset": 5, "first_broker_time": "2026-01-31T08:15:00.123000Z", "key": "c", "value": "{}"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    started = TestBroker(tmp_path_factory.mktemp("broker"), free_base_port())
    started.start()
    yield started
    started.stop()


def run(
    broker: TestBroker, topic: str, monkeypatch: pytest.MonkeyPatch, *lines: dict[str, Any], done: Any = ()
) -> None:
    given = {"lines": [json.dumps(line) for line in lines], "quarantined": [[0, 5, "{"]], "done": [*done]}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
    resend.main([f"--bootstrap-servers={broker.address}", f"--topic={topic}"])


def sent(broker: TestBroker, topic: str) -> list[Any]:
    """Key, value and headers of each message of a topic with one partition."""
    number = offsets(broker.address, topic)[0].end
    return [(each.key(), each.value(), dict(each.headers() or [])) for each in broker.consume(topic, number)]


def test_a_repaired_message_says_which_it_replaces(
    broker: TestBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = broker.topic(1)
    run(broker, topic, monkeypatch, LINE)
    assert json.loads(capsys.readouterr().out) == {"sent": 1}
    headers = {"replay-of": b"0/5", "first-broker-time": b"2026-01-31T08:15:00.123000Z"}
    assert sent(broker, topic) == [(b"c", b"{}", headers)]


@pytest.mark.parametrize(
    ("lines", "done", "said"),
    [
        ([LINE], [[0, 5]], "partition 0, offset 5 was replayed before"),
        ([LINE, {**LINE, "offset": 6}], [], "line 2: partition 0, offset 6 is not in silver.quarantine_events"),
        ([{**LINE, "value": "{"}], [], "is as it was"),
    ],
)
def test_a_wrong_line_sends_nothing(
    broker: TestBroker, monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, Any]], done: list[list[int]], said: str
) -> None:
    topic = broker.topic(1)
    with pytest.raises(ReplayError, match=said):
        run(broker, topic, monkeypatch, *lines, done=done)
    assert sent(broker, topic) == []


def test_brokers_that_are_away_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "FLUSH_SECONDS", 1.0)
    given = {"lines": [json.dumps(LINE)], "quarantined": [[0, 5, "{"]], "done": []}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
    with pytest.raises(resend.NotResentError, match=r"1 of 1 messages were not confirmed by 127\.0\.0\.1:1: no answer"):
        resend.main(["--bootstrap-servers=127.0.0.1:1", "--topic=any"])
