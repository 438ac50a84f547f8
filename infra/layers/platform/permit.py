"""Makes the permissions that `infra.access.permissions` has for objects of the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ARGUMENTS, ObjectKind, permissions_on
from infra.access.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCOPES = (ObjectKind.SECRET_SCOPE, ObjectKind.MASKS_SCOPE, ObjectKind.ERASURE_SCOPE)


@dataclass(frozen=True)
class Principals:
    """Principals of a stack by role.

    Attributes:
        by_role: Group of each role; of service principals the application id.
        production: Whether the stack is production, where people change less.
    """

    by_role: Mapping[Role, pulumi.Input[str]]
    production: bool

    def __getitem__(self, role: Role) -> pulumi.Input[str]:
        """The principal of a role."""
        return self.by_role[role]


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
        principals: Principal of each role.
        after: The object, where its id is known before it exists.
    """
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[*after])
    levels = permissions_on(kind, production=principals.production)
    if kind in SCOPES:
        for role, level in levels.items():
            databricks.SecretAcl(
                f"{name}-{role}", scope=object_id, principal=principals[role], permission=level, opts=opts
            )
        return
    argument: dict[str, Any] = {ARGUMENTS.get(kind, kind.value): object_id}
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
