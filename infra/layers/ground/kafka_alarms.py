"""Alarms on the cluster of Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment

PERIOD_SECONDS = 300
PERIODS = 3  # a quarter of an hour
FULL_PERCENT = 85  # disks grow at 60 % by themselves: fuller ones have stopped growing


@dataclass(frozen=True)
class KafkaAlarmsArgs:
    """Arguments of `KafkaAlarms`.

    Attributes:
        environment: Where the cluster is.
        cluster: Name of the cluster.
        brokers: How many brokers it has.
        topic_arn: Topic that is notified.
    """

    environment: Environment
    cluster: pulumi.Input[str]
    brokers: int
    topic_arn: pulumi.Input[str]


class KafkaAlarms(pulumi.ComponentResource):
    """Owns the alarms on the cluster: no controller, partitions nobody serves, a disk that fills.

    Metrics are those of AWS, "Amazon MSK metrics for monitoring Standard brokers".
    """

    def __init__(self, name: str, args: KafkaAlarmsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:KafkaAlarms", name, None, opts)
        self._args = args
        self._alarm("controller", "ActiveControllerCount", "LessThanThreshold", 1, "No broker leads the cluster")
        self._alarm(
            "offline-partitions", "OfflinePartitionsCount", "GreaterThanThreshold", 0, "Partitions have no leader"
        )
        for broker in range(1, args.brokers + 1):
            self._alarm(
                f"disk-{broker}",
                "KafkaDataLogsDiskUsed",
                "GreaterThanThreshold",
                FULL_PERCENT,
                f"The disk of broker {broker} is nearly full",
                {"Broker ID": str(broker)},
            )
        self.register_outputs({})

    def _alarm(
        self,
        purpose: str,
        metric: str,
        operator: str,
        threshold: float,
        description: str,
        dimensions: dict[str, str] | None = None,
    ) -> None:
        aws.cloudwatch.MetricAlarm(
            f"kafka-{purpose}",
            name=self._args.environment.name(f"kafka-{purpose}"),
            alarm_description=description,
            namespace="AWS/Kafka",
            metric_name=metric,
            dimensions={"Cluster Name": self._args.cluster, **(dimensions or {})},
            statistic="Maximum",
            comparison_operator=operator,
            threshold=threshold,
            period=PERIOD_SECONDS,
            evaluation_periods=PERIODS,
            treat_missing_data="breaching",  # a cluster that nobody measures is a fault too
            alarm_actions=[self._args.topic_arn],
            ok_actions=[self._args.topic_arn],
            opts=pulumi.ResourceOptions(parent=self),
        )
