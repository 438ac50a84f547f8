"""Section `ground.workspace`: the workspace that a ground makes."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.values import GroupName, Host


class MadeWorkspace(Section):
    """A workspace that this stack makes in its part of AWS, with the account's rights."""

    console: Host = Field(description="URL of the account console, https unless it is on this machine")
    metastore_id: UUID = Field(description="id of the account's metastore in the region, as its stack exports it")
    deployer: str = Field(
        min_length=1,
        description="user name, or application id of a service principal, that deploys the platform: made an "
        "administrator of the workspace",
    )
    metastore_group: GroupName | None = Field(
        default=None,
        description="group of the deployer that this stack lets make catalogs, credentials and external locations in "
        "the metastore, as an administrator of the metastore may; null where somebody else grants it",
    )
    public_access: bool = Field(
        default=True, description="true lets people in from the internet; false only through the network's endpoints"
    )
    network_policy: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9-]{2,49}$",
        description="id of the account's policy for serverless compute; null takes the account's default",
    )
