"""Sender of the simulated stream of events, which stands for the app's own: `python -m churn.simulation.stream_events`.

It prints reports as lines of JSON: how many messages the broker has confirmed so far, by fault and by what becomes of
them. It ends after `--messages`, or at SIGTERM or SIGINT, with a last report; nothing is sent that is not counted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from confluent_kafka import KafkaException, Producer

from churn.core.errors import RetryableError
from churn.simulation.events import Message, Shares, Simulator, StreamSettings
from churn.simulation.world import grow

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

REPORT_SECONDS = 5.0
FLUSH_SECONDS = 60.0
# A shorter wait would be none for the producer, and a processor be busy with waiting; a longer one would delay its end.
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.02, 0.1
# Each message once and in order, whatever breaks in between; a message is given up after two minutes.
PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 20,
    "compression.type": "lz4",
    "delivery.timeout.ms": 120_000,
    "queue.buffering.max.messages": 200_000,
}


class NotSentError(RetryableError):
    """The broker did not confirm messages; the text says how many, and why."""


class Sender:
    """Sends messages when they are due, and counts what the broker has confirmed.

    Attributes:
        confirmed: Number of confirmed messages by fault and outcome.
        faults: Why messages were not confirmed, with their number.
    """

    def __init__(self, bootstrap_servers: str, topic: str, report: TextIO) -> None:
        """Connects to the brokers."""
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, **PRODUCER})
        self._topic = topic
        self._report = report
        self.confirmed: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self._stopped = False

    def stop(self, *_: object) -> None:
        """Ends `send` after the message that is being sent."""
        self._stopped = True

    def send(self, messages: Iterable[Message], *, paced: bool) -> None:
        """Sends messages until there are no more, or until `stop`.

        Args:
            messages: In order.
            paced: Whether to wait for the time of each; otherwise they go as fast as the broker takes them.

        Raises:
            NotSentError: The broker did not confirm some.
        """
        began = reported = time.monotonic()
        for message in messages:
            while paced and not self._stopped and (wait := began + message.due - time.monotonic()) > 0:
                self._producer.poll(min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))
            if self._stopped or self.faults:
                break
            self._produce(message)
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                self.report()
        left = self._producer.flush(FLUSH_SECONDS)
        if left:
            self.faults["no answer"] += left
        self.report()
        if self.faults:
            said = ", ".join(f"{number} times {fault}" for fault, number in self.faults.items())
            raise NotSentError(
                f"messages to {self._topic} were not confirmed: {said}; start again when the broker is up"
            )

    def report(self) -> None:
        """Writes what was confirmed so far, a line of JSON."""
        outcomes: Counter[str] = Counter()
        faults: Counter[str] = Counter()
        for (fault, outcome), number in self.confirmed.items():
            outcomes[outcome] += number
            faults[fault] += number
        produced = self.confirmed.total()
        print(json.dumps({"produced": produced, **outcomes, "faults": faults}), file=self._report, flush=True)

    def _produce(self, message: Message) -> None:
        name = (message.fault or "none", message.outcome)

        def confirmed(error: KafkaError | None, _: Any) -> None:
            if error is None:
                self.confirmed[name] += 1
            else:
                self.faults[str(error)] += 1

        while not self._stopped:
            try:
                self._producer.produce(self._topic, message.value, message.key, on_delivery=confirmed)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                self.faults[str(error)] += 1
                return
            else:
                self._producer.poll(0)
                return


def main(argv: Sequence[str] | None = None) -> None:
    """Sends the simulated events.

    Raises:
        NotSentError: The broker did not confirm some.
    """
    parser = argparse.ArgumentParser("stream_events", description="Sends the events of simulated customers to Kafka.")
    parser.add_argument("--bootstrap-servers", required=True, help="addresses of brokers, host:port,…")
    parser.add_argument("--topic", default="customer.events", help="topic (%(default)s)")
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second (%(default)s)")
    parser.add_argument("--messages", type=int, help="messages in all; without it, until stopped")
    parser.add_argument("--unpaced", action="store_true", help="send as fast as the broker takes them")
    parser.add_argument("--seed", type=int, default=7, help="of every draw (%(default)s)")
    parser.add_argument("--world-seed", type=int, help="of the customers' world; without it, --seed")
    parser.add_argument("--skew", type=float, default=StreamSettings.skew, help="exponent of Zipf's law (%(default)s)")
    parser.add_argument("--start", required=True, type=_moment, help="moment of the first message, ISO 8601 in UTC")
    parser.add_argument("--snapshot-date", required=True, type=date.fromisoformat, help="day on which Telco was taken")
    parser.add_argument("--date", required=True, type=date.fromisoformat, help="day whose active customers send")
    for name, share in vars(Shares()).items():
        shown = name.replace("_", "-")
        parser.add_argument(f"--{shown}", type=float, default=share, help=f"share of {shown} messages (%(default)s)")
    options = parser.parse_args(argv)
    shares = Shares(**{name: getattr(options, name) for name in vars(Shares())})
    settings = StreamSettings(options.start, options.rate, options.seed, options.skew, shares)
    world_seed = options.seed if options.world_seed is None else options.world_seed
    simulator = Simulator(grow(options.snapshot_date, options.date, world_seed), settings)
    sender = Sender(options.bootstrap_servers, options.topic, sys.stdout)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, sender.stop)
    sender.send(islice(simulator.messages(), options.messages), paced=not options.unpaced)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


if __name__ == "__main__":
    main()
