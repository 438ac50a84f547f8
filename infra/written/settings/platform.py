"""Section `platform`: the layer of the platform, deployed with the rights of a workspace administrator."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.compute import Compute, Warehouse
from infra.written.settings.daily import Daily
from infra.written.settings.groups import Groups
from infra.written.settings.serving import Serving
from infra.written.settings.simulation import Simulation
from infra.written.settings.stream import Stream
from infra.written.settings.training import Training
from infra.written.settings.values import GroupName
from infra.written.settings.workspace import Workspace


class Platform(Section):
    """Settings of the platform layer."""

    workspace: Workspace = Field(description="the workspace to deploy to")
    account_id: UUID = Field(description="id of the workspace's Databricks account")
    metastore_id: UUID | None = Field(
        default=None, description="id of the metastore the workspace must be attached to; null takes the one it is"
    )
    groups: Groups = Field(description="the platform's groups by what their members do")
    team_groups: tuple[GroupName, ...] = Field(default=(), description="display names of the groups of other teams")
    protect_data: bool = Field(description="true refuses to destroy whatever holds data")
    tag_minutes: float = Field(
        ge=0,
        le=60,
        description="minutes that a column's tag takes to be in effect, in which people may not read its table yet; 0 "
        "where customers are simulated",
    )
    compute: Compute = Field(description="where jobs and pipelines run")
    warehouse: Warehouse = Field(description="the SQL warehouse")
    daily: Daily = Field(description="the job churn_daily")
    simulation: Simulation = Field(description="the simulated world")
    training: Training = Field(description="what the model predicts")
    serving: Serving = Field(description="the serving endpoint")
    stream: Stream | None = Field(
        default=None, description="events of customers as they happen; null takes uses from files alone"
    )

    @property
    def group_names(self) -> tuple[str, ...]:
        """Display names of all groups that grants may name, sorted."""
        return tuple(sorted({*self.groups.by_role.values(), *self.team_groups}))

    @property
    def stream_notify(self) -> tuple[str, ...]:
        """E-mail addresses that are notified of the stream: its own, or those of the daily job."""
        own = self.stream.notify if self.stream else None
        return self.daily.notify if own is None else own
