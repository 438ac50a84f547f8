"""Section `platform.groups`: the account's groups by what their members do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from infra.written.sections import Section
from infra.written.settings.values import GroupName

DomainName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Groups(Section):
    """Display names of the account's groups by what their members do."""

    platform: GroupName = Field(
        description="display name of the group that owns code and data; the workspace's deployer is a member"
    )
    engineers: GroupName = Field(description="display name of the group that runs the platform")
    scientists: GroupName = Field(description="display name of the group that builds models")
    analysts: GroupName = Field(description="display name of the group that reads marts and dashboards")
    pii_readers: GroupName = Field(
        description="display name of the group whose work needs personal data in clear; empty on most days"
    )
    deliverers: dict[DomainName, GroupName] = Field(
        description="display name of the group of source systems that deliver the files of a domain, by domain"
    )

    @property
    def by_role(self) -> dict[str, str]:
        """Display name of each group, by its place in the section, such as `deliverers.customer`."""
        single = self.model_dump(exclude={"deliverers"})
        return single | {f"deliverers.{domain}": group for domain, group in self.deliverers.items()}
