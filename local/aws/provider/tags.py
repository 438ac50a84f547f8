"""Tags: how each service of AWS tells, sets and removes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.provider.values import Properties

TagMap = dict[str, str]


@dataclass(frozen=True)
class Tags:
    """The tags of one kind of resource; each function takes a boto3 client and the resource's id.

    Attributes:
        read: Takes the client, the id and what was read of the resource; returns the tags.
        add: Sets the given tags and leaves others alone.
        remove: Removes the tags with the given keys.
        born: Takes the resource's class and tags; returns the parameters by which the call that makes it sets them, so
            that nothing is ever without its tags. None where that call takes no tags.
    """

    read: Callable[[Any, str, Properties], TagMap]
    add: Callable[[Any, str, TagMap], object]
    remove: Callable[[Any, str, list[str]], object]
    born: Callable[[str, TagMap], Properties] | None = None


def pairs(tags: TagMap, key: str = "Key", value: str = "Value") -> list[TagMap]:
    """Tags as most services take them."""
    return [{key: name, value: text} for name, text in tags.items()]


def plain(found: list[TagMap] | None, key: str = "Key", value: str = "Value") -> TagMap:
    """Tags as most services give them, as a dictionary."""
    return {tag[key]: tag[value] for tag in found or []}


def iam(noun: str, parameter: str) -> Tags:
    """Tags of an IAM role, policy or identity provider, whose calls are named for it."""
    return Tags(
        lambda client, id_, _: plain(getattr(client, f"list_{noun}_tags")(**{parameter: id_})["Tags"]),
        lambda client, id_, tags: getattr(client, f"tag_{noun}")(**{parameter: id_}, Tags=pairs(tags)),
        lambda client, id_, keys: getattr(client, f"untag_{noun}")(**{parameter: id_}, TagKeys=keys),
        lambda _, tags: {"Tags": pairs(tags)},
    )


def _bucket_tags(client: Any, bucket: str) -> TagMap:
    try:
        return plain(client.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


def _put_bucket_tags(client: Any, bucket: str, tags: TagMap) -> None:
    if tags:
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs(tags)})
    else:
        client.delete_bucket_tagging(Bucket=bucket)


# What EC2 calls each class where an object gets its tags with its making.
EC2_CLASSES = {
    "Eip": "elastic-ip",
    "InternetGateway": "internet-gateway",
    "NatGateway": "natgateway",
    "RouteTable": "route-table",
    "SecurityGroup": "security-group",
    "SecurityGroupEgressRule": "security-group-rule",
    "SecurityGroupIngressRule": "security-group-rule",
    "Subnet": "subnet",
    "Vpc": "vpc",
    "VpcEndpoint": "vpc-endpoint",
    "VpcEndpointService": "vpc-endpoint-service",
}

EC2 = Tags(
    lambda _, __, live: plain(live.get("Tags")),
    lambda client, id_, tags: client.create_tags(Resources=[id_], Tags=pairs(tags)),
    lambda client, id_, keys: client.delete_tags(Resources=[id_], Tags=[{"Key": key} for key in keys]),
    lambda name, tags: {"TagSpecifications": [{"ResourceType": EC2_CLASSES[name], "Tags": pairs(tags)}]},
)
S3 = Tags(
    lambda client, bucket, _: _bucket_tags(client, bucket),
    lambda client, bucket, tags: _put_bucket_tags(client, bucket, _bucket_tags(client, bucket) | tags),
    lambda client, bucket, keys: _put_bucket_tags(
        client, bucket, {key: value for key, value in _bucket_tags(client, bucket).items() if key not in keys}
    ),
)
KMS = Tags(
    lambda client, id_, _: plain(client.list_resource_tags(KeyId=id_)["Tags"], "TagKey", "TagValue"),
    lambda client, id_, tags: client.tag_resource(KeyId=id_, Tags=pairs(tags, "TagKey", "TagValue")),
    lambda client, id_, keys: client.untag_resource(KeyId=id_, TagKeys=keys),
    lambda _, tags: {"Tags": pairs(tags, "TagKey", "TagValue")},
)
KAFKA = Tags(
    lambda client, arn, _: client.list_tags_for_resource(ResourceArn=arn)["Tags"],
    lambda client, arn, tags: client.tag_resource(ResourceArn=arn, Tags=tags),
    lambda client, arn, keys: client.untag_resource(ResourceArn=arn, TagKeys=keys),
    lambda _, tags: {"Tags": tags},
)
LOGS = Tags(
    lambda client, _, live: client.list_tags_for_resource(resourceArn=live["LogGroupArn"])["tags"],
    lambda client, name, tags: client.tag_resource(resourceArn=_log_group_arn(client, name), tags=tags),
    lambda client, name, keys: client.untag_resource(resourceArn=_log_group_arn(client, name), tagKeys=keys),
    lambda _, tags: {"tags": tags},
)
CLOUDWATCH = Tags(
    lambda client, _, live: plain(client.list_tags_for_resource(ResourceARN=live["AlarmArn"])["Tags"]),
    lambda client, name, tags: client.tag_resource(ResourceARN=_alarm_arn(client, name), Tags=pairs(tags)),
    lambda client, name, keys: client.untag_resource(ResourceARN=_alarm_arn(client, name), TagKeys=keys),
)
SNS = Tags(
    lambda client, arn, _: plain(client.list_tags_for_resource(ResourceArn=arn)["Tags"]),
    lambda client, arn, tags: client.tag_resource(ResourceArn=arn, Tags=pairs(tags)),
    lambda client, arn, keys: client.untag_resource(ResourceArn=arn, TagKeys=keys),
    lambda _, tags: {"Tags": pairs(tags)},
)

ELB = Tags(
    lambda client, arn, _: plain(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]),
    lambda client, arn, tags: client.add_tags(ResourceArns=[arn], Tags=pairs(tags)),
    lambda client, arn, keys: client.remove_tags(ResourceArns=[arn], TagKeys=keys),
    lambda _, tags: {"Tags": pairs(tags)},
)


def _log_group_arn(client: Any, name: str) -> str:
    groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next(str(group["arn"]).removesuffix(":*") for group in groups if group["logGroupName"] == name)


def _alarm_arn(client: Any, name: str) -> str:
    return str(client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"])
