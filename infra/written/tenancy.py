"""Where a stack deploys, and for whom: the sections `workspace` and `account` of its settings."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.written.faults import Section, broken_rule, choices, wrong_value

SYSTEM_GROUPS = ("admins", "users")


def _of_the_account(group: str) -> str:
    """Refuses groups that every workspace has."""
    if group in SYSTEM_GROUPS:
        raise wrong_value(f"a group of the account; {choices(SYSTEM_GROUPS)} are Databricks' own in each workspace")
    return group


def _address(url: str) -> str:
    """Refuses what is no address of a host."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0:
            return url
    except ValueError:  # a port that is no number, or too high
        pass
    raise wrong_value("a URL with the name of a host and perhaps a port from 1 to 65535")


GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$"), AfterValidator(_of_the_account)]
Url = Annotated[str, AfterValidator(_address)]


class Workspace(Section):
    """The Databricks workspace that the stack deploys to."""

    host: Url = Field(
        pattern=r"^(https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)$",
        description="the workspace's URL without a path, https unless it is on this machine",
    )
    id: str | None = Field(
        default=None, pattern=r"^\d+$", description="the workspace's numeric id as text; needed with account.console"
    )
    deployer: str = Field(pattern=r"^\S+$", description="user name or application id of the identity that runs Pulumi")


class Groups(Section):
    """The account's groups by what their members do."""

    engineers: GroupName = Field(description="display name of the group that runs the platform")
    scientists: GroupName = Field(description="display name of the group that builds models")
    analysts: GroupName = Field(description="display name of the group that reads marts and dashboards")
    deliverers: GroupName = Field(description="display name of the group of source systems that deliver files")

    @model_validator(mode="after")
    def _distinct(self) -> Groups:
        holders: dict[str, str] = {}
        for role, group in self.model_dump().items():
            if group in holders:
                allowed = f"a group of its own: grants differ by role, and {holders[group]} has this one"
                raise broken_rule(role, group, allowed, f"name another group for {role}")
            holders[group] = role
        return self


class Console(Section):
    """The account's own API, where groups live that Unity Catalog knows."""

    host: Url = Field(pattern=r"^https://[^/\s]+$", description="URL of the account console")
    account_id: UUID = Field(description="id of the Databricks account")


class Account(Section):
    """What all workspaces of the account share; one stack owns it, the others look it up."""

    own: bool = Field(description="true in the one stack that creates the account's groups")
    console: Console | None = Field(
        default=None,
        description="the account's API; null only where the workspace itself keeps the groups, as the local one",
    )
    metastore_id: UUID | None = Field(
        default=None, description="id of the metastore the workspace must be attached to; null takes the one it is"
    )
    groups: Groups = Field(description="the platform's groups: engineers, scientists, analysts, deliverers")
    team_groups: tuple[GroupName, ...] = Field(default=(), description="display names of the groups of other teams")
