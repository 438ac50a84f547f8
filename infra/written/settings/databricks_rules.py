"""Rules over several values about the account and its workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.written.sections import BrokenRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.written.settings.stack import Settings

GROUND = "churn:ground"
ACCOUNT = "churn:account"


def _unity_catalog_knows_account_groups(settings: Settings) -> Iterator[BrokenRule]:
    """Requires the account's API for groups, except in a local workspace, which keeps groups itself."""
    if not settings.account or settings.account.console:
        return
    if not settings.platform or settings.platform.workspace.host.startswith("https:"):
        yield BrokenRule(
            place=(ACCOUNT, "console"),
            received=None,
            allowed="the account's API, since Unity Catalog knows only groups of the account, not of a workspace",
            remedy="add console with host and account_id",
        )


def _the_console_makes_what_the_account_has(settings: Settings) -> Iterator[BrokenRule]:
    """Requires the account's API for everything but groups."""
    account = settings.account
    if not account or account.console:
        return
    for name in ("metastore", "network_policy", "budget"):
        if getattr(account, name) is not None:
            yield BrokenRule(
                place=(ACCOUNT, name),
                received=getattr(account, name).model_dump(),
                allowed="nothing without console: only the account's API makes it",
                remedy=f"add console with host and account_id, or remove {name}",
            )


def _one_metastore(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a metastore that is made beside one that is adopted."""
    if settings.account and settings.account.metastore and settings.account.metastore_id:
        yield BrokenRule(
            place=(ACCOUNT, "metastore"),
            received=settings.account.metastore.model_dump(),
            allowed="either metastore or metastore_id: a region has one metastore",
            remedy="remove metastore where the region has one, metastore_id where it has none",
        )


def _groups_stand_once(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a group that the account would make twice, or make although it exists."""
    if not settings.account:
        return
    names = [("groups", index, group) for index, group in enumerate(settings.account.groups)]
    names += [("existing_groups", index, group) for index, group in enumerate(settings.account.existing_groups)]
    seen: set[str] = set()
    for field, index, group in names:
        if group.casefold() in seen:
            allowed = "each group once, in groups or in existing_groups"
            place = (ACCOUNT, field, index)
            yield BrokenRule(place=place, received=group, allowed=allowed, remedy="remove this one")
        seen.add(group.casefold())


def _members_are_of_groups_that_are_made(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses members of groups that the account does not make."""
    account = settings.account
    for group in account.members if account else ():
        if account and group not in account.groups:
            yield BrokenRule(
                place=(ACCOUNT, "members", group),
                received=group,
                allowed=f"one of churn:account.groups: {', '.join(account.groups) or 'none'}",
                remedy="let whoever made the group add its members, or make the group here",
            )


def _budgets_rise(settings: Settings) -> Iterator[BrokenRule]:
    """Requires amounts of a budget in rising order, each once."""
    budget = settings.account.budget if settings.account else None
    if budget and list(budget.alerts_usd_per_month) != sorted({*budget.alerts_usd_per_month}):
        yield BrokenRule(
            place=(ACCOUNT, "budget", "alerts_usd_per_month"),
            received=list(budget.alerts_usd_per_month),
            allowed="rising amounts, each once",
            remedy=f"write {sorted({*budget.alerts_usd_per_month})}",
        )


def _a_made_workspace_stands_on_aws(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a workspace that is made where nothing in AWS is."""
    ground = settings.ground
    if ground and ground.workspace and not ground.aws:
        yield BrokenRule(
            place=(GROUND, "workspace"),
            received=ground.workspace.model_dump(mode="json"),
            allowed="a workspace beside aws, whose network, bucket, role and keys it is made from",
            remedy="add aws, or remove workspace and name one that exists as churn:platform.workspace",
        )


def _somebody_gets_in(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses a workspace that neither the internet nor the network reaches."""
    ground = settings.ground
    if not ground or not ground.workspace or not ground.aws or ground.workspace.public_access:
        return
    if not (ground.aws.network and ground.aws.network.control_plane):
        yield BrokenRule(
            place=(GROUND, "workspace", "public_access"),
            received=False,
            allowed="true without aws.network.control_plane: nobody would reach the workspace",
            remedy="add control_plane to the network, or set public_access to true",
        )


def _the_deployer_is_let_in(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses another administrator in a workspace that is made than the deployer of the platform."""
    made = settings.ground.workspace if settings.ground else None
    wanted = settings.platform.workspace.deployer if settings.platform else None
    if made and wanted and made.deployer.casefold() != wanted.casefold():
        yield BrokenRule(
            place=(GROUND, "workspace", "deployer"),
            received=made.deployer,
            allowed=f"the deployer of churn:platform.workspace, {wanted}, who has to administer the workspace",
            remedy="write the same one in both",
        )


DATABRICKS_RULES: tuple[Callable[[Settings], Iterator[BrokenRule]], ...] = (
    _unity_catalog_knows_account_groups,
    _the_console_makes_what_the_account_has,
    _one_metastore,
    _groups_stand_once,
    _members_are_of_groups_that_are_made,
    _budgets_rise,
    _a_made_workspace_stands_on_aws,
    _somebody_gets_in,
    _the_deployer_is_let_in,
)
