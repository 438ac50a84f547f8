"""Logs, the topic of alarms with its subscribers, and the budget."""

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
        super().__init__("churn:ground:Watch", name, None, opts)
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
