"""IAM: roles, their policies, and the identity provider of CI."""

from __future__ import annotations

from typing import Any

from local.aws.provider import tags
from local.aws.provider.fields import fields
from local.aws.provider.resource import Resource
from local.aws.provider.values import Properties


def _update_role(client: Any, name: str, inputs: Properties) -> None:
    seconds = inputs.get("maxSessionDuration", 3600)
    client.update_role(RoleName=name, Description=inputs.get("description", ""), MaxSessionDuration=seconds)


def _trust(client: Any, name: str, inputs: Properties) -> None:
    client.update_assume_role_policy(RoleName=name, PolicyDocument=inputs["assumeRolePolicy"])


def _bound(client: Any, name: str, inputs: Properties) -> None:
    if arn := inputs.get("permissionsBoundary"):
        client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    else:
        client.delete_role_permissions_boundary(RoleName=name)


def _delete_role(client: Any, name: str, state: Properties) -> None:
    if state.get("forceDetachPolicies"):
        for each in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=policy)
    client.delete_role(RoleName=name)


def _read_role(client: Any, name: str) -> Properties:
    live = client.get_role(RoleName=name)["Role"]
    boundary = (live.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return {**live, "PermissionsBoundary": boundary}


def _read_role_policy(client: Any, id_: str) -> Properties:
    role, name = id_.split(":", 1)
    return dict(client.get_role_policy(RoleName=role, PolicyName=name))


def _delete_role_policy(client: Any, id_: str, _: Properties) -> None:
    role, name = id_.split(":", 1)
    client.delete_role_policy(RoleName=role, PolicyName=name)


def _read_identity_provider(client: Any, arn: str) -> Properties:
    live = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {**live, "Url": f"https://{live['Url'].removeprefix('https://')}"}  # IAM keeps it without


def _set_thumbprints(client: Any, arn: str, inputs: Properties) -> None:
    client.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=arn, ThumbprintList=inputs.get("thumbprintLists", [])
    )


TYPES = (
    Resource(
        kind="aws:iam/role:Role",
        service="iam",
        create="create_role",
        id=lambda _, inputs: str(inputs["name"]),
        read=_read_role,
        delete=_delete_role,
        make=fields(
            "name=RoleName path description maxSessionDuration permissionsBoundary "
            "assumeRolePolicy:json=AssumeRolePolicyDocument"
        ),
        local="forceDetachPolicies",
        show=fields("arn uniqueId=RoleId createDate"),
        put={
            "description maxSessionDuration": _update_role,
            "assumeRolePolicy": _trust,
            "permissionsBoundary": _bound,
        },
        name="name",
        defaults={"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False},
        tags=tags.iam("role", "RoleName"),
        refused="inlinePolicies managedPolicyArns namePrefix",
    ),
    Resource(
        kind="aws:iam/rolePolicy:RolePolicy",
        service="iam",
        create="put_role_policy",
        id=lambda _, inputs: f"{inputs['role']}:{inputs['name']}",
        read=_read_role_policy,
        delete=_delete_role_policy,
        make=fields("name=PolicyName role=RoleName policy:json=PolicyDocument"),
        upsert=True,
        fixed="name role",
        name="name",
        refused="namePrefix",
    ),
    Resource(
        kind="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        service="iam",
        create="create_open_id_connect_provider",
        id="OpenIDConnectProviderArn",
        read=_read_identity_provider,
        delete=lambda client, arn, _: client.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn),
        make=fields("url clientIdLists=ClientIDList thumbprintLists=ThumbprintList"),
        computed=lambda _, arn, __: {"arn": arn},
        put={"thumbprintLists": _set_thumbprints},
        replace_first=True,  # an account has one provider of an address
        tags=tags.iam("open_id_connect_provider", "OpenIDConnectProviderArn"),
    ),
)
