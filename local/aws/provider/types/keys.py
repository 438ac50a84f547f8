"""KMS keys and their aliases."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import GoneError, Resource
from local.aws.provider.values import Properties

DELETION_DAYS = 30  # what KMS takes where nothing is said


def _read_key(client: Any, id_: str) -> Properties:
    live = client.describe_key(KeyId=id_)["KeyMetadata"]
    if live["KeyState"] == "PendingDeletion":
        raise GoneError
    rotates = client.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"]
    policy = client.get_key_policy(KeyId=id_, PolicyName="default")["Policy"]
    return {**live, "EnableKeyRotation": rotates, "Policy": policy}


def _rotate(client: Any, id_: str, inputs: Properties) -> None:
    if not inputs.get("enableKeyRotation"):
        client.disable_key_rotation(KeyId=id_)
        return
    days = inputs.get("rotationPeriodInDays")
    client.enable_key_rotation(KeyId=id_, **({"RotationPeriodInDays": days} if days else {}))


def _set_policy(client: Any, id_: str, inputs: Properties) -> None:
    if inputs.get("policy"):  # without one, the key keeps what it has, as with the published provider
        client.put_key_policy(KeyId=id_, PolicyName="default", Policy=inputs["policy"])


def _enable(client: Any, id_: str, inputs: Properties) -> None:
    (client.enable_key if inputs.get("isEnabled", True) else client.disable_key)(KeyId=id_)


def _describe(client: Any, id_: str, inputs: Properties) -> None:
    client.update_key_description(KeyId=id_, Description=inputs.get("description", ""))


def _delete_key(client: Any, id_: str, state: Properties) -> None:
    client.schedule_key_deletion(KeyId=id_, PendingWindowInDays=state.get("deletionWindowInDays") or DELETION_DAYS)


def _read_alias(client: Any, name: str) -> Properties:
    for page in client.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == name:
                return dict(alias)
    raise GoneError


def _set_alias(client: Any, name: str, inputs: Properties) -> None:
    client.update_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])


TYPES = (
    Resource(
        kind="aws:kms/key:Key",
        service="kms",
        create="create_key",
        id="KeyMetadata.KeyId",
        read=_read_key,
        delete=_delete_key,
        make=fields("description keyUsage customerMasterKeySpec=KeySpec multiRegion policy:json"),
        more=fields("enableKeyRotation isEnabled=Enabled rotationPeriodInDays:keep"),
        local="deletionWindowInDays bypassPolicyLockoutSafetyCheck",
        show=fields("arn keyId"),
        put={
            "description": _describe,
            "policy": _set_policy,
            "enableKeyRotation rotationPeriodInDays": _rotate,
            "isEnabled": _enable,
        },
        defaults={
            "keyUsage": "ENCRYPT_DECRYPT",
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "enableKeyRotation": False,
            "isEnabled": True,
            "multiRegion": False,
        },
        computed_inputs="policy",
        tags=tags.KMS,
        refused="customKeyStoreId xksKeyId",
    ),
    Resource(
        kind="aws:kms/alias:Alias",
        service="kms",
        create="create_alias",
        id=lambda _, inputs: str(inputs["name"]),
        read=_read_alias,
        delete=lambda client, name, _: client.delete_alias(AliasName=name),
        make=fields("name=AliasName targetKeyId"),
        show=fields("arn=AliasArn"),
        computed=lambda live, _, __: {
            "targetKeyArn": f"{live['AliasArn'].partition(':alias/')[0]}:key/{live['TargetKeyId']}"
        },
        put={"targetKeyId": _set_alias},
        refused="namePrefix",
    ),
)
