"""The brokers as the command line asks them, on a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli import brokers
from cli.brokers import Offsets, offsets
from cli.errors import CommandError
from tests.local.kafka import TestBroker
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    started = TestBroker(tmp_path_factory.mktemp("broker"), free_base_port())
    started.start()
    yield started
    started.stop()


def test_offsets_are_those_of_each_partition(broker: TestBroker) -> None:
    topic = broker.topic(2)
    assert offsets(broker.address, topic) == {0: Offsets(0, 0), 1: Offsets(0, 0)}
    broker.produce(topic, [{"id": str(number)} for number in range(10)])
    found = offsets(broker.address, topic)
    assert sum(each.end - each.first for each in found.values()) == 10
    assert set(found) == {0, 1}


def test_a_topic_that_is_missing_is_named(broker: TestBroker) -> None:
    with pytest.raises(CommandError, match=r"no topic customer\.events\n.*churn:ground\.aws\.kafka\.topics"):
        offsets(broker.address, "customer.events")


def test_brokers_that_do_not_answer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 0.5)
    with pytest.raises(CommandError, match=r"the brokers 127\.0\.0\.1:1 do not answer"):
        offsets("127.0.0.1:1", "t")
