"""The settings of a stack: what `Pulumi.<stack>.yaml` may say."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from infra.written.faults import Section, broken_rule
from infra.written.schedules import QuartzExpression, TimeZone
from infra.written.tenancy import Account, Workspace

PRODUCTION = "prod"

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
SparkKey = Annotated[str, StringConstraints(pattern=r"^spark\.[\w.]+$")]


class Compute(Section):
    """Where jobs and pipelines run."""

    serverless: bool = Field(description="true runs job tasks on serverless compute, false on one job cluster")
    spark_version: str = Field(min_length=1, description="Databricks runtime of the job cluster")
    node_type_id: str = Field(min_length=1, description="instance type of the job cluster's nodes")
    workers: int = Field(ge=1, le=64, description="worker nodes of the job cluster")
    spark_conf: dict[SparkKey, str] = Field(
        default_factory=dict,
        description="settings of each Spark session by the size of its data, values quoted; pipelines always take "
        "them, jobs only on their cluster, not on serverless compute; empty leaves all to the engine",
    )


class WarehouseSize(StrEnum):
    """Sizes of a SQL warehouse as Databricks names them."""

    XX_SMALL = "2X-Small"
    X_SMALL = "X-Small"
    SMALL = "Small"
    MEDIUM = "Medium"
    LARGE = "Large"


class Warehouse(Section):
    """The SQL warehouse behind dashboards and statements."""

    size: WarehouseSize = Field(description="size of one cluster of the warehouse")
    maximum_clusters: int = Field(ge=1, le=40, description="clusters it may grow to")
    auto_stop_minutes: int = Field(
        ge=5, le=30, description="idle minutes after which it stops; the policy warehouses-stop allows no more than 30"
    )


class Daily(Section):
    """The job `churn_daily`."""

    cron: QuartzExpression = Field(
        description="Quartz expression: seconds, minutes, hours, day of month, month, day of week, perhaps year"
    )
    timezone: TimeZone = Field(
        description="time zone of the cron expression, such as UTC; the default of logical_date, "
        "{{job.start_time.iso_date}}, is the day in UTC all the same"
    )
    paused: bool = Field(description="true never starts it by schedule")
    logical_date: dt.date | None = Field(
        default=None,
        description="default of the parameter `date`, quoted; null takes {{job.start_time.iso_date}}, the day the "
        "run starts in UTC, whatever the timezone, less days_behind",
    )
    days_behind: int = Field(
        ge=0,
        le=7,
        description="days that the default of the parameter date lies before the day the run starts: 1 scores in the "
        "morning what happened by the evening before",
    )
    task_timeout_minutes: int = Field(ge=1, le=1440, description="minutes after which one task is stopped")
    task_retries: int = Field(ge=0, le=5, description="how often a failed task is tried again")
    warn_after_minutes: int = Field(ge=1, le=1440, description="minutes of a run after which people are told")
    notify: tuple[Email, ...] = Field(default=(), description="e-mail addresses told of failures and long runs")


class Simulation(Section):
    """The simulated world that stands for source systems."""

    enabled: bool = Field(description="true makes churn_daily begin by simulating the day's deliveries")
    snapshot_date: dt.date | None = Field(default=None, description="the day IBM Telco's table stands for, quoted")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of every random draw")

    @model_validator(mode="after")
    def _dated(self) -> Simulation:
        if self.enabled and self.snapshot_date is None:
            raise broken_rule("snapshot_date", None, "a date when simulation.enabled is true")
        return self


class Training(Section):
    """What the model predicts and when it is trained."""

    lead_days: int = Field(ge=0, le=90, description="days between the observation date and the label's window")
    horizon_days: int = Field(ge=1, le=365, description="days of the label's window")
    settle_days: int = Field(
        ge=0, le=30, description="days that a report of leaving may be late; labels wait for them after the window"
    )
    retrain_days: int = Field(ge=1, le=365, description="days after which a model is trained again")
    history_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="days before the logical date whose observations are learned from; training holds those of one day "
        "a week in the memory of one node",
    )

    @model_validator(mode="after")
    def _deep_enough(self) -> Training:
        needed = 2 * (self.lead_days + self.horizon_days + self.settle_days) + 7
        if self.history_days < needed:
            allowed = (
                f"{needed} or more: a week and twice lead_days, horizon_days and settle_days, so that a label to learn "
                "from was complete by the day that the model is judged on"
            )
            raise broken_rule("history_days", self.history_days, allowed)
        return self


class WorkloadSize(StrEnum):
    """Sizes of a serving endpoint as Databricks names them."""

    SMALL = "Small"
    MEDIUM = "Medium"
    LARGE = "Large"


class Serving(Section):
    """The serving endpoint."""

    workload_size: WorkloadSize = Field(description="concurrency of the served model")
    scale_to_zero: bool = Field(description="true stops it when nobody asks; the next request then waits")


class Settings(Section):
    """All settings of one stack. `stack` is the stack's name; everything else stands in its file."""

    stack: str
    workspace: Workspace = Field(description="the workspace to deploy to")
    account: Account = Field(description="what is shared by the account's workspaces")
    protect_data: bool = Field(description="true refuses to destroy whatever holds data")
    storage_root: str | None = Field(
        default=None,
        pattern=r"^(s3|abfss|gs)://\S+$",
        description="cloud location of the catalog's tables, below an external location; null takes the metastore's",
    )
    compute: Compute = Field(description="where jobs and pipelines run")
    warehouse: Warehouse = Field(description="the SQL warehouse")
    daily: Daily = Field(description="the job churn_daily")
    simulation: Simulation = Field(description="the simulated world")
    training: Training = Field(description="what the model predicts")
    serving: Serving = Field(description="the serving endpoint")

    @model_validator(mode="after")
    def _together(self) -> Settings:
        """Rules across sections."""
        if self.account.console and self.workspace.id is None:
            raise broken_rule("workspace.id", None, "the workspace's numeric id, since account.console is given")
        if self.account.console is None and self.workspace.host.startswith("https:"):
            allowed = "the account's API, since Unity Catalog knows only groups of the account, not of a workspace"
            raise broken_rule("account.console", None, allowed, "add account.console with host and account_id")
        snapshot, logical = self.simulation.snapshot_date, self.daily.logical_date
        production = self.stack.split("_")[0] == PRODUCTION
        if production and self.simulation.enabled:
            reason = f"false in {self.stack}: simulated rows must not mix with real ones"
            raise broken_rule("simulation.enabled", True, reason)
        if production and logical is not None:
            reason = f"null in {self.stack}: a fixed day would be scored for ever"
            raise broken_rule("daily.logical_date", logical, reason)
        if logical is not None and self.daily.days_behind:
            allowed = "0 beside daily.logical_date, a fixed day that nothing is taken from"
            remedy = "set it to 0, or remove daily.logical_date"
            raise broken_rule("daily.days_behind", self.daily.days_behind, allowed, remedy)
        if self.simulation.enabled and snapshot and logical and logical < snapshot:
            raise broken_rule("daily.logical_date", logical, f"simulation.snapshot_date {snapshot} or a later day")
        return self

    @property
    def catalog(self) -> str:
        """`churn` in prod, `churn_<stack>` elsewhere."""
        return "churn" if self.stack == PRODUCTION else f"churn_{self.stack}"

    @property
    def runner(self) -> str:
        """Display name of the service principal that jobs and pipelines run as."""
        return f"churn-{self.stack}-runner"

    @property
    def group_names(self) -> tuple[str, ...]:
        """Display names of all groups that grants may name, sorted."""
        return tuple(sorted({*self.account.groups.model_dump().values(), *self.account.team_groups}))

    @property
    def logical_date(self) -> str:
        """Default of the job parameter `date`."""
        if self.daily.logical_date:
            return self.daily.logical_date.isoformat()
        return "{{job.start_time.iso_date}}" + (f"-{self.daily.days_behind}d" if self.daily.days_behind else "")
