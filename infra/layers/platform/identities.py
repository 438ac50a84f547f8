"""Identities of the workspace: the service principal that runs everything, and the groups that may enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.platform.permit import Principals

# Roles on a service principal: to change it, and to let jobs and pipelines run as it.
DEPLOYER_ROLES = ("roles/servicePrincipal.manager", "roles/servicePrincipal.user")


@dataclass(frozen=True)
class IdentitiesArgs:
    """Inputs of `Identities`.

    Attributes:
        account_id: The account that the workspace belongs to.
        groups: Display names of the account's groups that may enter the workspace.
        names: Name of each role's principal; the runner's becomes the display name of a service principal.
    """

    account_id: str
    groups: Sequence[str]
    names: Mapping[Role, str]


class Identities(pulumi.ComponentResource):
    """Owns the stack's service principal, its rule set, and the groups' entry to the workspace.

    The groups themselves belong to the account, and their members to whoever manages people.

    Attributes:
        principals: Principal of each role as workspace objects name it: of the runner its application id.
        application_ids: Application id of each service principal by its name.
        entries: The groups' entries to the workspace.
    """

    application_ids: dict[str, pulumi.Output[str]]
    entries: list[databricks.PermissionAssignment]

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the entries, the service principal and its rule set."""
        super().__init__("churn:platform:Identities", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.entries = [
            databricks.PermissionAssignment(f"{group}-enters", group_name=group, permissions=["USER"], opts=child)
            for group in args.groups
        ]
        runner_name, deployer = args.names[Role.RUNNER], args.names[Role.DEPLOYER]
        runner = databricks.ServicePrincipal("runner", display_name=runner_name, active=True, opts=child)
        self.principals: Principals = {**args.names, Role.RUNNER: runner.application_id}
        self.application_ids = {runner_name: runner.application_id}
        kind = "users" if "@" in deployer else "servicePrincipals"
        # This rule set replaces every other, so it must name a manager; otherwise nobody could change the runner.
        databricks.AccessControlRuleSet(
            "runner-roles",
            name=pulumi.Output.format(
                "accounts/{0}/servicePrincipals/{1}/ruleSets/default", args.account_id, runner.application_id
            ),
            grant_rules=[{"role": role, "principals": [f"{kind}/{deployer}"]} for role in DEPLOYER_ROLES],
            opts=child,
        )
        self.register_outputs({"runner_application_id": runner.application_id})
