"""Processing time, the one thing in the workloads that comes from a clock.

A stream has no logical date: how old it is, and for how long an event's id is remembered, are times of processing. What
an event means never depends on it, so a replay gives the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import Column


def processing_time() -> Column:
    """Moment of the micro-batch or of the query: the same for each of its rows."""
    return sf.current_timestamp()
