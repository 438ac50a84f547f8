"""Section `account`: the layer of the account, deployed once for all its workspaces with the account's rights."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.values import GroupName, Url


class Console(Section):
    """Settings of the account's own API, which has the groups that Unity Catalog knows."""

    host: Url = Field(pattern=r"^https://[^/\s]+$", description="URL of the account console")
    account_id: UUID = Field(description="id of the Databricks account")


class Account(Section):
    """Settings of the account layer."""

    console: Console | None = Field(
        default=None,
        description="the account's API; null only where the workspace itself keeps the groups, as the local one does",
    )
    metastore_id: UUID | None = Field(
        default=None,
        description="id of the metastore, which is adopted and must be the one there is; null takes that one",
    )
    groups: tuple[GroupName, ...] = Field(
        default=(),
        description="display names of the groups that this stack makes, where no identity provider has made them",
    )
    members: dict[GroupName, tuple[str, ...]] = Field(
        default_factory=dict,
        description="user names and application ids that this stack puts into its groups, by group: deployers into the "
        "platform's",
    )
    protect_data: bool = Field(description="true refuses to destroy groups, whose members would be lost")
