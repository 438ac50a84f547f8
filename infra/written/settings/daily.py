"""Section `platform.daily`: the job `churn_daily` and its schedule, and that of `churn_retention`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from churn.core.faults import nearest
from infra.written.sections import Section, wrong_value
from infra.written.settings.quartz import QuartzExpression
from infra.written.settings.values import Email


def _timezone(name: str) -> str:
    """Refuses a name that no time zone has."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of names
        meant = nearest(name, available_timezones())
        remedy = f"write {meant}" if meant else "choose the zone whose midnight ends a day of the data"
        raise wrong_value("a name of the IANA time zone database, such as UTC or Europe/Zurich", remedy) from None
    return name


TRIGGERED = "{{job.trigger.time.iso_datetime}}"
TimeZone = Annotated[str, AfterValidator(_timezone)]


class Daily(Section):
    """Settings of the job `churn_daily`."""

    cron: QuartzExpression = Field(
        description="Quartz expression: seconds, minutes, hours, day of month, month, day of week, perhaps year; at a "
        "time that no clock change of the timezone skips"
    )
    timezone: TimeZone = Field(
        description="time zone of the cron expression, such as UTC or Europe/Zurich, and of the logical date"
    )
    retention_cron: QuartzExpression = Field(
        default="0 0 12 ? * SUN",
        description="Quartz expression, in timezone, of the job churn_retention, for when churn_daily does not run",
    )
    paused: bool = Field(description="true never starts either by schedule")
    logical_date: dt.date | None = Field(
        default=None,
        description="default of the parameter `date`, quoted; null takes the day on which the run was triggered, in "
        "timezone, less days_behind",
    )
    days_behind: int = Field(
        ge=0,
        le=7,
        description="days that the default of the parameter date lies before the day on which the run was triggered: 1 "
        "scores in the morning what happened by the evening before",
    )
    task_timeout_minutes: int = Field(ge=1, le=1440, description="minutes after which one task is stopped")
    task_retries: int = Field(ge=0, le=5, description="how often a failed task is tried again")
    warn_after_minutes: int = Field(ge=1, le=1440, description="minutes of a run after which people are notified")
    notify: tuple[Email, ...] = Field(
        default=(), description="e-mail addresses that are notified of failures and long runs"
    )

    @property
    def date_parameter(self) -> str:
        """Default of the job parameter `date`, which `churn.core.logical_date` reads.

        Databricks replaces the reference by the moment, in UTC, that the run was triggered, not by that of its start:
        a run that waits in the queue keeps its day.
        """
        if self.logical_date:
            return self.logical_date.isoformat()
        behind = f"-{self.days_behind}d" if self.days_behind else ""
        return f"{TRIGGERED}[{self.timezone}]{behind}"
