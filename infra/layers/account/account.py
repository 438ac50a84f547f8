"""Identities and the metastore: what a workspace shares with the others of its account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.written.tenancy import Console


@dataclass(frozen=True)
class AccountArgs:
    """Attributes:
    own: Whether this stack creates the account's groups; otherwise they are looked up by name.
    console: The account's API; None where the workspace itself keeps the groups.
    workspace_id: The workspace that the groups are assigned to; given with `console`.
    groups: Display names of the groups.
    runner: Display name of the service principal that jobs and pipelines run as; each stack has its own.
    deployer: User name or application id of the identity that runs Pulumi, which lets them run as the runner.
    metastore_id: The metastore that the workspace must be attached to; None takes the one it is attached to.
    protect: Whether to refuse to destroy groups: their members, whom others put there, would go with them.
    """

    own: bool
    console: Console | None
    workspace_id: str | None
    groups: Sequence[str]
    runner: str
    deployer: str
    metastore_id: str | None
    protect: bool


class Account(pulumi.ComponentResource):
    """Owns the stack's service principal, the groups' entry to the workspace and, in the owning stack, the groups.

    Members of groups are left to the identity provider that synchronises them. The metastore is adopted, never made:
    there is one for each region and account, and it outlives every stack.
    """

    runner_application_id: pulumi.Output[str]
    metastore_id: pulumi.Output[str]

    def __init__(self, name: str, args: AccountArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:account:Account", name, None, opts)
        console = self._console(args.console) if args.console else None
        for group in args.groups:
            group_id = self._group(group, args, console)
            if console and args.workspace_id:
                databricks.MwsPermissionAssignment(
                    f"{group}-enters",
                    workspace_id=args.workspace_id,
                    principal_id=group_id,
                    permissions=["USER"],
                    opts=pulumi.ResourceOptions(parent=self, provider=console),
                )
        runner = databricks.ServicePrincipal(
            "runner", display_name=args.runner, active=True, opts=pulumi.ResourceOptions(parent=self)
        )
        self.runner_application_id = runner.application_id
        if console and args.console:
            kind = "users" if "@" in args.deployer else "servicePrincipals"
            account = f"accounts/{args.console.account_id}"
            # Authoritative: without the manager's role here, the runner would be nobody's to change.
            databricks.AccessControlRuleSet(
                "runner-roles",
                name=pulumi.Output.concat(account, "/servicePrincipals/", runner.application_id, "/ruleSets/default"),
                grant_rules=[
                    databricks.AccessControlRuleSetGrantRuleArgs(
                        role=f"roles/servicePrincipal.{role}", principals=[f"{kind}/{args.deployer}"]
                    )
                    for role in ("manager", "user")
                ],
                opts=pulumi.ResourceOptions(parent=self, provider=console),
            )
        attached = databricks.get_current_metastore_output(opts=pulumi.InvokeOutputOptions(parent=self))
        self.metastore_id = attached.id.apply(lambda found: _same(found, args.metastore_id))
        self.register_outputs({"metastore_id": self.metastore_id})

    def _console(self, settings: Console) -> databricks.Provider:
        """The provider of the account's API."""
        account_id = str(settings.account_id)
        here = pulumi.ResourceOptions(parent=self)
        return databricks.Provider("account", host=settings.host, account_id=account_id, opts=here)

    def _group(self, group: str, args: AccountArgs, console: databricks.Provider | None) -> pulumi.Output[str]:
        """The id of a group, made here or found."""
        if args.own:
            here = pulumi.ResourceOptions(parent=self, provider=console, protect=args.protect)
            return databricks.Group(group, display_name=group, opts=here).id
        there = pulumi.InvokeOutputOptions(parent=self, provider=console)
        return databricks.get_group_output(display_name=group, opts=there).id.apply(str)


def _same(found: str, wanted: str | None) -> str:
    """The workspace's metastore, which must be the one of the settings."""
    if wanted is not None and found != wanted:
        raise pulumi.RunError(
            f"churn:account.metastore_id: received {wanted}; the workspace is attached to {found}; "
            "remedy: correct the setting, or attach the workspace to the other metastore"
        )
    return found
