"""Topics: real ones, on the broker of a cluster.

One broker can keep one replica and wait for one. What a program says about more is kept beside the topic and told
when it is asked for.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from moto.kafka.exceptions import BadRequestException, NotFoundException

from local.aws.msk.clusters import MskError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from local.aws.msk.clusters import Cluster

SECONDS = 10.0
REPLICAS = "min.insync.replicas"
Configs = dict[str, str]


def create(cluster: Cluster, name: str, partitions: int, replicas: int, configs: str | None) -> dict[str, Any]:
    """Makes a topic."""
    if replicas > (cluster.number_of_broker_nodes or replicas):
        raise BadRequestException(f"Replication factor {replicas} is larger than the number of brokers.")
    admin, wanted = _admin(cluster), _decoded(configs)
    topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=_possible(wanted))
    _wait(admin.create_topics([topic], operation_timeout=SECONDS))
    cluster.topics[name] = {"replicas": replicas, "configs": wanted}
    return {"topicArn": arn(cluster, name), "topicName": name, "status": "ACTIVE"}


def describe(cluster: Cluster, name: str) -> dict[str, Any]:
    """What there is to say of a topic.

    Raises:
        NotFoundException: There is none.
    """
    admin, said = _admin(cluster), cluster.topics.get(name, {})
    found = _wait(admin.describe_topics(TopicCollection([name]), request_timeout=SECONDS))
    configs = _configs(admin, name)
    asked = said.get("configs", {})
    if REPLICAS in asked and REPLICAS in configs:
        configs[REPLICAS] = asked[REPLICAS]
    return {
        "topicArn": arn(cluster, name),
        "topicName": name,
        "replicationFactor": said.get("replicas", 1),
        "partitionCount": len(found.partitions),
        "configs": base64.b64encode(json.dumps(configs).encode()).decode(),
        "status": "ACTIVE",
        "replicaIds": [1],
    }


def list_all(cluster: Cluster) -> list[dict[str, Any]]:
    """All topics but Kafka's own."""
    topics = _admin(cluster).list_topics(timeout=SECONDS).topics
    return [
        {
            "topicArn": arn(cluster, name),
            "topicName": name,
            "replicationFactor": cluster.topics.get(name, {}).get("replicas", 1),
            "partitionCount": len(topic.partitions),
            "outOfSyncReplicaCount": 0,
        }
        for name, topic in sorted(topics.items())
        if not name.startswith("__")
    ]


def update(cluster: Cluster, name: str, partitions: int | None, configs: str | None) -> dict[str, Any]:
    """Adds partitions, and sets the configuration to what is wanted and nothing besides."""
    admin = _admin(cluster)
    if partitions:
        _wait(admin.create_partitions([NewPartitions(name, partitions)], operation_timeout=SECONDS))
    if configs is not None:
        wanted = _decoded(configs)
        possible = _possible(wanted)
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in possible.items()
        ]
        entries += [
            ConfigEntry(key, "", incremental_operation=AlterConfigOpType.DELETE)
            for key in _configs(admin, name).keys() - possible.keys()
        ]
        if entries:
            resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
            _wait(admin.incremental_alter_configs([resource], request_timeout=SECONDS))
        cluster.topics.setdefault(name, {"replicas": 1})["configs"] = wanted
    return {"topicArn": arn(cluster, name), "topicName": name, "status": "ACTIVE"}


def delete(cluster: Cluster, name: str) -> dict[str, Any]:
    """Deletes a topic."""
    admin = _admin(cluster)  # whose calls fail once nobody refers to it
    _wait(admin.delete_topics([name], operation_timeout=SECONDS))
    cluster.topics.pop(name, None)
    return {"topicArn": arn(cluster, name), "topicName": name, "status": "DELETING"}


def arn(cluster: Cluster, name: str) -> str:
    """ARN of a topic."""
    return f"{cluster.arn.replace(':cluster/', ':topic/')}/{name}"


def _admin(cluster: Cluster) -> AdminClient:
    if cluster.state != "ACTIVE":
        raise MskError("ServiceUnavailableException", f"The cluster {cluster.arn} is {cluster.state}, not ACTIVE.", 503)
    return AdminClient({"bootstrap.servers": cluster.address, "log_level": 0, "socket.timeout.ms": 10_000})


def _configs(admin: AdminClient, name: str) -> Configs:
    """What is set for a topic itself."""
    resource = ConfigResource(ResourceType.TOPIC, name)
    entries = _wait(admin.describe_configs([resource], request_timeout=SECONDS))
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {key: entry.value for key, entry in entries.items() if entry.source == own}


def _possible(wanted: Configs) -> Configs:
    return {key: "1" if key == REPLICAS else value for key, value in wanted.items()}


def _decoded(configs: str | None) -> Configs:
    try:
        decoded: Configs = json.loads(base64.b64decode(configs)) if configs else {}
    except ValueError as error:
        raise BadRequestException(f"The topic's configuration is no JSON in base64: {error}") from error
    return decoded


def _wait(futures: Mapping[Any, Future[Any]]) -> Any:
    """What came of the one thing that was asked for."""
    (future,) = futures.values()
    try:
        return future.result(SECONDS)
    except KafkaException as error:
        problem = error.args[0]
        text = str(problem.str())
        if problem.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise NotFoundException(text) from error
        if problem.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            raise MskError("TopicExistsException", text, 409) from error
        raise BadRequestException(text) from error
