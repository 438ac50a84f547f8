"""Section `platform.training`: the label that the model predicts, and the schedule of training."""

from __future__ import annotations

from pydantic import Field

from infra.written.sections import Section


class Training(Section):
    """Settings of the label that the model predicts, and of the schedule of training."""

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
