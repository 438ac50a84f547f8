"""Deploys the layer of the account, which all workspaces of an account share, with the account's rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.masks import CLASSES, REGION, ROW_TAG, TAG
from infra.layers.account.budget import Budget, BudgetArgs
from infra.layers.account.groups import Groups, GroupsArgs
from infra.layers.account.metastore import Metastore, MetastoreArgs
from infra.layers.account.network_policy import NetworkPolicy, NetworkPolicyArgs
from infra.layers.account.tag_policies import GovernedTag, TagPolicies
from infra.layers.metastore import attached_metastore

if TYPE_CHECKING:
    from infra.written.settings.account import Account


@dataclass(frozen=True)
class AccountOutputs:
    """Outputs of the account layer.

    Attributes:
        groups: The groups that it makes; a platform in the same stack waits for them.
        tags: The governed tags, which a platform in the same stack waits for too.
        metastore_id: Id of the metastore, made or adopted; None where the settings name none and no workspace has one.
    """

    groups: Groups
    tags: TagPolicies | None
    metastore_id: pulumi.Output[str] | None

    @property
    def awaited(self) -> list[pulumi.Resource]:
        """What a platform in the same stack names."""
        return [self.groups, *([self.tags] if self.tags else [])]


def deploy_account(settings: Account, workspace: databricks.Provider | None) -> AccountOutputs:
    """Deploys the layer of the account.

    Args:
        settings: The stack's section `account`.
        workspace: Provider of the stack's workspace, if it has one; it keeps the groups where the settings name no
            console, and governs the tags where they name no other workspace.
    """
    console = settings.console
    account_id = str(console.account_id) if console else None
    account = databricks.Provider("account", host=console.host, account_id=account_id) if console else None
    groups = Groups(
        "groups",
        GroupsArgs(
            names=settings.groups,
            existing=settings.existing_groups,
            members=settings.members,
            api="account" if account else None,
            protect=settings.protect_data,
        ),
        pulumi.ResourceOptions(provider=account or workspace),
    )
    tags = _tag_policies(settings, workspace)
    if account is None or account_id is None:
        attached = attached_metastore(settings.metastore_id, "churn:account.metastore_id", workspace)
        return AccountOutputs(groups, tags, attached)
    _reach_and_spending(settings, account_id, account)
    return AccountOutputs(groups, tags, _metastore(settings, account))


def _metastore(settings: Account, account: databricks.Provider) -> pulumi.Output[str] | None:
    """The metastore: made, or looked up by its id, which fails when the account has none of this id."""
    if settings.metastore:
        args = MetastoreArgs(settings.metastore.name, settings.metastore.region, settings.protect_data)
        return Metastore("metastore", args, pulumi.ResourceOptions(provider=account)).metastore_id
    if settings.metastore_id is None:
        return None
    options = pulumi.InvokeOutputOptions(provider=account)
    return databricks.get_metastore_output(metastore_id=str(settings.metastore_id), opts=options).metastore_id


def _reach_and_spending(settings: Account, account_id: str, account: databricks.Provider) -> None:
    """What serverless compute may reach, and the budget of the account."""
    opts = pulumi.ResourceOptions(provider=account)
    if settings.network_policy:
        policy = settings.network_policy
        buckets = [(bucket.name, bucket.region) for bucket in policy.buckets]
        args = NetworkPolicyArgs(
            account_id, policy.name, policy.domains, buckets, workspaces=policy.workspaces, enforced=policy.enforced
        )
        NetworkPolicy("network-policy", args, opts)
    if settings.budget:
        Budget("budget", BudgetArgs(settings.budget.alerts_usd_per_month, settings.budget.notify), opts)


def _tag_policies(settings: Account, workspace: databricks.Provider | None) -> TagPolicies | None:
    """Governed tags, which the account has and only a workspace's API changes."""
    provider = workspace
    if settings.tags_workspace is not None:
        provider = databricks.Provider("tags", host=settings.tags_workspace)
    if provider is None:
        return None
    governed = [
        GovernedTag(TAG, "Class of confidentiality of a column, as its data contract says", CLASSES),
        GovernedTag(ROW_TAG, "Column by whose value rows are shown to some readers alone", (REGION,)),
    ]
    return TagPolicies("tag-policies", governed, pulumi.ResourceOptions(provider=provider))
