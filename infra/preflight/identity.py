"""Checks of identity, of ids and of groups: who deploys, to which workspace, for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.oauth import get_host_metadata

from infra.preflight.inspection import ADMINS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.preflight.inspection import Inspection


def deployer(inspection: Inspection) -> Iterator[Finding]:
    """Requires the identity of the settings."""
    wanted, what = inspection.platform.workspace.deployer, "churn:platform.workspace.deployer"
    if inspection.name.casefold() == wanted.casefold():
        yield Finding(what=what, received=wanted)
    else:
        yield Finding(
            what=what,
            received=wanted,
            allowed=f"{inspection.name}, whose credentials these are",
            remedy="use the deployer's credentials, or correct the setting",
        )


def administrator(inspection: Inspection) -> Iterator[Finding]:
    """Requires an administrator of the workspace."""
    if ADMINS in inspection.groups:
        yield Finding(what=f"group {ADMINS}", received=f"{inspection.name} is a member")
    else:
        yield Finding(
            what=f"group {ADMINS}",
            received=f"{inspection.name} in {', '.join(sorted(inspection.groups)) or 'no group'}",
            allowed="an administrator of the workspace",
            remedy=f"let one of its administrators give {inspection.name} the permission Admin there",
        )


def owner(inspection: Inspection) -> Iterator[Finding]:
    """Requires a direct member of the group that owns the platform; a missing group is the finding of `groups`."""
    name, who, what = inspection.platform.groups.platform, inspection.name, "churn:platform.groups.platform"
    account, group = inspection.settings.account, inspection.account_group(name)
    if account and who in account.members.get(name, ()):
        yield Finding(what=what, received=f"{name}, of which this stack makes {who} a member")
    elif group and inspection.me.id in {member.value for member in group.members or []}:
        yield Finding(what=what, received=f"{name}, of which {who} is a member")
    elif group or inspection.makes_group(name):
        yield Finding(
            what=what,
            received=f"{name} without {who}",
            allowed=f"a group that has {who} as a direct member, since its members alone can change what it owns",
            remedy=f"add {who} to {name} in the account, by churn:account.members where a stack makes the group",
        )


def workspace(inspection: Inspection) -> Iterator[Finding]:
    """Compares the number of the workspace."""
    wanted, what = inspection.platform.workspace.id, "churn:platform.workspace.id"
    if wanted in (None, inspection.workspace_id):
        yield Finding(what=what, received=str(wanted) if wanted else f"null; it is {inspection.workspace_id}")
    else:
        yield Finding(
            what=what,
            received=str(wanted),
            allowed=f"{inspection.workspace_id}, which {inspection.platform.workspace.host} has",
            remedy="correct the setting or churn:platform.workspace.host, which are of two workspaces",
        )


def account(inspection: Inspection) -> Iterator[Finding]:
    """Compares the account of the workspace, which hosts tell to anybody."""
    wanted, what = str(inspection.platform.account_id), "churn:platform.account_id"
    host = inspection.platform.workspace.host
    try:
        belongs_to = get_host_metadata(host).account_id
    except ValueError:  # this host tells nothing
        belongs_to = None
    if belongs_to is None:
        yield Finding(what=what, received=f"{host} does not tell its account", skipped=True)
    elif belongs_to == wanted:
        yield Finding(what=what, received=wanted)
    else:
        yield Finding(
            what=what,
            received=wanted,
            allowed=f"{belongs_to}, the account of {host}",
            remedy="correct the setting; roles on service principals are kept by the account's id",
        )


def metastore(inspection: Inspection) -> Iterator[Finding]:
    """Requires a metastore, and that of the settings where they name one."""
    wanted, attached, what = inspection.platform.metastore_id, inspection.metastore, "churn:platform.metastore_id"
    if attached is None:
        yield Finding(
            what=what,
            received="a workspace without a metastore",
            allowed="a workspace with Unity Catalog",
            remedy="let an account administrator assign the metastore of the region to the workspace",
        )
    elif wanted and str(wanted) != attached.metastore_id:
        yield Finding(
            what=what,
            received=str(wanted),
            allowed=f"{attached.metastore_id}, which the workspace is attached to",
            remedy="correct the setting, or attach the workspace to the other metastore",
        )
    else:
        yield Finding(what=what, received=str(wanted) if wanted else f"null; it is {attached.metastore_id}")


def groups(inspection: Inspection) -> Iterator[Finding]:
    """Requires every group of the settings that the stack does not make itself, written as in the account."""
    for name in inspection.platform.group_names:
        what = f"group {name}"
        group = inspection.account_group(name)
        if group and group.display_name == name:
            yield Finding(what=what, received="exists")
        elif inspection.makes_group(name):
            yield Finding(what=what, received="this stack makes it")
        elif group:
            yield Finding(
                what=what,
                received=name,
                allowed=f"{group.display_name}, as the account writes it",
                remedy="write the name in this way in churn:platform, and in contracts and requests that have it",
            )
        else:
            yield Finding(
                what=what,
                received="no such group in the account",
                allowed="a group of the account",
                remedy="correct the name in churn:platform, or let the stack `account` make it: churn:account.groups",
            )
