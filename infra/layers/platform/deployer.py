"""Checks of whoever runs Pulumi: the identity of the settings, and a member of the group that owns the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.errors import WrongDeployerError

if TYPE_CHECKING:
    from infra.written.settings.platform import Platform


def owning_group(platform: Platform, provider: databricks.Provider, groups: pulumi.Resource) -> pulumi.Output[str]:
    """Gives the group that owns the platform, after checks of whoever runs Pulumi.

    What a group owns can be changed by its members alone, so the deployer has to be one.

    Args:
        platform: Settings of the platform.
        provider: Provider of the workspace.
        groups: The groups as the workspace sees them, which shows those that have not entered to nobody.

    Returns:
        The group's name; the output fails with WrongDeployerError, for a wrong identity while planning already.
    """
    name = platform.groups.platform
    me = databricks.get_current_user_output(opts=pulumi.InvokeOutputOptions(provider=provider))
    deployer = me.apply(lambda user: _check_identity(user, platform.workspace.deployer))
    group = databricks.get_group_output(
        display_name=name, opts=pulumi.InvokeOutputOptions(provider=provider, depends_on=[groups])
    )
    return pulumi.Output.all(deployer, group).apply(
        lambda both: _check_member(both[0], both[1], platform.workspace.deployer)
    )


def _check_identity(user: databricks.GetCurrentUserResult, wanted: str) -> str:
    if user.user_name.casefold() != wanted.casefold():
        raise WrongDeployerError(
            f"churn:platform.workspace.deployer: received {wanted}; Pulumi runs as {user.user_name}; "
            "remedy: use the deployer's credentials, or correct the setting"
        )
    return user.id


def _check_member(deployer_id: str, group: databricks.GetGroupResult, deployer: str) -> str:
    if deployer_id not in {*(group.users or []), *(group.service_principals or [])}:
        raise WrongDeployerError(
            f"churn:platform.groups.platform: received {group.display_name}, of which the deployer {deployer} is no "
            "member, so that nothing the group owns could be changed; remedy: add the deployer to the group"
        )
    return group.display_name
