"""The brokers of Kafka as the command line asks them: topics, and how many messages each partition has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import CommandError

if TYPE_CHECKING:
    from confluent_kafka import Consumer

ANSWER_SECONDS = 10.0
RETRY_SECONDS = 0.2


@dataclass(frozen=True)
class Offsets:
    """Messages of one partition.

    Attributes:
        first: Offset of the oldest that the broker keeps.
        end: Offset that the next one will have.
    """

    first: int
    end: int


def offsets(bootstrap_servers: str, topic: str) -> dict[int, Offsets]:
    """Asks the brokers for the messages of a topic, by partition.

    Raises:
        CommandError: No broker answers, or there is no such topic.
    """
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "platform", "log_level": 0})
    try:
        partitions = _partitions(consumer, bootstrap_servers, topic)
        return {partition: _of_partition(consumer, topic, partition) for partition in partitions}
    except KafkaException as error:
        raise CommandError(
            f"the brokers {bootstrap_servers} do not answer: {error}\n  → `platform local status` shows the services; "
            "brokers in AWS are reached from their network alone"
        ) from error
    finally:
        consumer.close()


def _of_partition(consumer: Consumer, topic: str, partition: int) -> Offsets:
    """Asks for the messages of a partition, again where its broker is just changing, as that of a new topic."""
    from confluent_kafka import KafkaException, TopicPartition

    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return Offsets(*consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS))
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
            consumer.list_topics(topic, timeout=ANSWER_SECONDS)


def _partitions(consumer: Consumer, bootstrap_servers: str, topic: str) -> list[int]:
    metadata = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    if metadata.error or not metadata.partitions:
        raise CommandError(
            f"the brokers {bootstrap_servers} have no topic {topic}\n  → add it to churn:ground.aws.kafka.topics and "
            "run `platform up`"
        )
    return sorted(metadata.partitions)
