"""Options of Kafka for the source and the sink of the stream, made from the pipeline's configuration in this one place.

A service credential of Unity Catalog stands for all of security: by it the runtime signs in to MSK by IAM over TLS, and
options such as `kafka.security.protocol` are not to be set beside it.
https://docs.databricks.com/aws/en/connect/streaming/kafka
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from churn.core.errors import FinalError

PREFIX = "churn.kafka."


def connection(bootstrap_servers: str, service_credential: str) -> dict[str, str]:
    """Options of every use of Kafka.

    Args:
        bootstrap_servers: Addresses of brokers, `host:port,…`.
        service_credential: Service credential by which the runtime signs in; empty where brokers ask for none.
    """
    options = {"kafka.bootstrap.servers": bootstrap_servers}
    if service_credential:
        options["databricks.serviceCredential"] = service_credential
    return options


class KafkaSettingError(FinalError):
    """A setting of Kafka is missing in the pipeline's configuration, or has a value that it does not take."""


@dataclass(frozen=True)
class Kafka:
    """Brokers, and how they are read.

    Attributes:
        bootstrap_servers: Addresses of brokers, `host:port,…`.
        service_credential: Service credential by which the runtime signs in; empty where brokers ask for none.
        topic: Topic that is read.
        dead_letters: Topic that takes what was quarantined.
        max_offsets_per_trigger: Messages in a batch at most, so that a backlog is no single batch: 20,000 a second
            where a batch begins every five seconds.
        fail_on_data_loss: Whether to stop where messages are gone that were not read yet. `false` goes on without them
            and is for one update, once it is known what was lost; the accounting names the offsets.
    """

    bootstrap_servers: str
    service_credential: str
    topic: str
    dead_letters: str
    max_offsets_per_trigger: int = 100_000
    fail_on_data_loss: str = "true"

    @classmethod
    def of(cls, setting: Callable[[str, str], str | None]) -> Kafka:
        """Reads the configuration of a pipeline.

        Args:
            setting: Gives a setting by name, or else a default, as `spark.conf.get`.

        Raises:
            KafkaSettingError: One is missing or wrong.
        """

        def get(name: str, default: str = "") -> str:
            return (setting(f"{PREFIX}{name}", default) or "").strip()

        needed = {"bootstrap_servers": "host:port,…", "topic": "a topic", "dead_letters": "a topic"}
        for name, allowed in needed.items():
            if not get(name):
                raise KafkaSettingError(
                    f"{PREFIX}{name}: received nothing; allowed: {allowed}; add it to the pipeline's configuration"
                )
        most = get("max_offsets_per_trigger", str(cls.max_offsets_per_trigger))
        if not (most.isdecimal() and int(most)):
            raise KafkaSettingError(
                f"{PREFIX}max_offsets_per_trigger: received {most!r}; allowed: 1 and more; correct it, or leave it out"
            )
        fail = get("fail_on_data_loss", cls.fail_on_data_loss)
        if fail not in ("true", "false"):
            raise KafkaSettingError(
                f"{PREFIX}fail_on_data_loss: received {fail!r}; allowed: true, false; correct it, or leave it out"
            )
        servers, topic, dead_letters = map(get, needed)
        return cls(servers, get("service_credential"), topic, dead_letters, int(most), fail)

    @property
    def source(self) -> dict[str, str]:
        """Options of a stream from the first message that the topic still has."""
        return {
            **connection(self.bootstrap_servers, self.service_credential),
            "subscribe": self.topic,
            "startingOffsets": "earliest",
            "failOnDataLoss": self.fail_on_data_loss,
            "maxOffsetsPerTrigger": str(self.max_offsets_per_trigger),
            "includeHeaders": "true",
        }

    @property
    def sink(self) -> dict[str, str]:
        """Options of the sink of dead letters, which writes each row at least once."""
        return {**connection(self.bootstrap_servers, self.service_credential), "topic": self.dead_letters}
