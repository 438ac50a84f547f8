"""How Kafka is reached by what runs on Databricks: no other place says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.names import DEAD_LETTERS_TOPIC, EVENTS_TOPIC, KAFKA_CREDENTIAL

if TYPE_CHECKING:
    from infra.layers.ground.outputs import GroundOutputs


def kafka_values(ground: GroundOutputs, prefix: str) -> dict[str, pulumi.Input[str]]:
    """Names brokers, topics and credential, by the names that the pipeline and the tasks read; none without Kafka.

    Args:
        ground: It has the brokers.
        prefix: Beginning of the credential's name.
    """
    if ground.kafka_bootstrap_brokers is None:
        return {}
    return {
        "bootstrap_servers": pulumi.Output.format("{0}", ground.kafka_bootstrap_brokers),
        "service_credential": f"{prefix}-{KAFKA_CREDENTIAL}",
        "topic": EVENTS_TOPIC,
        "dead_letters": DEAD_LETTERS_TOPIC,
    }
