"""The clock: the one module of the workloads that reads it, for the stream alone.

A stream has no logical date: how old it is, and for how long an event's id is remembered, are times of processing. What
an event means never depends on the clock, so a replay gives the same rows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import Column


def processing_time() -> Column:
    """Moment of the micro-batch or of the query: the same for each of its rows."""
    return sf.current_timestamp()


def moment() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
