"""Kafka: a cluster of Amazon MSK with its topics.

Clusters are provisioned ones, small where little is streamed. MSK Serverless is not used: AWS makes no topics on it
through its API, and it has no endpoint that another VPC could reach.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.security_groups import KAFKA_IAM_PORT, Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.ground.environment import Environment

REPLICAS = 3  # one in each zone
IN_SYNC = 2  # a write waits for two, so a zone may fail
HOUR_MS = 3_600_000
# Kafka's default is the sender's time: events would be judged, and forgotten, by a clock that may be wrong.
BROKER_CLOCK = {"message.timestamp.type": "LogAppendTime"}
# AWS' metric for storage autoscaling, from "Automatic scaling for Amazon MSK clusters"; the target is its own example.
STORAGE_METRIC = "KafkaBrokerStorageUtilization"
STORAGE_TARGET_PERCENT = 60
VOLUME_SIZE = "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize"


@dataclass(frozen=True)
class Topic:
    """A topic.

    Attributes:
        name: Name of the topic.
        partitions: Number of partitions.
        retention_hours: Hours that records are kept.
    """

    name: str
    partitions: int
    retention_hours: int


@dataclass(frozen=True)
class KafkaArgs:
    """Arguments of `Kafka`.

    Attributes:
        environment: Where the cluster is.
        vpc_id: The network.
        subnet_ids: A private subnet in each of three zones; each gets one broker.
        nodes_group_id: Security group that may call the brokers.
        key_arn: ARN of the key that encrypts the brokers' disks.
        log_group: Name of the log group of brokers.
        version: Version of Kafka as MSK names it, such as `3.9.x`; AWS makes topics from 3.6 on.
        broker_type: Instance type of brokers, such as `kafka.m7g.large`.
        storage_gib: Disk of one broker at first.
        maximum_storage_gib: Disk of one broker to which it grows by itself.
        topics: The topics.
        protect: Whether to refuse to destroy cluster and topics.
    """

    environment: Environment
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    nodes_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    log_group: pulumi.Input[str]
    version: str
    broker_type: str
    storage_gib: int
    maximum_storage_gib: int
    topics: Sequence[Topic]
    protect: bool


class Kafka(pulumi.ComponentResource):
    """Owns the cluster, its configuration, the brokers' security group, the growth of their disks, and the topics.

    Clients speak TLS and prove by IAM who they are. A topic that is not declared is not made by writing to it.
    """

    arn: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    bootstrap_brokers: pulumi.Output[str]
    brokers_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: KafkaArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Kafka", name, None, opts)
        rules = Rules(self, args.environment, args.vpc_id)
        self.brokers_group_id = rules.group("brokers", "Brokers of Kafka")
        rules.let_in("brokers-from-nodes", self.brokers_group_id, args.nodes_group_id, KAFKA_IAM_PORT)
        cluster = self._cluster(args, self._configuration(args))
        self.arn, self.cluster_name = cluster.arn, cluster.cluster_name
        self.bootstrap_brokers = cluster.bootstrap_brokers_sasl_iam
        self._grow(args)
        for topic in args.topics:
            aws.msk.Topic(
                f"topic-{topic.name}",
                name=topic.name,
                cluster_arn=cluster.arn,
                partition_count=topic.partitions,
                replication_factor=REPLICAS,
                configs=json.dumps({"retention.ms": str(topic.retention_hours * HOUR_MS), **BROKER_CLOCK}),
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            )
        self.register_outputs({"arn": self.arn, "bootstrap_brokers": self.bootstrap_brokers})

    def _configuration(self, args: KafkaArgs) -> aws.msk.Configuration:
        """What every broker is told.

        AWS changes no versions of a configuration, and deletes none that is in use: the name has the version, so that
        the cluster moves to a new one before the old one goes.
        """
        properties = {
            "auto.create.topics.enable": "false",
            "default.replication.factor": str(REPLICAS),
            "delete.topic.enable": "true",
            "min.insync.replicas": str(IN_SYNC),
            "unclean.leader.election.enable": "false",
        }
        return aws.msk.Configuration(
            "brokers-configuration",
            name=args.environment.name(f"brokers-{args.version.replace('.', '-')}"),
            kafka_versions=[args.version],
            server_properties="".join(f"{key}={value}\n" for key, value in properties.items()),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _cluster(self, args: KafkaArgs, configuration: aws.msk.Configuration) -> aws.msk.Cluster:
        return aws.msk.Cluster(
            "cluster",
            cluster_name=args.environment.name("kafka"),
            kafka_version=args.version,
            number_of_broker_nodes=len(args.subnet_ids),
            broker_node_group_info={
                "instance_type": args.broker_type,
                "client_subnets": list(args.subnet_ids),
                "security_groups": [self.brokers_group_id],
                "storage_info": {"ebs_storage_info": {"volume_size": args.storage_gib}},
            },
            client_authentication={"sasl": {"iam": True}, "unauthenticated": False},
            configuration_info={"arn": configuration.arn, "revision": configuration.latest_revision},
            encryption_info={
                "encryption_at_rest_kms_key_arn": args.key_arn,
                "encryption_in_transit": {"client_broker": "TLS", "in_cluster": True},
            },
            enhanced_monitoring="PER_BROKER",
            logging_info={"broker_logs": {"cloudwatch_logs": {"enabled": True, "log_group": args.log_group}}},
            open_monitoring={
                "prometheus": {
                    "jmx_exporter": {"enabled_in_broker": True},
                    "node_exporter": {"enabled_in_broker": True},
                }
            },
            # Disks grow by themselves; the size that is written is that of the first day.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, ignore_changes=[VOLUME_SIZE]),
        )

    def _grow(self, args: KafkaArgs) -> None:
        """Lets the brokers' disks grow; MSK cannot make them smaller."""
        target = aws.appautoscaling.Target(
            "storage-target",
            service_namespace="kafka",
            resource_id=self.arn,
            scalable_dimension="kafka:broker-storage:VolumeSize",
            min_capacity=1,
            max_capacity=args.maximum_storage_gib,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.appautoscaling.Policy(
            "storage-growth",
            name=args.environment.name("kafka-storage"),
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            policy_type="TargetTrackingScaling",
            target_tracking_scaling_policy_configuration={
                "disable_scale_in": True,
                "predefined_metric_specification": {"predefined_metric_type": STORAGE_METRIC},
                "target_value": STORAGE_TARGET_PERCENT,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
