"""S3 buckets and their settings, which are resources of their own."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import GoneError, Resource
from local.aws.provider.values import Properties

BUCKET_REGION = "us-east-1"  # the one that `create_bucket` takes for granted
BLOCK = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
RULE = "LifecycleConfiguration.Rules[]"


def _make_bucket(client: Any, parameters: Properties) -> Properties:
    region = client.meta.region_name
    where = {} if region == BUCKET_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    answer: Properties = client.create_bucket(**parameters, **where)
    return answer


def _delete_bucket(client: Any, bucket: str, state: Properties) -> None:
    if state.get("forceDestroy"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=bucket)


def _bucket_outputs(_: Properties, bucket: str, region: str) -> Properties:
    return {
        "arn": f"arn:aws:s3:::{bucket}",
        "bucketDomainName": f"{bucket}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{bucket}.s3.{region}.amazonaws.com",
    }


def _read_versioning(client: Any, bucket: str) -> Properties:
    answer = client.get_bucket_versioning(Bucket=bucket)
    if "Status" not in answer:
        raise GoneError
    return {"Bucket": bucket, "VersioningConfiguration": {"Status": answer["Status"]}}


def _suspend(client: Any, bucket: str, _: Properties) -> None:
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def _put_ownership(client: Any, parameters: Properties) -> Properties:
    rules = {"Rules": [{"ObjectOwnership": parameters["ObjectOwnership"]}]}
    client.put_bucket_ownership_controls(Bucket=parameters["Bucket"], OwnershipControls=rules)
    return {}


def _read_ownership(client: Any, bucket: str) -> Properties:
    rules = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    return {"Bucket": bucket, **rules[0]}


def _read_lifecycle(client: Any, bucket: str) -> Properties:
    answer = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    return {"Bucket": bucket, "LifecycleConfiguration": {"Rules": answer["Rules"]}}


def _put_logging(client: Any, parameters: Properties) -> Properties:
    target = {name: value for name, value in parameters.items() if name != "Bucket"}
    client.put_bucket_logging(Bucket=parameters["Bucket"], BucketLoggingStatus={"LoggingEnabled": target})
    return {}


def _read_logging(client: Any, bucket: str) -> Properties:
    answer = client.get_bucket_logging(Bucket=bucket)
    if "LoggingEnabled" not in answer:
        raise GoneError
    return {"Bucket": bucket, **answer["LoggingEnabled"]}


def _setting(kind: str, noun: str, inputs: str, refused: str = "", **said: Any) -> Resource:
    """A setting of a bucket: one call puts it, whatever it was, one reads it and one removes it.

    Args:
        kind: Its class, `BucketPolicy`.
        noun: What boto3 calls it in `put_…`, `get_…` and `delete_…`.
        inputs: Its fields but for the bucket.
        refused: Inputs that are not taken.
        said: What differs from the rest, as fields of `Resource`.
    """
    read = lambda client, bucket: {"Bucket": bucket, **getattr(client, f"get_{noun}")(Bucket=bucket)}  # noqa: E731 (one line a reader)
    given: Properties = {
        "create": f"put_{noun}",
        "read": read,
        "delete": lambda client, bucket, _: getattr(client, f"delete_{noun}")(Bucket=bucket),
        **said,
    }
    return Resource(
        kind=f"aws:s3/{kind[0].lower() + kind[1:]}:{kind}",
        service="s3",
        id=lambda _, properties: str(properties["bucket"]),
        make=fields(f"bucket {inputs}"),
        upsert=True,
        fixed="bucket",
        refused=refused,
        **given,
    )


ENCRYPTION = "ServerSideEncryptionConfiguration.Rules[]"

TYPES = (
    Resource(
        kind="aws:s3/bucket:Bucket",
        service="s3",
        create=_make_bucket,
        id=lambda _, inputs: str(inputs["bucket"]),
        read=lambda client, bucket: {"Bucket": bucket, **client.head_bucket(Bucket=bucket)},
        delete=_delete_bucket,
        make=fields("bucket"),
        local="forceDestroy",
        computed=_bucket_outputs,
        name="bucket",
        defaults={"forceDestroy": False},
        tags=tags.S3,
        refused="accelerationStatus acl bucketNamespace bucketPrefix corsRules grants lifecycleRules logging "
        "objectLockConfiguration objectLockEnabled policy replicationConfiguration requestPayer "
        "serverSideEncryptionConfiguration versioning website",
    ),
    _setting(
        "BucketVersioning",
        "bucket_versioning",
        "versioningConfiguration.status",
        "expectedBucketOwner mfa",
        read=_read_versioning,
        delete=_suspend,
    ),
    _setting(
        "BucketServerSideEncryptionConfiguration",
        "bucket_encryption",
        f"rules[].bucketKeyEnabled={ENCRYPTION}.BucketKeyEnabled "
        f"rules[].applyServerSideEncryptionByDefault.sseAlgorithm={ENCRYPTION}.ApplyServerSideEncryptionByDefault"
        ".SSEAlgorithm "
        f"rules[].applyServerSideEncryptionByDefault.kmsMasterKeyId={ENCRYPTION}.ApplyServerSideEncryptionByDefault"
        ".KMSMasterKeyID",
        "expectedBucketOwner",
    ),
    _setting(
        "BucketPublicAccessBlock",
        "public_access_block",
        " ".join(f"{name}=PublicAccessBlockConfiguration.{name[0].upper()}{name[1:]}" for name in BLOCK),
        "skipDestroy",
        defaults=dict.fromkeys(BLOCK, False),
    ),
    _setting(
        "BucketOwnershipControls",
        "bucket_ownership_controls",
        "rule.objectOwnership=ObjectOwnership",
        create=_put_ownership,
        read=_read_ownership,
    ),
    _setting(
        "BucketLifecycleConfiguration",
        "bucket_lifecycle_configuration",
        f"rules[].id={RULE}.ID rules[].status={RULE}.Status rules[].filter:block={RULE}.Filter "
        f"rules[].filter.prefix={RULE}.Filter.Prefix "
        f"rules[].filter.tag.key={RULE}.Filter.Tag.Key rules[].filter.tag.value={RULE}.Filter.Tag.Value "
        f"rules[].expiration.days={RULE}.Expiration.Days "
        f"rules[].expiration.expiredObjectDeleteMarker={RULE}.Expiration.ExpiredObjectDeleteMarker "
        f"rules[].transitions[].days={RULE}.Transitions[].Days "
        f"rules[].transitions[].storageClass={RULE}.Transitions[].StorageClass "
        f"rules[].noncurrentVersionExpiration.noncurrentDays={RULE}.NoncurrentVersionExpiration.NoncurrentDays "
        "rules[].noncurrentVersionExpiration.newerNoncurrentVersions:keep="
        f"{RULE}.NoncurrentVersionExpiration.NewerNoncurrentVersions "
        "rules[].noncurrentVersionTransitions[].noncurrentDays="
        f"{RULE}.NoncurrentVersionTransitions[].NoncurrentDays "
        "rules[].noncurrentVersionTransitions[].storageClass="
        f"{RULE}.NoncurrentVersionTransitions[].StorageClass "
        "rules[].abortIncompleteMultipartUpload.daysAfterInitiation="
        f"{RULE}.AbortIncompleteMultipartUpload.DaysAfterInitiation",
        "expectedBucketOwner timeouts transitionDefaultMinimumObjectSize",
        read=_read_lifecycle,
        delete=lambda client, bucket, _: client.delete_bucket_lifecycle(Bucket=bucket),
    ),
    _setting("BucketPolicy", "bucket_policy", "policy:json"),
    _setting(
        "BucketLogging",
        "bucket_logging",
        "targetBucket targetPrefix",
        "expectedBucketOwner targetGrants targetObjectKeyFormat",
        create=_put_logging,
        read=_read_logging,
        delete=lambda client, bucket, _: client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
    ),
)
