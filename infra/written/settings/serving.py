"""Section `platform.serving`: the serving endpoint."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from infra.written.sections import Section


class WorkloadSize(StrEnum):
    """Sizes of a serving endpoint as Databricks names them."""

    SMALL = "Small"
    MEDIUM = "Medium"
    LARGE = "Large"


class Serving(Section):
    """Settings of the serving endpoint."""

    workload_size: WorkloadSize = Field(description="concurrency of the served model")
    scale_to_zero: bool = Field(description="true stops it when nobody asks; the next request then waits")
