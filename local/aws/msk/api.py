"""MSK's API over moto's: the calls that moto lacks or answers wrongly."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.kafka import models, urls
from moto.kafka.exceptions import NotFoundException
from moto.kafka.responses import KafkaResponse

from local.aws.msk import topics
from local.aws.msk.clusters import Cluster, MskError, cluster_of, new_version

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = {"Tls": None, "SaslIam": "iam", "SaslScram": "scram"}
Answer = dict[str, Any]


def serve() -> None:
    """Puts this API in the place of moto's."""
    models.FakeKafkaCluster = Cluster  # type: ignore[misc]  # moto makes its clusters by this name
    paths = [*urls.url_paths, "{0}/v1/configurations$", "{0}/v1/configurations/(?P<arn>.+)$"]
    urls.url_paths.clear()
    urls.url_paths.update(dict.fromkeys(paths, Msk.dispatch))


def _on_cluster(act: Callable[[Msk, Cluster], Answer]) -> Callable[[Msk], str]:
    """A call that concerns the cluster whose ARN is in its path."""

    @wraps(act)
    def call(self: Msk) -> str:
        return json.dumps(act(self, cluster_of(self.kafka_backend, self.part("clusters"))))

    return call


def _update(**attributes: str) -> Callable[[Msk], str]:
    """A call that sets attributes of moto's cluster, by the names of the call's parameters."""

    def act(self: Msk, cluster: Cluster) -> Answer:
        for parameter, attribute in attributes.items():
            value = self._get_param(parameter)
            if value is not None:
                setattr(cluster, attribute, value)
        return _changed(cluster)

    return _on_cluster(act)


def _changed(cluster: Cluster) -> Answer:
    cluster.current_version, cluster.state = new_version(), "UPDATING"  # until the broker has answered
    operation = cluster.arn.replace(":cluster/", ":cluster-operation/")
    return {"clusterArn": cluster.arn, "clusterOperationArn": f"{operation}/{cluster.current_version}"}


class Msk(KafkaResponse):
    """The API; a call is a method with its name."""

    def part(self, before: str) -> str:
        """What stands in the path after a word."""
        found = re.search(rf"/{before}/([^/]+)", self.parsed_url.path)
        return unquote(found[1]) if found else ""

    @property
    def configurations(self) -> dict[str, Answer]:
        """Configurations of the account and region, by ARN; they live where moto's clusters do."""
        known: dict[str, Answer] = self.kafka_backend.__dict__.setdefault("configurations", {})
        return known

    @_on_cluster
    def describe_cluster(self, cluster: Cluster) -> Answer:
        """Describes a provisioned cluster."""
        return {"clusterInfo": _completed(self.kafka_backend.describe_cluster(cluster.arn), cluster)}

    @_on_cluster
    def describe_cluster_v2(self, cluster: Cluster) -> Answer:
        """Describes a cluster of any kind."""
        info = self.kafka_backend.describe_cluster_v2(cluster.arn)
        if "provisioned" in info:
            info["provisioned"] = _completed(info["provisioned"], cluster)
        return {"clusterInfo": _completed(info, cluster)}

    @_on_cluster
    def delete_cluster(self, cluster: Cluster) -> Answer:
        """Deletes a cluster; its broker goes soon after."""
        self.kafka_backend.clusters.pop(cluster.arn)
        self.kafka_backend.policies.pop(cluster.arn, None)
        return {"clusterArn": cluster.arn, "state": "DELETING"}

    @_on_cluster
    def get_bootstrap_brokers(self, cluster: Cluster) -> Answer:
        """The broker's address, under the name of each way in that the cluster has."""
        if cluster.cluster_type == "SERVERLESS":
            return {"bootstrapBrokerStringSaslIam": cluster.address}
        sasl = (cluster.client_authentication or {}).get("sasl") or {}
        transit = ((cluster.encryption_info or {}).get("encryptionInTransit") or {}).get("clientBroker", "TLS")
        ways = [way for way, name in WAYS.items() if name is None or (sasl.get(name) or {}).get("enabled")]
        found = {
            f"bootstrapBrokerString{way}": cluster.address for way in ways if way != "Tls" or transit != "PLAINTEXT"
        }
        return found | ({"bootstrapBrokerString": cluster.address} if transit != "TLS" else {})

    @_on_cluster
    def list_nodes(self, cluster: Cluster) -> Answer:
        """The brokers that were asked for; all of them are one process."""
        group = cluster.broker_node_group_info or {}
        subnets = group.get("clientSubnets") or [""]
        nodes = [
            {
                "nodeType": "BROKER",
                "nodeARN": f"{cluster.arn.replace(':cluster/', ':broker/')}/{number}",
                "instanceType": group.get("instanceType"),
                "brokerNodeInfo": {
                    "brokerId": number,
                    "clientSubnet": subnets[(number - 1) % len(subnets)],
                    "clientVpcIpAddress": "127.0.0.1",
                    "endpoints": [f"b-{number}.{cluster.cluster_name}.localhost"],  # each its own, of this machine
                },
            }
            for number in range(1, (cluster.number_of_broker_nodes or 1) + 1)
        ]
        return {"nodeInfoList": nodes}

    @_on_cluster
    def update_broker_storage(self, cluster: Cluster) -> Answer:
        """Sets the size of all disks."""
        for target in self._get_param("targetBrokerEBSVolumeInfo") or []:
            storage = {"volumeSize": target["volumeSizeGB"]}
            if target.get("provisionedThroughput"):
                storage["provisionedThroughput"] = target["provisionedThroughput"]
            self._group(cluster)["storageInfo"] = {"ebsStorageInfo": storage}
        return _changed(cluster)

    @_on_cluster
    def update_broker_type(self, cluster: Cluster) -> Answer:
        """Sets the instance type of all brokers."""
        self._group(cluster)["instanceType"] = self._get_param("targetInstanceType")
        return _changed(cluster)

    @_on_cluster
    def update_connectivity(self, cluster: Cluster) -> Answer:
        """Sets the ways in from other networks."""
        self._group(cluster)["connectivityInfo"] = self._get_param("connectivityInfo")
        return _changed(cluster)

    update_broker_count = _update(targetNumberOfBrokerNodes="number_of_broker_nodes")
    update_cluster_configuration = _update(configurationInfo="configuration_info")
    update_cluster_kafka_version = _update(targetKafkaVersion="kafka_version", configurationInfo="configuration_info")
    update_monitoring = _update(
        enhancedMonitoring="enhanced_monitoring", openMonitoring="open_monitoring", loggingInfo="logging_info"
    )
    update_security = _update(clientAuthentication="client_authentication", encryptionInfo="encryption_info")

    @_on_cluster
    def create_topic(self, cluster: Cluster) -> Answer:
        """Makes a topic on the broker."""
        partitions, replicas = int(self._get_param("partitionCount")), int(self._get_param("replicationFactor"))
        return topics.create(cluster, self._get_param("topicName"), partitions, replicas, self._get_param("configs"))

    @_on_cluster
    def describe_topic(self, cluster: Cluster) -> Answer:
        """Describes a topic."""
        return topics.describe(cluster, self.part("topics"))

    @_on_cluster
    def list_topics(self, cluster: Cluster) -> Answer:
        """Lists topics."""
        return {"topics": topics.list_all(cluster)}

    @_on_cluster
    def update_topic(self, cluster: Cluster) -> Answer:
        """Adds partitions to a topic and sets its configuration."""
        return topics.update(
            cluster, self.part("topics"), self._get_param("partitionCount"), self._get_param("configs")
        )

    @_on_cluster
    def delete_topic(self, cluster: Cluster) -> Answer:
        """Deletes a topic."""
        return topics.delete(cluster, self.part("topics"))

    def create_configuration(self) -> str:
        """Makes a configuration with its first revision."""
        name = self._get_param("name")
        backend = self.kafka_backend
        arn = f"arn:aws:kafka:{backend.region_name}:{backend.account_id}:configuration/{name}/{new_version().lower()}-1"
        made = {"arn": arn, "name": name, "kafkaVersions": self._get_param("kafkaVersions") or [], "revisions": {}}
        self.configurations[arn] = made
        return json.dumps({"name": name, **self._revise(made)})

    def list_configurations(self) -> str:
        """Lists the configurations, each with its latest revision."""
        return json.dumps({"configurations": [_described(found) for found in self.configurations.values()]})

    def update_configuration(self) -> str:
        """Makes a new revision."""
        return json.dumps(self._revise(self._configuration()))

    def describe_configuration(self) -> str:
        """Describes a configuration and its latest revision."""
        return json.dumps(_described(self._configuration()))

    def describe_configuration_revision(self) -> str:
        """Describes one revision with its properties."""
        found = self._configuration()
        revision = found["revisions"].get(int(self.part("revisions")))
        if revision is None:
            raise NotFoundException(f"{found['arn']} has no revision {self.part('revisions')}.")
        properties = base64.b64encode(revision["properties"].encode()).decode()
        return json.dumps({"arn": found["arn"], **_shown(revision), "serverProperties": properties})

    def delete_configuration(self) -> str:
        """Deletes a configuration that no cluster has."""
        arn = self._configuration()["arn"]
        clusters = self.kafka_backend.clusters.values()
        if any((getattr(cluster, "configuration_info", None) or {}).get("arn") == arn for cluster in clusters):
            raise MskError("BadRequestException", "Configuration is in use by one or more clusters.")
        del self.configurations[arn]
        return json.dumps({"arn": arn, "state": "DELETING"})

    def _group(self, cluster: Cluster) -> Answer:
        if cluster.broker_node_group_info is None:
            cluster.broker_node_group_info = {}
        return cluster.broker_node_group_info

    def _configuration(self) -> Answer:
        arn = self.part("configurations")
        if arn not in self.configurations:
            raise NotFoundException(f"The configuration {arn} doesn't exist.")
        return self.configurations[arn]

    def _revise(self, configuration: Answer) -> Answer:
        number = max(configuration["revisions"], default=0) + 1
        revision = {
            "revision": number,
            "creationTime": datetime.now(UTC).isoformat(),
            "description": self._get_param("description") or "",
            "properties": base64.b64decode(self._get_param("serverProperties")).decode(),
        }
        configuration["revisions"][number] = revision
        shown = _shown(revision)
        return {
            "arn": configuration["arn"],
            "creationTime": shown["creationTime"],
            "latestRevision": shown,
            "state": "ACTIVE",
        }


def _described(configuration: Answer) -> Answer:
    """A configuration with its latest revision."""
    latest = configuration["revisions"][max(configuration["revisions"])]
    shown = {key: configuration[key] for key in ("arn", "name", "kafkaVersions")}
    return {**shown, "state": "ACTIVE", "latestRevision": _shown(latest)}


def _shown(revision: Answer) -> Answer:
    return {key: revision[key] for key in ("revision", "creationTime", "description")}


def _completed(info: Answer, cluster: Cluster) -> Answer:
    """What moto says of a cluster, without what it makes up."""
    software = info.get("currentBrokerSoftwareInfo")
    if software and not cluster.configuration_info:
        info["currentBrokerSoftwareInfo"] = {"kafkaVersion": software["kafkaVersion"]}
    made_up = ("activeOperationArn", "zookeeperConnectString", "zookeeperConnectStringTls", "stateInfo")
    shown = {key: value for key, value in info.items() if key not in made_up}
    return shown | ({"stateInfo": {"code": cluster.state, "message": cluster.message}} if cluster.message else {})
