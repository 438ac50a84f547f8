"""MSK: clusters, which are real brokers here, their configurations and their topics."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from local.aws.provider import tags
from local.aws.provider.fields import dig, fields, to_boto
from local.aws.provider.resource import Resource
from local.aws.provider.values import Properties

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE_SECONDS = 300
GROUP = "brokerNodeGroupInfo"
WAYS = ("", "Tls", "SaslIam", "SaslScram", "VpcConnectivityTls", "VpcConnectivitySaslIam", "VpcConnectivitySaslScram")
ACCESS = f"{GROUP}.connectivityInfo.vpcConnectivity.clientAuthentication"
BOTO_ACCESS = "BrokerNodeGroupInfo.ConnectivityInfo.VpcConnectivity.ClientAuthentication"
LOGS = "loggingInfo.brokerLogs"

CLUSTER = fields(
    "clusterName kafkaVersion numberOfBrokerNodes enhancedMonitoring storageMode "
    f"{GROUP}.instanceType {GROUP}.clientSubnets {GROUP}.securityGroups "
    f"{GROUP}.azDistribution=BrokerNodeGroupInfo.BrokerAZDistribution "
    f"{GROUP}.storageInfo.ebsStorageInfo.volumeSize "
    f"{GROUP}.storageInfo.ebsStorageInfo.provisionedThroughput.enabled "
    f"{GROUP}.storageInfo.ebsStorageInfo.provisionedThroughput.volumeThroughput "
    f"{GROUP}.connectivityInfo.publicAccess.type "
    f"{ACCESS}.sasl.iam={BOTO_ACCESS}.Sasl.Iam.Enabled {ACCESS}.sasl.scram={BOTO_ACCESS}.Sasl.Scram.Enabled "
    f"{ACCESS}.tls={BOTO_ACCESS}.Tls.Enabled "
    "clientAuthentication.unauthenticated=ClientAuthentication.Unauthenticated.Enabled "
    "clientAuthentication.sasl.iam=ClientAuthentication.Sasl.Iam.Enabled "
    "clientAuthentication.sasl.scram=ClientAuthentication.Sasl.Scram.Enabled "
    "clientAuthentication.tls.certificateAuthorityArns=ClientAuthentication.Tls.CertificateAuthorityArnList "
    "encryptionInfo.encryptionAtRestKmsKeyArn=EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId "
    "encryptionInfo.encryptionInTransit.clientBroker encryptionInfo.encryptionInTransit.inCluster "
    "openMonitoring.prometheus.jmxExporter.enabledInBroker openMonitoring.prometheus.nodeExporter.enabledInBroker "
    f"{LOGS}.cloudwatchLogs.enabled=LoggingInfo.BrokerLogs.CloudWatchLogs.Enabled "
    f"{LOGS}.cloudwatchLogs.logGroup=LoggingInfo.BrokerLogs.CloudWatchLogs.LogGroup "
    f"{LOGS}.s3.enabled {LOGS}.s3.bucket {LOGS}.s3.prefix "
    f"{LOGS}.firehose.enabled {LOGS}.firehose.deliveryStream "
    "configurationInfo.arn configurationInfo.revision"
)

BOOTSTRAP = fields(" ".join(f"bootstrapBrokers{way}=BootstrapBrokerString{way}" for way in WAYS))


def _read_cluster(client: Any, arn: str) -> Properties:
    live = client.describe_cluster(ClusterArn=arn)["ClusterInfo"]
    software = live.pop("CurrentBrokerSoftwareInfo")
    live["KafkaVersion"] = software["KafkaVersion"]
    if software.get("ConfigurationArn"):
        live["ConfigurationInfo"] = {
            "Arn": software["ConfigurationArn"],
            "Revision": software["ConfigurationRevision"],
        }
    return {**live, **client.get_bootstrap_brokers(ClusterArn=arn)}


def _settle(client: Any, arn: str) -> None:
    """Waits until a cluster is ACTIVE.

    Raises:
        TimeoutError: It has failed, or is not ACTIVE after the time that it has.
    """
    info = _at_rest(client, arn)
    if info["State"] != "ACTIVE":
        why = (info.get("StateInfo") or {}).get("Message", "")
        raise TimeoutError(f"the cluster {arn} is {info['State']}, not ACTIVE: {why}")


def _at_rest(client: Any, arn: str) -> Properties:
    """What there is to say of a cluster once it is ACTIVE or FAILED, or after the time that it has."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        info: Properties = client.describe_cluster_v2(ClusterArn=arn)["ClusterInfo"]
        if info["State"] in ("ACTIVE", "FAILED") or time.monotonic() > deadline:
            return info
        time.sleep(0.5)


def _change(call: str, parameters: Callable[[Properties], Properties]) -> Any:
    """A setter by one of MSK's update calls, each of which wants the cluster's version at that time."""

    def setter(client: Any, arn: str, inputs: Properties) -> None:
        version = _at_rest(client, arn)["CurrentVersion"]
        wanted = parameters(to_boto(CLUSTER, inputs))
        getattr(client, call)(ClusterArn=arn, CurrentVersion=version, **wanted)

    return setter


def _set_brokers(client: Any, arn: str, inputs: Properties) -> None:
    """Brings what differs in the group of brokers to where it should be: size, type and ways in."""
    live = _read_cluster(client, arn)["BrokerNodeGroupInfo"]
    wanted = to_boto(CLUSTER, inputs)["BrokerNodeGroupInfo"]
    if wanted["InstanceType"] != live["InstanceType"]:
        _change("update_broker_type", lambda _: {"TargetInstanceType": wanted["InstanceType"]})(client, arn, inputs)
    storage = dig(wanted, "StorageInfo.EbsStorageInfo")
    if storage and storage != dig(live, "StorageInfo.EbsStorageInfo"):
        throughput = {"ProvisionedThroughput": storage.get("ProvisionedThroughput")}
        volume = {"KafkaBrokerNodeId": "All", "VolumeSizeGB": storage["VolumeSize"]}
        volume |= {name: value for name, value in throughput.items() if value}
        _change("update_broker_storage", lambda _: {"TargetBrokerEBSVolumeInfo": [volume]})(client, arn, inputs)
    ways = wanted.get("ConnectivityInfo")
    if ways and ways != live.get("ConnectivityInfo"):
        _change("update_connectivity", lambda _: {"ConnectivityInfo": ways})(client, arn, inputs)


def _only(*names: str) -> Callable[[Properties], Properties]:
    return lambda wanted: {name: wanted[name] for name in names if name in wanted}


def _read_configuration(client: Any, arn: str) -> Properties:
    live = client.describe_configuration(Arn=arn)
    revision = live["LatestRevision"]["Revision"]
    latest = client.describe_configuration_revision(Arn=arn, Revision=revision)
    properties = latest["ServerProperties"].decode()
    return {**live, "ServerProperties": properties, "Description": latest.get("Description"), "Revision": revision}


def _update_configuration(client: Any, arn: str, inputs: Properties) -> None:
    about = {"Description": inputs["description"]} if inputs.get("description") else {}
    client.update_configuration(Arn=arn, ServerProperties=inputs["serverProperties"], **about)


def _encoded(configs: str) -> str:
    """A topic's configuration as MSK's API takes it."""
    return base64.b64encode(json.dumps(json.loads(configs)).encode()).decode()


def _make_topic(client: Any, parameters: Properties) -> Properties:
    if parameters.get("Configs"):
        parameters["Configs"] = _encoded(parameters["Configs"])
    _settle(client, parameters["ClusterArn"])
    answer: Properties = client.create_topic(**parameters)
    return answer


def _read_topic(client: Any, id_: str) -> Properties:
    arn, name = id_.split(",", 1)
    _settle(client, arn)
    live = client.describe_topic(ClusterArn=arn, TopicName=name)
    return {**live, "ClusterArn": arn, "Configs": base64.b64decode(live["Configs"]).decode()}


def _set_topic(client: Any, id_: str, inputs: Properties) -> None:
    arn, name = id_.split(",", 1)
    live = _read_topic(client, id_)
    wanted: Properties = {}
    if inputs["partitionCount"] != live["PartitionCount"]:
        wanted["PartitionCount"] = inputs["partitionCount"]
    client.update_topic(ClusterArn=arn, TopicName=name, Configs=_encoded(inputs.get("configs") or "{}"), **wanted)


def _delete_topic(client: Any, id_: str, _: Properties) -> None:
    arn, name = id_.split(",", 1)
    if _at_rest(client, arn)["State"] == "FAILED":
        return  # nobody reaches it any more, and it goes with its cluster
    client.delete_topic(ClusterArn=arn, TopicName=name)


def _uuid(_: Properties, arn: str, __: str) -> Properties:
    return {"arn": arn, "clusterUuid": arn.rsplit("/", 1)[-1]}


TYPES = (
    Resource(
        kind="aws:msk/cluster:Cluster",
        service="kafka",
        create="create_cluster",
        id="ClusterArn",
        read=_read_cluster,
        delete=lambda client, arn, _: client.delete_cluster(ClusterArn=arn),
        make=CLUSTER,
        show=(*fields("currentVersion"), *BOOTSTRAP),
        computed=_uuid,
        put={
            GROUP: _set_brokers,
            "numberOfBrokerNodes": _change(
                "update_broker_count", lambda wanted: {"TargetNumberOfBrokerNodes": wanted["NumberOfBrokerNodes"]}
            ),
            "kafkaVersion": _change(
                "update_cluster_kafka_version",
                lambda wanted: {"TargetKafkaVersion": wanted["KafkaVersion"], **_only("ConfigurationInfo")(wanted)},
            ),
            "configurationInfo": _change("update_cluster_configuration", _only("ConfigurationInfo")),
            "clientAuthentication encryptionInfo": _change(
                "update_security", _only("ClientAuthentication", "EncryptionInfo")
            ),
            "enhancedMonitoring loggingInfo openMonitoring": _change(
                "update_monitoring", _only("EnhancedMonitoring", "LoggingInfo", "OpenMonitoring")
            ),
        },
        fixed=f"{GROUP}.clientSubnets {GROUP}.securityGroups {GROUP}.azDistribution "
        "encryptionInfo.encryptionAtRestKmsKeyArn encryptionInfo.encryptionInTransit.inCluster",
        name="clusterName",
        defaults={"enhancedMonitoring": "DEFAULT", "storageMode": "LOCAL"},
        tags=tags.KAFKA,
        settle=_settle,
        refused="rebalancing",
    ),
    Resource(
        kind="aws:msk/configuration:Configuration",
        service="kafka",
        create="create_configuration",
        id="Arn",
        read=_read_configuration,
        delete=lambda client, arn, _: client.delete_configuration(Arn=arn),
        make=fields("name description kafkaVersions serverProperties"),
        show=fields("arn latestRevision=Revision"),
        put={"serverProperties description": _update_configuration},
        name="name",
    ),
    Resource(
        kind="aws:msk/topic:Topic",
        service="kafka",
        create=_make_topic,
        id=lambda _, inputs: f"{inputs['clusterArn']},{inputs['name']}",
        read=_read_topic,
        delete=_delete_topic,
        make=fields("clusterArn name=TopicName partitionCount replicationFactor configs"),
        show=fields("arn=TopicArn"),
        computed=lambda live, _, __: {"configsActual": live["Configs"]},
        put={"partitionCount configs": _set_topic},
        name="name",
        refused="timeouts",
    ),
)
