"""A real broker for tests, and topics on it."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import NewTopic

from local.aws.kafka.broker import Broker
from local.aws.kafka.install import install

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

START_SECONDS = 60


class TestBroker:
    """A broker with a folder of its own, which a test starts, kills and stops."""

    __test__ = False

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._broker = Broker(folder, port, install())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self._broker.address

    def start(self) -> None:
        """Starts the broker and waits until it answers."""
        self._process = self._broker.start({"auto.create.topics.enable": "false"})
        deadline = time.monotonic() + START_SECONDS
        while not self._broker.answers():
            assert self._process.poll() is None, self._broker.last_lines()
            assert time.monotonic() < deadline, self._broker.last_lines()

    def stop(self) -> None:
        assert self._process
        self._broker.stop(self._process)

    def kill(self) -> None:
        """Kills the broker, as a crash would."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def topic(self, partitions: int = 2, name: str = "") -> str:
        """Makes a topic as the ground does, by the broker's clock; with a name of its own unless one is given."""
        name = name or f"topic-{uuid.uuid4().hex[:8]}"
        admin = self._broker.admin()  # whose end would cancel the request
        topic = NewTopic(name, partitions, 1, config={"message.timestamp.type": "LogAppendTime"})
        for future in admin.create_topics([topic]).values():
            future.result()
        return name

    def produce(self, topic: str, messages: Iterable[dict[str, Any]], key: str = "id") -> None:
        """Sends messages as JSON, keyed by one of their fields, and waits until the broker has them.

        Raises:
            KafkaException: It does not have them all after half a minute.
        """
        producer = Producer({"bootstrap.servers": self.address, "message.timeout.ms": 30_000})
        failed: list[Any] = []
        for message in messages:
            producer.produce(
                topic,
                json.dumps(message),
                str(message[key]),
                headers={"sent-by": "test"},
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
            producer.poll(0)
        left = producer.flush(60)
        if failed or left:
            raise KafkaException(f"{left + len(failed)} messages are not delivered: {failed[:1]}")

    def consume(self, topic: str, count: int, seconds: float = 30) -> list[Any]:
        """Reads messages from the beginning of a topic."""
        consumer = Consumer(
            {"bootstrap.servers": self.address, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([topic])
        found: list[Any] = []
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                found.append(message)
        consumer.close()
        return found
