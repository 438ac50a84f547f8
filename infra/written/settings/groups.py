"""Section `platform.groups`: the account's groups by what their members do."""

from __future__ import annotations

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.values import GroupName


class Groups(Section):
    """Display names of the account's groups by what their members do."""

    platform: GroupName = Field(
        description="display name of the group that owns code and data; the workspace's deployer is a member"
    )
    engineers: GroupName = Field(description="display name of the group that runs the platform")
    scientists: GroupName = Field(description="display name of the group that builds models")
    analysts: GroupName = Field(description="display name of the group that reads marts and dashboards")
    deliverers: GroupName = Field(description="display name of the group of source systems that deliver files")
