"""Section `platform.workspace`: the Databricks workspace that the platform is deployed to."""

from __future__ import annotations

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.values import Host


class Workspace(Section):
    """Settings of the Databricks workspace that the platform is deployed to."""

    host: Host = Field(description="the workspace's URL without a path, https unless it is on this machine")
    id: int | None = Field(
        default=None, gt=0, description="number of the workspace, which its host must have; null compares nothing"
    )
    deployer: str = Field(pattern=r"^\S+$", description="user name or application id of the identity that runs Pulumi")
