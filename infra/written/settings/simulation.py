"""Section `platform.simulation`: the simulated world that stands for source systems."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from infra.written.sections import Section


class Simulation(Section):
    """Settings of the simulated world that stands for source systems."""

    enabled: bool = Field(description="true makes churn_daily begin by simulating the day's deliveries")
    snapshot_date: dt.date | None = Field(default=None, description="the day IBM Telco's table stands for, quoted")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of every random draw")
