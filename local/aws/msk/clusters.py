"""Clusters, in the state that moto keeps: each has a port, and the topics that were made through the API."""

from __future__ import annotations

import socket
import uuid
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend, kafka_backends

from local.aws.kafka.broker import properties_of
from local.aws.kafka.keeper import Wanted
from local.settings import KAFKA_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator


class MskError(JsonRESTError):
    """An error as MSK's API tells it.

    Args:
        kind: Name of the error.
        message: What is wrong.
        status: Status of the answer.
    """

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(kind, message)
        self.code = status


class Cluster(FakeKafkaCluster):
    """A cluster with a broker: CREATING until the broker answers."""

    def __init__(self, *args: Any, **said: Any) -> None:
        super().__init__(*args, **said)
        if any(other.cluster_name == self.cluster_name for other in all_clusters()):
            raise MskError("ConflictException", f"There is a cluster with the name {self.cluster_name} already.", 409)
        self.port = self._free_port()
        self.message = ""
        self.topics: dict[str, dict[str, Any]] = {}
        self.current_version = new_version()

    first_port = 0
    """Port of the first broker, which the server sets."""

    def _generate_arn(self) -> str:
        return f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{self.cluster_name}/{self.cluster_id}-1"

    @property
    def address(self) -> str:
        """Where the broker listens, without TLS and for everyone on this machine."""
        return f"127.0.0.1:{self.port}"

    def _free_port(self) -> int:
        taken = {cluster.port for cluster in all_clusters()}
        for port in range(self.first_port, self.first_port + KAFKA_PORTS, 2):
            if port not in taken and not _listening(port) and not _listening(port + 1):
                return port
        raise MskError("ServiceUnavailableException", f"no port from {self.first_port} on is free for a broker", 503)


def new_version() -> str:
    """A version of a cluster, as MSK makes one with every change."""
    return "K" + uuid.uuid4().hex[:13].upper()


def all_clusters() -> Iterator[Cluster]:
    """The clusters of all accounts and regions."""
    for backend in _backends():
        yield from _clusters_of(backend)


def cluster_of(backend: KafkaBackend, arn: str) -> Cluster:
    """The cluster with an ARN.

    Raises:
        NotFoundException: There is none.
    """
    cluster = backend.clusters.get(arn)
    if not isinstance(cluster, Cluster):
        raise NotFoundException(f"The requested resource doesn't exist: {arn}")
    return cluster


def wanted() -> list[Wanted]:
    """The brokers that there should be."""
    return [_wanted(backend, cluster) for backend in _backends() for cluster in _clusters_of(backend)]


def _wanted(backend: KafkaBackend, cluster: Cluster) -> Wanted:
    chosen = cluster.configuration_info or {}
    known: dict[str, Any] = getattr(backend, "configurations", {})
    revisions = known.get(chosen.get("arn", ""), {}).get("revisions", {})
    text = revisions.get(int(chosen.get("revision") or 0), {}).get("properties", "")
    return Wanted(cluster.cluster_id, cluster.port, properties_of(text))


def doubt() -> None:
    """Takes no cluster for ACTIVE until its broker has answered: this process has just begun."""
    for cluster in all_clusters():
        if cluster.state != "CREATING":
            cluster.state = "HEALING"


def report(was_wanted: Wanted, state: str, message: str) -> bool:
    """Puts what is known of a broker into its cluster.

    Args:
        was_wanted: The broker as it was wanted when it was looked at; what is wanted otherwise now is not ACTIVE yet.
        state: State of the cluster, as MSK names it.
        message: Why it is in that state.

    Returns:
        Whether that is news.
    """
    for backend in _backends():
        for cluster in _clusters_of(backend):
            if cluster.cluster_id != was_wanted.name or cluster.state == state:
                continue
            if (state == "ACTIVE" and _wanted(backend, cluster) != was_wanted) or (
                state == "HEALING" and cluster.state == "CREATING"
            ):
                continue
            cluster.state, cluster.message = state, message
            return True
    return False


def _clusters_of(backend: KafkaBackend) -> list[Cluster]:
    return [cluster for cluster in backend.clusters.values() if isinstance(cluster, Cluster)]


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _backends() -> list[KafkaBackend]:
    return [backend for regions in kafka_backends.values() for backend in regions.values()]
