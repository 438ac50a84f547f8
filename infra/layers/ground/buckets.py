"""S3 buckets, and for each what AWS keeps as resources of their own: how it encrypts, who may see it, what expires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.documents.document import document
from infra.layers.ground.documents.resources import ACCESS_LOGS, closed_bucket, logs_bucket, workspace_bucket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.ground.environment import Environment

ABORT_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class Purpose:
    """What a bucket is for.

    Attributes:
        meaning: What lies in it.
        old_version_days: Days for which an overwritten or deleted object can be brought back.
        expire_days: Days after which objects are deleted; None keeps them.
    """

    meaning: str
    old_version_days: int
    expire_days: int | None = None


# Delta keeps its own history, so old versions of its files need not stay long.
BUCKETS = {
    "catalog": Purpose("Managed tables and volumes of the catalog", old_version_days=7),
    "raw": Purpose("Deliveries as they come, a folder for each domain", old_version_days=30),
    "checkpoints": Purpose("Progress of streams", old_version_days=7),
    "workspace": Purpose("The workspace's own files", old_version_days=7),
    "logs": Purpose("Who reads and writes the other buckets", old_version_days=30, expire_days=400),
}
# What the role of the storage credential reads and writes; the others belong to the workspace and the account.
CREDENTIAL_BUCKETS = ("catalog", "checkpoints", "raw")


@dataclass(frozen=True)
class BucketsArgs:
    """Arguments of `Buckets`.

    Attributes:
        environment: Where the buckets are.
        databricks_account_id: The Databricks account whose control plane uses the bucket `workspace`.
        key_arn: ARN of the key that encrypts them.
        protect: Whether to refuse to destroy them; if not, destroying takes along what lies in them.
        adopted: Names of buckets that exist, by purpose; these are not made, and nothing about them is changed.
    """

    environment: Environment
    databricks_account_id: str
    key_arn: pulumi.Input[str]
    protect: bool
    adopted: Mapping[str, str] = field(default_factory=dict)


class Buckets(pulumi.ComponentResource):
    """Owns a bucket for each purpose that has no adopted one, with all that hangs on it.

    Access is by policies alone: there are no access control lists.
    """

    names: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: BucketsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:ground:Buckets", name, None, opts)
        self._args = args
        self.names = {purpose: pulumi.Output.from_input(bucket) for purpose, bucket in args.adopted.items()}
        for purpose in ("logs", *(purpose for purpose in BUCKETS if purpose != "logs")):  # the others log to it
            if purpose not in args.adopted:
                self.names[purpose] = self._make(purpose)
        self.register_outputs({"names": self.names})

    def _make(self, purpose: str) -> pulumi.Output[str]:
        """The name of one new bucket, which has all its companions."""
        name = self._args.environment.bucket(purpose)
        bucket = aws.s3.Bucket(
            purpose,
            bucket=name,
            force_destroy=not self._args.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.protect),
        )
        policy = self._close(purpose, name, bucket)
        self._encrypt(purpose, bucket)
        child = pulumi.ResourceOptions(parent=self)
        versioning = aws.s3.BucketVersioning(
            f"{purpose}-versioning",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{purpose}-lifecycle",
            bucket=bucket.bucket,
            rules=lifecycle_rules(BUCKETS[purpose]),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        if purpose != "logs":
            aws.s3.BucketLogging(
                f"{purpose}-logging",
                bucket=bucket.bucket,
                target_bucket=self.names["logs"],
                target_prefix=f"{ACCESS_LOGS}{purpose}/",
                opts=child,
            )
        return policy.bucket  # whoever is given the name waits for the policy

    def _close(self, purpose: str, name: str, bucket: aws.s3.Bucket) -> aws.s3.BucketPolicy:
        """Lets in only whom policies name, and nobody without TLS."""
        child = pulumi.ResourceOptions(parent=self)
        aws.s3.BucketOwnershipControls(
            f"{purpose}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child,
        )
        block = aws.s3.BucketPublicAccessBlock(
            f"{purpose}-public-access",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        own = closed_bucket(name)
        if purpose == "workspace":
            own = workspace_bucket(name, self._args.databricks_account_id)
        elif purpose == "logs":
            own = logs_bucket(self._args.environment, name)
        return aws.s3.BucketPolicy(
            f"{purpose}-policy",
            bucket=bucket.bucket,
            policy=document(own),
            # S3 refuses two changes of a bucket's access at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )

    def _encrypt(self, purpose: str, bucket: aws.s3.Bucket) -> None:
        """Encrypts by the own key whatever is written; logs by a key of S3, which delivers to no other bucket."""
        by_default: aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgsDict = {
            "sse_algorithm": "aws:kms",
            "kms_master_key_id": self._args.key_arn,
        }
        if purpose == "logs":
            by_default = {"sse_algorithm": "AES256"}
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{purpose}-encryption",
            bucket=bucket.bucket,
            # A bucket's own data key saves most calls to KMS.
            rules=[{"apply_server_side_encryption_by_default": by_default, "bucket_key_enabled": purpose != "logs"}],
            opts=pulumi.ResourceOptions(parent=self),
        )


def lifecycle_rules(purpose: Purpose) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    """What S3 deletes by itself: unfinished uploads, old versions, and objects past their time."""
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "unfinished-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_UPLOAD_DAYS},
        },
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": purpose.old_version_days},
        },
    ]
    if purpose.expire_days is not None:
        rules.append(
            {
                "id": "past-their-time",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": purpose.expire_days},
            }
        )
    return rules
