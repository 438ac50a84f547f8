"""Identities of the workspace: the stack's service principals, and the groups that may enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.roles import Role
from infra.layers.platform.permit import Principals
from infra.once.seen_principal import SeenPrincipal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.once.seen_principal import Kind

# Roles on a service principal: to change it, and to let jobs and pipelines run as it.
MANAGING_ROLES = ("roles/servicePrincipal.manager", "roles/servicePrincipal.user")


@dataclass(frozen=True)
class IdentitiesArgs:
    """Inputs of `Identities`.

    Attributes:
        host: URL of the workspace.
        account_id: The account that the workspace belongs to.
        groups: Display names of the account's groups that may enter the workspace.
        names: Name of each role's principal; those of runner and server become display names of service principals.
        production: Whether the stack is production.
    """

    host: str
    account_id: str
    groups: Sequence[str]
    names: Mapping[Role, str]
    production: bool


class Identities(pulumi.ComponentResource):
    """Owns the stack's service principals, their rule sets, and the groups' entry to the workspace.

    The groups themselves belong to the account, and their members to whoever manages people.

    Attributes:
        principals: Principal of each role as workspace objects name it: of service principals the application id, which
            is known as soon as all services of the workspace see the principal.
        application_ids: Application id of each service principal by its name.
        server: The service principal that makes the endpoint.
        entries: The groups' entries to the workspace, in the order of the groups.
        groups: The groups as the workspace sees them, after their entries.
    """

    principals: Principals
    application_ids: dict[str, pulumi.Output[str]]
    server: databricks.ServicePrincipal
    entries: list[databricks.PermissionAssignment]
    groups: SeenPrincipal

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the entries, the service principals and their rule sets."""
        super().__init__("churn:platform:Identities", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        found = self._sighting("groups-found", "group of the account", args.groups, args, [])
        self.entries = [
            databricks.PermissionAssignment(
                f"{group}-enters",
                group_name=group,
                permissions=["USER"],
                opts=pulumi.ResourceOptions(parent=self, depends_on=[found]),
            )
            for group in args.groups
        ]
        self.groups = self._sighting("groups-seen", "group of the workspace", args.groups, args, self.entries)
        names = args.names
        runner = databricks.ServicePrincipal("runner", display_name=names[Role.RUNNER], active=True, opts=child)
        # Without this entitlement a principal may not make an endpoint.
        self.server = databricks.ServicePrincipal(
            "server", display_name=names[Role.SERVER], active=True, workspace_access=True, opts=child
        )
        seen = {Role.RUNNER: self._seen("runner", runner, args), Role.SERVER: self._seen("server", self.server, args)}
        self.principals = Principals({**names, **seen}, production=args.production)
        self.application_ids = {names[role]: application_id for role, application_id in seen.items()}
        self.register_outputs({"application_ids": self.application_ids})

    def _seen(self, name: str, principal: databricks.ServicePrincipal, args: IdentitiesArgs) -> pulumi.Output[str]:
        """Waits until a service principal is seen, lets the platform team manage it, and gives its application id."""
        seen = self._sighting(f"{name}-seen", "service principal", [principal.application_id], args, [])
        application_id = seen.names.apply(lambda names: names[0])
        # This rule set replaces every other, so it must name a manager; otherwise nobody could change the principal.
        databricks.AccessControlRuleSet(
            f"{name}-roles",
            name=pulumi.Output.format(
                "accounts/{0}/servicePrincipals/{1}/ruleSets/default", args.account_id, application_id
            ),
            grant_rules=[
                {"role": role, "principals": [f"groups/{args.names[Role.PLATFORM]}"]} for role in MANAGING_ROLES
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.groups]),
        )
        return application_id

    def _sighting(
        self,
        name: str,
        kind: Kind,
        names: Sequence[pulumi.Input[str]],
        args: IdentitiesArgs,
        after: Sequence[pulumi.Resource],
    ) -> SeenPrincipal:
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(after))
        return SeenPrincipal(name, args.host, args.account_id, kind, names, opts)
