"""Deploys the layer of the account, which all workspaces of an account share, with the account's rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.layers.account.groups import Groups, GroupsArgs
from infra.layers.metastore import attached_metastore

if TYPE_CHECKING:
    from infra.written.settings.account import Account


@dataclass(frozen=True)
class AccountOutputs:
    """Outputs of the account layer.

    Attributes:
        groups: The groups that it makes; a platform in the same stack waits for them.
        metastore_id: Id of the adopted metastore; None where the settings name none and no workspace has one.
    """

    groups: Groups
    metastore_id: pulumi.Output[str] | None


def deploy_account(settings: Account, workspace: databricks.Provider | None) -> AccountOutputs:
    """Deploys the layer of the account.

    Args:
        settings: The stack's section `account`.
        workspace: Provider of the stack's workspace; it keeps the groups where the settings name no console.
    """
    provider = workspace
    if settings.console:
        account_id = str(settings.console.account_id)
        provider = databricks.Provider("account", host=settings.console.host, account_id=account_id)
        metastore_id = _metastore_of_account(settings, provider)
    else:
        metastore_id = attached_metastore(settings.metastore_id, "churn:account.metastore_id", workspace)
    groups = Groups(
        "groups",
        GroupsArgs(settings.groups, settings.members, settings.protect_data),
        pulumi.ResourceOptions(providers=[provider] if provider else None),
    )
    return AccountOutputs(groups, metastore_id)


def _metastore_of_account(settings: Account, provider: databricks.Provider) -> pulumi.Output[str] | None:
    """Looks up the metastore that the settings name; the look-up fails when the account has none of this id."""
    if settings.metastore_id is None:
        return None
    options = pulumi.InvokeOutputOptions(provider=provider)
    return databricks.get_metastore_output(metastore_id=str(settings.metastore_id), opts=options).metastore_id
