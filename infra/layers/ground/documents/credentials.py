"""Rights of the roles behind Unity Catalog's credentials: storage, and Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.ground.documents.document import Statement, allow
from infra.layers.ground.documents.trust import ASSUME
from infra.names import DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.layers.ground.environment import Environment

# Databricks' names of the queues and topics that managed file events make ("Set up file events").
FILE_EVENTS_PREFIX = "csms-"

OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
BUCKETS = (
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutBucketNotification",
)
FILE_EVENTS = (
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:Unsubscribe",
    "sqs:ChangeMessageVisibility",
    "sqs:CreateQueue",
    "sqs:DeleteMessage",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:PurgeQueue",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
)


def storage(environment: Environment, role: str, buckets: Iterable[str], key_arns: Iterable[str]) -> list[Statement]:
    """Reading and writing the stack's buckets, and file events on them.

    Source: Databricks, "Create a storage credential for connecting to AWS S3".

    Args:
        environment: Where the buckets are.
        role: Name of the role, which must be able to assume itself.
        buckets: Names of the buckets.
        key_arns: ARNs of the KMS keys that encrypt them.
    """
    bucket_arns = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    queues = [environment.arn(service, f"{FILE_EVENTS_PREFIX}*") for service in ("sns", "sqs")]
    return [
        allow("Objects", OBJECTS, [f"{arn}/*" for arn in bucket_arns]),
        allow("Buckets", BUCKETS, bucket_arns),
        allow("Key", ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"), key_arns),
        allow("Itself", ASSUME, [environment.role_arn(role)]),
        allow("FileEvents", FILE_EVENTS, queues),
        # These two list the whole region: AWS knows no narrower resource.
        allow("FileEventsLists", ("sns:ListTopics", "sqs:ListQueues"), ["*"]),
    ]


def kafka_client(environment: Environment, role: str, cluster_arn: str, topics: Iterable[str]) -> list[Statement]:
    """Reading the stack's topics, and writing those of dead letters; Spark makes up the names of its consumer groups.

    Spark's producer is idempotent unless it is told otherwise, which AWS allows for a whole cluster alone.

    Source: AWS, "Common use cases for client authorization policy" of MSK's IAM access control.

    Args:
        environment: Where the cluster is.
        role: Name of the role, which must be able to assume itself.
        cluster_arn: ARN of the cluster.
        topics: Names of the topics.
    """
    arns = {topic: f"{cluster_arn.replace(':cluster/', ':topic/')}/{topic}" for topic in topics}
    read = [arn for topic, arn in arns.items() if not topic.endswith(DEAD_LETTERS)]
    written = [arn for topic, arn in arns.items() if topic.endswith(DEAD_LETTERS)]
    return [
        allow("Connect", ("kafka-cluster:Connect",), [cluster_arn]),
        *([allow("Read", ("kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"), read)] if read else []),
        *(_write_dead_letters(cluster_arn, written) if written else []),
        allow(
            "Groups",
            ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"),
            [f"{cluster_arn.replace(':cluster/', ':group/')}/spark-kafka-*"],
        ),
        allow("Itself", ASSUME, [environment.role_arn(role)]),
    ]


def _write_dead_letters(cluster_arn: str, topic_arns: Iterable[str]) -> list[Statement]:
    """Writing the topics of messages that a pipeline cannot use."""
    return [
        allow("DeadLetters", ("kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"), topic_arns),
        allow("Idempotence", ("kafka-cluster:WriteDataIdempotently",), [cluster_arn]),
    ]
