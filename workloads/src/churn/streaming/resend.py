"""Sender of repaired messages: `python -m churn.streaming.resend`.

It reads from its standard input a JSON object with `lines` (as `churn.streaming.dead_letters.listing` has them, each
with its value repaired), `quarantined` (partition, offset and value of each message that they may replace) and `done`
(partition and offset of what was replayed before). It checks all lines before it sends one, and prints the number of
messages that the brokers have confirmed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from churn.core.errors import RetryableError
from churn.streaming.dead_letters import Message, replay

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka import Message as Confirmed

FLUSH_SECONDS = 60.0


class NotResentError(RetryableError):
    """The brokers did not confirm repaired messages; the text says how many, and why."""


def send(bootstrap_servers: str, topic: str, messages: Sequence[Message]) -> int:
    """Sends messages, each once, and waits for the brokers.

    Returns:
        Number of messages.

    Raises:
        NotResentError: The brokers did not confirm some.
    """
    faults: list[str] = []

    def confirmed(error: KafkaError | None, _: Confirmed) -> None:
        if error is not None:
            faults.append(str(error))

    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "acks": "all"})
    for message in messages:
        producer.produce(topic, message.value, message.key, headers=[*message.headers], on_delivery=confirmed)
    faults += ["no answer"] * producer.flush(FLUSH_SECONDS)
    if faults:
        raise NotResentError(
            f"{len(faults)} of {len(messages)} messages were not confirmed by {bootstrap_servers}: {faults[0]}; "
            "look at what is in the topic before sending them again"
        )
    return len(messages)


def main(argv: Sequence[str] | None = None) -> None:
    """Checks and sends the repaired messages of the standard input."""
    parser = argparse.ArgumentParser("resend", description="Sends repaired messages to the topic of events, once.")
    parser.add_argument("--bootstrap-servers", required=True, help="addresses of brokers, host:port,…")
    parser.add_argument("--topic", required=True, help="topic of events")
    parser.add_argument("--dry-run", action="store_true", help="check the messages, and send none")
    options = parser.parse_args(argv)
    given = json.load(sys.stdin)
    quarantined = {(partition, offset): value for partition, offset, value in given["quarantined"]}
    done = {(partition, offset) for partition, offset in given["done"]}
    messages = replay(given["lines"], quarantined, done)
    sent = len(messages) if options.dry_run else send(options.bootstrap_servers, options.topic, messages)
    print(json.dumps({"sent": sent}))


if __name__ == "__main__":
    main()
