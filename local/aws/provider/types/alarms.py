"""What watches: log groups, alarms, the topics that tell people, and the budget."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import dig, fields
from local.aws.provider.resource import Resource, only
from local.aws.provider.values import Properties

TOPIC_ATTRIBUTES = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
SUBSCRIPTION_ATTRIBUTES = {"rawMessageDelivery": "RawMessageDelivery", "filterPolicy": "FilterPolicy"}
METRIC = "MetricStat"


def _read_log_group(client: Any, name: str) -> Properties:
    groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    live = only([group for group in groups if group["logGroupName"] == name])
    return {**live, "LogGroupArn": live["arn"].removesuffix(":*"), "retentionInDays": live.get("retentionInDays", 0)}


def _retain(client: Any, name: str, inputs: Properties) -> None:
    if days := inputs.get("retentionInDays"):
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    else:
        client.delete_retention_policy(logGroupName=name)


def _delete_log_group(client: Any, name: str, state: Properties) -> None:
    if not state.get("skipDestroy"):
        client.delete_log_group(logGroupName=name)


def _put_alarm(client: Any, parameters: Properties) -> Properties:
    client.put_metric_alarm(**parameters)
    return {}


def _read_alarm(client: Any, name: str) -> Properties:
    return only(client.describe_alarms(AlarmNames=[name])["MetricAlarms"])


def _attributes(names: dict[str, str], inputs: Properties) -> dict[str, str]:
    """Attributes as SNS takes them: texts."""
    given = {names[name]: inputs[name] for name in names if inputs.get(name) is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _make_topic(client: Any, parameters: Properties) -> Properties:
    name, tags = parameters.pop("Name"), parameters.pop("Tags", [])
    answer: Properties = client.create_topic(Name=name, Tags=tags, Attributes=parameters)
    return answer


def _read_topic(client: Any, arn: str) -> Properties:
    live = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {**live, "Name": arn.rsplit(":", 1)[-1]}


def _set_topic(name: str) -> Any:
    def setter(client: Any, arn: str, inputs: Properties) -> None:
        value = str(inputs.get(name) or "")
        client.set_topic_attributes(TopicArn=arn, AttributeName=TOPIC_ATTRIBUTES[name], AttributeValue=value)

    return setter


def _put_topic_policy(client: Any, parameters: Properties) -> Properties:
    arn, policy = parameters["Arn"], parameters["Policy"]
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return {}


def _drop_topic_policy(client: Any, arn: str, state: Properties) -> None:
    """Gives a topic back the policy that it was born with: its owner may do everything."""
    statement = {"Effect": "Allow", "Principal": {"AWS": state.get("owner") or "*"}, "Action": "sns:*", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)


def _subscribe(client: Any, parameters: Properties) -> Properties:
    answer: Properties = client.subscribe(**parameters, ReturnSubscriptionArn=True)
    return answer


def _read_subscription(client: Any, arn: str) -> Properties:
    live = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    raw = live.get("RawMessageDelivery") == "true"
    pending = live.get("PendingConfirmation") == "true"
    return {**live, "RawMessageDelivery": raw, "PendingConfirmation": pending}


def _set_subscription(client: Any, arn: str, inputs: Properties) -> None:
    for name, value in _attributes(SUBSCRIPTION_ATTRIBUTES, inputs).items():
        client.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)


def _put_budget(client: Any, parameters: Properties) -> Properties:
    """Puts a budget anew, since moto has no `update_budget`."""
    account, notifications = parameters.pop("AccountId"), parameters.pop("Notifications", [])
    if "CostFilters" in parameters:
        parameters["CostFilters"] = {each["Name"]: each["Values"] for each in parameters["CostFilters"]}
    with suppress(client.exceptions.NotFoundException):
        client.delete_budget(AccountId=account, BudgetName=parameters["BudgetName"])
    subscribed = [
        {
            "Notification": each["Notification"],
            "Subscribers": [
                {"SubscriptionType": kind, "Address": address}
                for kind, key in (("EMAIL", "Emails"), ("SNS", "Topics"))
                for address in each.get(key, [])
            ],
        }
        for each in notifications
    ]
    client.create_budget(AccountId=account, Budget=parameters, NotificationsWithSubscribers=subscribed)
    return {}


def _read_budget(client: Any, id_: str) -> Properties:
    account, name = id_.split(":", 1)
    live = dict(client.describe_budget(AccountId=account, BudgetName=name)["Budget"])
    filters = [{"Name": key, "Values": values} for key, values in (live.get("CostFilters") or {}).items()]
    amount = dig(live, "BudgetLimit.Amount")
    return {
        **live,
        "AccountId": account,
        "CostFilters": filters or None,
        "BudgetLimit": {"Amount": f"{float(amount):g}" if amount else None, "Unit": dig(live, "BudgetLimit.Unit")},
    }


def _delete_budget(client: Any, id_: str, _: Properties) -> None:
    account, name = id_.split(":", 1)
    client.delete_budget(AccountId=account, BudgetName=name)


TYPES = (
    Resource(
        kind="aws:cloudwatch/logGroup:LogGroup",
        service="logs",
        create="create_log_group",
        id=lambda _, inputs: str(inputs["name"]),
        read=_read_log_group,
        delete=_delete_log_group,
        make=fields("name=logGroupName kmsKeyId=kmsKeyId logGroupClass:keep=logGroupClass"),
        more=fields("retentionInDays=retentionInDays"),
        local="skipDestroy",
        show=fields("arn=LogGroupArn"),
        put={"retentionInDays": _retain},
        name="name",
        defaults={"retentionInDays": 0, "skipDestroy": False, "logGroupClass": "STANDARD"},
        tags=tags.LOGS,
        refused="deletionProtectionEnabled namePrefix",
    ),
    Resource(
        kind="aws:cloudwatch/metricAlarm:MetricAlarm",
        service="cloudwatch",
        create=_put_alarm,
        id=lambda _, inputs: str(inputs["name"]),
        read=_read_alarm,
        delete=lambda client, name, _: client.delete_alarms(AlarmNames=[name]),
        make=fields(
            "name=AlarmName alarmDescription actionsEnabled alarmActions okActions=OKActions insufficientDataActions "
            "comparisonOperator evaluationPeriods datapointsToAlarm threshold metricName namespace period statistic "
            "extendedStatistic unit dimensions:names treatMissingData metricQueries[].id=Metrics[].Id "
            "metricQueries[].expression=Metrics[].Expression metricQueries[].label=Metrics[].Label "
            "metricQueries[].returnData=Metrics[].ReturnData metricQueries[].period=Metrics[].Period "
            f"metricQueries[].metric.namespace=Metrics[].{METRIC}.Metric.Namespace "
            f"metricQueries[].metric.metricName=Metrics[].{METRIC}.Metric.MetricName "
            f"metricQueries[].metric.dimensions:names=Metrics[].{METRIC}.Metric.Dimensions "
            f"metricQueries[].metric.period=Metrics[].{METRIC}.Period "
            f"metricQueries[].metric.stat=Metrics[].{METRIC}.Stat metricQueries[].metric.unit=Metrics[].{METRIC}.Unit"
        ),
        show=fields("arn=AlarmArn"),
        upsert=True,
        fixed="name",
        name="name",
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        tags=tags.CLOUDWATCH,
        refused="evaluateLowSampleCountPercentiles evaluationCriteria evaluationInterval evaluationWindow "
        "thresholdMetricId warmUpConfiguration",
    ),
    Resource(
        kind="aws:sns/topic:Topic",
        service="sns",
        create=_make_topic,
        id="TopicArn",
        read=_read_topic,
        delete=lambda client, arn, _: client.delete_topic(TopicArn=arn),
        make=fields("name displayName kmsMasterKeyId policy:json"),
        computed_inputs="policy",
        show=fields("owner"),
        computed=lambda _, arn, __: {"arn": arn},
        put={name: _set_topic(name) for name in TOPIC_ATTRIBUTES},
        name="name",
        tags=tags.SNS,
        refused="applicationFailureFeedbackRoleArn applicationSuccessFeedbackRoleArn "
        "applicationSuccessFeedbackSampleRate archivePolicy contentBasedDeduplication deliveryPolicy "
        "fifoThroughputScope fifoTopic firehoseFailureFeedbackRoleArn firehoseSuccessFeedbackRoleArn "
        "firehoseSuccessFeedbackSampleRate httpFailureFeedbackRoleArn httpSuccessFeedbackRoleArn "
        "httpSuccessFeedbackSampleRate lambdaFailureFeedbackRoleArn lambdaSuccessFeedbackRoleArn "
        "lambdaSuccessFeedbackSampleRate maximumMessageSize namePrefix signatureVersion "
        "sqsFailureFeedbackRoleArn sqsSuccessFeedbackRoleArn sqsSuccessFeedbackSampleRate tracingConfig",
    ),
    Resource(
        kind="aws:sns/topicPolicy:TopicPolicy",
        service="sns",
        create=_put_topic_policy,
        id=lambda _, inputs: str(inputs["arn"]),
        read=lambda client, arn: {"Arn": arn, **client.get_topic_attributes(TopicArn=arn)["Attributes"]},
        delete=_drop_topic_policy,
        make=fields("arn policy:json"),
        show=fields("owner"),
        upsert=True,
        fixed="arn",
    ),
    Resource(
        kind="aws:sns/topicSubscription:TopicSubscription",
        service="sns",
        create=_subscribe,
        id="SubscriptionArn",
        read=_read_subscription,
        delete=lambda client, arn, _: client.unsubscribe(SubscriptionArn=arn),
        make=fields("topic=TopicArn protocol endpoint"),
        more=fields("rawMessageDelivery filterPolicy:json"),
        show=fields("ownerId=Owner pendingConfirmation"),
        computed=lambda _, arn, __: {"arn": arn},
        put={"rawMessageDelivery filterPolicy": _set_subscription},
        defaults={"rawMessageDelivery": False},
        refused="confirmationTimeoutInMinutes deliveryPolicy endpointAutoConfirms filterPolicyScope redrivePolicy "
        "replayPolicy subscriptionRoleArn",
    ),
    Resource(
        kind="aws:budgets/budget:Budget",
        service="budgets",
        create=_put_budget,
        id=lambda _, inputs: f"{inputs['accountId']}:{inputs['name']}",
        read=_read_budget,
        delete=_delete_budget,
        make=fields(
            "accountId name=BudgetName budgetType timeUnit limitAmount=BudgetLimit.Amount limitUnit=BudgetLimit.Unit "
            "costFilters[].name=CostFilters[].Name costFilters[].values=CostFilters[].Values "
            "notifications[].notificationType:keep=Notifications[].Notification.NotificationType "
            "notifications[].comparisonOperator:keep=Notifications[].Notification.ComparisonOperator "
            "notifications[].threshold:keep=Notifications[].Notification.Threshold "
            "notifications[].thresholdType:keep=Notifications[].Notification.ThresholdType "
            "notifications[].subscriberEmailAddresses:keep=Notifications[].Emails "
            "notifications[].subscriberSnsTopicArns:keep=Notifications[].Topics"
        ),
        local="tags",
        computed=lambda _, id_, __: {"arn": f"arn:aws:budgets::{id_.replace(':', ':budget/', 1)}"},
        upsert=True,
        fixed="accountId name",
        name="name",
        account="accountId",
        refused="autoAdjustData billingViewArn costTypes filterExpression metrics namePrefix plannedLimits "
        "timePeriodEnd timePeriodStart",
    ),
)
