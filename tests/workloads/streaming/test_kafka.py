"""Options of Kafka come from the pipeline's configuration, and a wrong one is named with its remedy."""

from __future__ import annotations

import pytest

from churn.streaming.kafka import Kafka, KafkaSettingError

SETTINGS = {
    "churn.kafka.bootstrap_servers": "b-1:9098,b-2:9098",
    "churn.kafka.service_credential": "churn-dev-kafka",
    "churn.kafka.topic": "customer.events",
    "churn.kafka.dead_letters": "customer.events.dlq",
}
SERVERS = {"kafka.bootstrap.servers": "b-1:9098,b-2:9098", "databricks.serviceCredential": "churn-dev-kafka"}


def test_source_and_sink_have_what_the_configuration_says() -> None:
    kafka = Kafka.of(SETTINGS.get)
    assert kafka.source == {
        **SERVERS,
        "subscribe": "customer.events",
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "maxOffsetsPerTrigger": "100000",
        "includeHeaders": "true",
    }
    assert kafka.sink == {**SERVERS, "topic": "customer.events.dlq"}


def test_brokers_without_a_credential_are_asked_without() -> None:
    kafka = Kafka.of({**SETTINGS, "churn.kafka.service_credential": ""}.get)
    assert kafka.sink == {"kafka.bootstrap.servers": "b-1:9098,b-2:9098", "topic": "customer.events.dlq"}


def test_a_backlog_is_read_in_parts_and_losses_can_be_taken() -> None:
    further = {"churn.kafka.max_offsets_per_trigger": "1000", "churn.kafka.fail_on_data_loss": "false"}
    source = Kafka.of({**SETTINGS, **further}.get).source
    assert (source["maxOffsetsPerTrigger"], source["failOnDataLoss"]) == ("1000", "false")


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("bootstrap_servers", "", "received nothing; allowed: host:port,…; add it to the pipeline's configuration"),
        ("topic", " ", "received nothing; allowed: a topic; add it to the pipeline's configuration"),
        ("max_offsets_per_trigger", "many", "received 'many'; allowed: 1 and more; correct it, or leave it out"),
        ("max_offsets_per_trigger", "0", "received '0'; allowed: 1 and more; correct it, or leave it out"),
        ("fail_on_data_loss", "no", "received 'no'; allowed: true, false; correct it, or leave it out"),
    ],
)
def test_a_wrong_setting_is_named(name: str, given: str, said: str) -> None:
    with pytest.raises(KafkaSettingError) as caught:
        Kafka.of({**SETTINGS, f"churn.kafka.{name}": given}.get)
    assert str(caught.value) == f"churn.kafka.{name}: {said}"
