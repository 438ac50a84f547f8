"""Policies that lie on resources: keys, buckets, the topic of alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.ground.documents.document import DATABRICKS_ROOT, Condition, Statement, allow, deny

if TYPE_CHECKING:
    from infra.layers.ground.environment import Environment

ACCESS_LOGS = "access/"  # beginning of the keys of access logs
ALARM_SENDERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")
USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


def of_databricks_account(databricks_account_id: str) -> Condition:
    """Databricks' principals that act for the one Databricks account."""
    return {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": databricks_account_id}}


def key_of_account(environment: Environment) -> list[Statement]:
    """The statement that each key policy has: the account's own IAM decides.

    AWS refuses a key policy without it, since nobody could change the key any more.
    """
    return [allow("Account", ("kms:*",), ["*"], principal={"AWS": environment.root_arn})]


def storage_key(environment: Environment, databricks_account_id: str) -> list[Statement]:
    """The key of buckets and of nodes' disks: Databricks reads and writes the workspace's own bucket by it.

    Source: Databricks, "Configure customer-managed keys for encryption", use case *storage*.
    """
    ours = of_databricks_account(databricks_account_id)
    grants: Condition = ours | {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        *key_of_account(environment),
        allow("Workspace", USE_KEY, ["*"], principal={"AWS": DATABRICKS_ROOT}, condition=ours),
        allow("WorkspaceGrants", ("kms:CreateGrant",), ["*"], principal={"AWS": DATABRICKS_ROOT}, condition=grants),
    ]


def managed_services_key(environment: Environment, databricks_account_id: str) -> list[Statement]:
    """The key of what Databricks keeps in its control plane: notebooks, secrets, queries.

    Source: Databricks, "Configure customer-managed keys for encryption", use case *managed services*.
    """
    ours = of_databricks_account(databricks_account_id)
    return [
        *key_of_account(environment),
        allow(
            "ControlPlane", ("kms:Decrypt", "kms:Encrypt"), ["*"], principal={"AWS": DATABRICKS_ROOT}, condition=ours
        ),
    ]


def watch_key(environment: Environment) -> list[Statement]:
    """The key of log groups and of the topic of alarms: their services encrypt by it.

    Source: AWS, "Encrypt log data in CloudWatch Logs using AWS KMS" and "Encrypting messages published to SNS".
    """
    logs = {"kms:EncryptionContext:aws:logs:arn": environment.arn("logs", f"log-group:{environment.prefix}-*")}
    from_here = {"StringEquals": {"aws:SourceAccount": environment.account_id}}
    return [
        *key_of_account(environment),
        allow(
            "Logs",
            USE_KEY,
            ["*"],
            principal={"Service": f"logs.{environment.region}.amazonaws.com"},
            condition={"ArnLike": logs},
        ),
        *(
            allow(
                sender.split(".")[0].capitalize(),
                ("kms:Decrypt", "kms:GenerateDataKey*"),
                ["*"],
                principal={"Service": sender},
                condition=from_here,
            )
            for sender in ALARM_SENDERS
        ),
    ]


def closed_bucket(name: str) -> list[Statement]:
    """The policy of every bucket: no request without TLS 1.2."""
    arns = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return [
        deny("NoPlainText", ("s3:*",), arns, principal="*", condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny("NoOldTls", ("s3:*",), arns, principal="*", condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]


def workspace_bucket(name: str, databricks_account_id: str) -> list[Statement]:
    """The policy of the workspace's own bucket, which Databricks' control plane reads and writes.

    Source: Databricks, "Create an S3 bucket for workspace deployment".
    """
    return [
        *closed_bucket(name),
        allow(
            "Workspace",
            (
                "s3:DeleteObject",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:ListBucket",
                "s3:PutObject",
            ),
            [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            principal={"AWS": DATABRICKS_ROOT},
            condition=of_databricks_account(databricks_account_id),
        ),
    ]


def logs_bucket(environment: Environment, name: str) -> list[Statement]:
    """The policy of the bucket of logs, where S3 writes who reads and writes the stack's other buckets.

    Source: AWS, "Enabling Amazon S3 server access logging".
    """
    return [
        *closed_bucket(name),
        allow(
            "AccessLogs",
            ("s3:PutObject",),
            [f"arn:aws:s3:::{name}/{ACCESS_LOGS}*"],
            principal={"Service": "logging.s3.amazonaws.com"},
            condition={
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{environment.prefix}-*"},
                "StringEquals": {"aws:SourceAccount": environment.account_id},
            },
        ),
    ]


def alarm_topic(environment: Environment, topic_arn: str) -> list[Statement]:
    """The policy of the topic of alarms: CloudWatch and Budgets of this account publish."""
    from_here = {"StringEquals": {"aws:SourceAccount": environment.account_id}}
    return [
        allow(
            sender.split(".")[0].capitalize(),
            ("sns:Publish",),
            [topic_arn],
            principal={"Service": sender},
            condition=from_here,
        )
        for sender in ALARM_SENDERS
    ]
