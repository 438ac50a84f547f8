"""Section `platform.stream`: events of customers as they happen, from Kafka to the online store."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.values import Email

# Units of compute of a Lakebase endpoint: half a unit is the smallest, and a fixed size ends where autoscaling does.
Units = Annotated[float, Field(ge=0.5, le=32, multiple_of=0.5)]


class Online(Section):
    """Settings of the online store, a project of Lakebase."""

    minimum_units: Units = Field(description="units of compute that it always has, 0.5 or more")
    maximum_units: Units = Field(description="units of compute to which it grows")
    tls: bool = Field(default=True, description="false speaks plain text, which only a database on this machine allows")


class Stream(Section):
    """Settings of the stream of events. It runs day and night, and costs as long as it is there."""

    workers: int = Field(
        ge=1,
        le=64,
        description="worker nodes of the job churn_activity, and of the pipeline churn_stream where compute.serverless "
        "is false: no more than compute.workers, of the same node type",
    )
    trigger_seconds: int = Field(
        ge=1, le=600, description="seconds from one batch of the job churn_activity to the next"
    )
    maximum_lag_minutes: int = Field(
        ge=1,
        le=1440,
        description="minutes from the broker to the online store, of 95 events in 100, after which people are "
        "notified; a day fails where the stream is older",
    )
    longest_silence_minutes: int | None = Field(
        default=None,
        ge=1,
        le=10_080,
        description="minutes without any message after which people are notified, if beyond maximum_lag_minutes: the "
        "tables tell a silent topic from a pipeline that is down by nothing else; null where topics may be silent",
    )
    look_every_minutes: int = Field(
        ge=1,
        le=60,
        description="minutes between two looks at the lag, from the full hour on; each wakes the SQL warehouse",
    )
    wait_minutes: int = Field(
        ge=1, le=240, description="minutes that a day waits for the stream to take over the day's files"
    )
    features_days: int = Field(
        default=31,
        ge=1,
        le=3650,
        description="days for which a customer's last features and score count; one without any gets no live score. A "
        "simulated world that stands still on its snapshot date takes many",
    )
    online: Online = Field(description="the online store")
    notify: tuple[Email, ...] | None = Field(
        default=None,
        description="e-mail addresses that are notified of failures and of lag; null takes those of daily",
    )
