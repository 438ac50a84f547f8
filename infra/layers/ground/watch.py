"""What notices that something is wrong, and whom it notifies: logs, alarms, a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.documents.document import document
from infra.layers.ground.documents.resources import alarm_topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.ground.environment import Environment

LOG_DAYS = 90
PERIOD_SECONDS = 300
PERIODS = 3  # a quarter of an hour


@dataclass(frozen=True)
class WatchArgs:
    """Arguments of `Watch`.

    Attributes:
        environment: What is watched.
        key_arn: ARN of the key that encrypts logs and messages.
        addresses: E-mail addresses that are notified; each has to confirm once.
        budget_usd_per_month: What the stack's tagged resources may cost in a month.
    """

    environment: Environment
    key_arn: pulumi.Input[str]
    addresses: Sequence[str]
    budget_usd_per_month: int


class Watch(pulumi.ComponentResource):
    """Owns the brokers' log group, the topic of alarms with its subscribers, and the monthly budget.

    The budget counts what carries the tag `stack`, once the tag is active in the account's billing.
    """

    log_group: pulumi.Output[str]
    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: WatchArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:watch:Watch", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            "broker-logs",
            name=args.environment.name("brokers"),
            kms_key_id=args.key_arn,
            retention_in_days=LOG_DAYS,
            opts=child,
        )
        self.log_group = logs.name
        topic = aws.sns.Topic(
            "alarms", name=args.environment.name("alarms"), kms_master_key_id=args.key_arn, opts=child
        )
        self.topic_arn = topic.arn
        policy = aws.sns.TopicPolicy(
            "alarms-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: document(alarm_topic(args.environment, arn))),
            opts=child,
        )
        for address in args.addresses:
            aws.sns.TopicSubscription(
                f"alarms-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        self._budget(args, pulumi.ResourceOptions(parent=self, depends_on=[policy]))
        self.register_outputs({"topic_arn": self.topic_arn})

    def _budget(self, args: WatchArgs, opts: pulumi.ResourceOptions) -> None:
        """Notifies at 80 % of what was spent, and when the month is expected to end above the budget."""
        aws.budgets.Budget(
            "budget",
            name=args.environment.name("monthly"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.budget_usd_per_month),
            limit_unit="USD",
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:stack${args.environment.stack}"]}],
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": kind,
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [self.topic_arn],
                }
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
            opts=opts,
        )


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
        super().__init__("churn:watch:KafkaAlarms", name, None, opts)
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
                85,
                f"The disk of broker {broker} is fuller than storage autoscaling lets it become",
                {"Broker ID": str(broker)},
            )
        self.register_outputs({})

    def _alarm(  # noqa: PLR0913 (one row of a table)
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
            treat_missing_data="breaching",
            alarm_actions=[self._args.topic_arn],
            ok_actions=[self._args.topic_arn],
            opts=pulumi.ResourceOptions(parent=self),
        )
