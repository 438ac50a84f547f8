"""Keys, buckets, roles, secrets and what watches them, as `infra` makes them."""

import json

import pulumi
import pulumi_aws as aws
from local_provider import opts, provider

policy = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)
key = aws.kms.Key(
    "storage",
    description="Storage",
    enable_key_rotation=True,
    deletion_window_in_days=7,
    policy=policy,
    tags={"Name": "storage"},
    opts=opts,
)
alias = aws.kms.Alias("storage", name="alias/storage", target_key_id=key.key_id, opts=opts)

bucket = aws.s3.Bucket("raw", bucket="churn-test-raw", force_destroy=True, opts=opts)
aws.s3.BucketOwnershipControls("raw", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts)
block = aws.s3.BucketPublicAccessBlock(
    "raw",
    bucket=bucket.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=opts,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "raw",
    bucket=bucket.bucket,
    rules=[
        {
            "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
            "bucket_key_enabled": True,
        }
    ],
    opts=opts,
)
logs = aws.s3.Bucket("logs", bucket="churn-test-logs", force_destroy=True, opts=opts)
logs_policy = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteBucket"], "Resource": ["arn:aws:s3:::other"]},
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": ["s3:PutObject"],
            "Resource": ["arn:aws:s3:::churn-test-logs/access/*"],
        },
    ],
}
delivers = aws.s3.BucketPolicy("logs", bucket=logs.bucket, policy=json.dumps(logs_policy), opts=opts)
aws.s3.BucketLogging(
    "raw",
    bucket=bucket.bucket,
    target_bucket=logs.bucket,
    target_prefix="access/raw/",
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[delivers]),
)
versioning = aws.s3.BucketVersioning(
    "raw", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=opts
)
aws.s3.BucketLifecycleConfiguration(
    "raw",
    bucket=bucket.bucket,
    rules=[
        {
            "id": "uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        },
        {
            "id": "old",
            "status": "Enabled",
            "filter": {},
            "noncurrent_version_expiration": {"noncurrent_days": 30, "newer_noncurrent_versions": 3},
        },
        {"id": "age", "status": "Enabled", "filter": {"prefix": "logs/"}, "expiration": {"days": 400}},
    ],
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[versioning]),
)
tls = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "tls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::churn-test-raw", "arn:aws:s3:::churn-test-raw/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}
aws.s3.BucketPolicy(
    "raw",
    bucket=bucket.bucket,
    policy=json.dumps(tls),
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[block]),
)
trust = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::414351767826:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "1234"}},
        }
    ],
}
role = aws.iam.Role(
    "storage", name="churn-test-storage", description="Storage", assume_role_policy=json.dumps(trust), opts=opts
)
rights = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::churn-test-raw/*"}],
}
aws.iam.RolePolicy(
    "storage",
    name="churn-test-storage",
    role=role.name,
    policy=bucket.arn.apply(lambda _: json.dumps(rights)),
    opts=opts,
)
aws.iam.OpenIdConnectProvider(
    "github",
    url="https://token.actions.githubusercontent.com",
    client_id_lists=["sts.amazonaws.com"],
    opts=opts,
)

group = aws.cloudwatch.LogGroup(
    "brokers", name="churn-test-brokers", kms_key_id=key.arn, retention_in_days=90, opts=opts
)
topic = aws.sns.Topic("alarms", name="churn-test-alarms", kms_master_key_id=key.arn, opts=opts)
aws.sns.TopicPolicy(
    "alarms",
    arn=topic.arn,
    policy=topic.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "budgets.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": arn,
                    }
                ],
            }
        )
    ),
    opts=opts,
)
aws.sns.TopicSubscription("alarms", topic=topic.arn, protocol="email", endpoint="team@example.com", opts=opts)
aws.cloudwatch.MetricAlarm(
    "controller",
    name="churn-test-controller",
    alarm_description="No broker leads the cluster",
    namespace="AWS/Kafka",
    metric_name="ActiveControllerCount",
    dimensions={"Cluster Name": "churn", "Broker ID": "1"},
    statistic="Maximum",
    comparison_operator="LessThanThreshold",
    threshold=1,
    period=300,
    evaluation_periods=3,
    treat_missing_data="breaching",
    alarm_actions=[topic.arn],
    ok_actions=[topic.arn],
    opts=opts,
)
aws.budgets.Budget(
    "monthly",
    name="churn-test-monthly",
    budget_type="COST",
    time_unit="MONTHLY",
    limit_amount="500",
    limit_unit="USD",
    cost_filters=[{"name": "TagKeyValue", "values": ["user:stack$test"]}],
    notifications=[
        {
            "comparison_operator": "GREATER_THAN",
            "notification_type": kind,
            "threshold": percent,
            "threshold_type": "PERCENTAGE",
            "subscriber_sns_topic_arns": [topic.arn],
        }
        for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
    ],
    opts=opts,
)
pulumi.export("bucket", bucket.bucket)
pulumi.export("key", key.arn)
