"""Makes the permissions that `infra.access.permissions` has for objects of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import PERMISSIONS, ObjectKind
from infra.access.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Principals = Mapping[Role, pulumi.Input[str]]


def permit(
    parent: pulumi.Resource,
    name: str,
    kind: ObjectKind,
    object_id: pulumi.Input[str],
    principals: Principals,
    after: Sequence[pulumi.Resource] = (),
) -> None:
    """Gives each role its permission on one object, and takes every other one away.

    Args:
        parent: The component that owns the object.
        name: Logical name of the object.
        kind: What it is.
        object_id: Its id, or what `databricks.Permissions` takes for it.
        principals: Group of each role; of service principals the application id.
        after: The object, where its id is known before it exists.
    """
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[*after])
    levels = PERMISSIONS[kind]
    if kind is ObjectKind.SECRET_SCOPE:
        for role, level in levels.items():
            databricks.SecretAcl(
                f"{name}-{role}", scope=object_id, principal=principals[role], permission=level, opts=opts
            )
        return
    argument: dict[str, Any] = {kind.value: object_id}
    databricks.Permissions(
        f"{name}-permissions",
        **argument,
        access_controls=[_access_control(role, principals[role], level) for role, level in levels.items()],
        opts=opts,
    )


def _access_control(
    role: Role, principal: pulumi.Input[str], level: str
) -> databricks.PermissionsAccessControlArgsDict:
    """Writes one access control: runner and server are service principals, every other role is a group."""
    if role in (Role.RUNNER, Role.SERVER):
        return {"service_principal_name": principal, "permission_level": level}
    return {"group_name": principal, "permission_level": level}
