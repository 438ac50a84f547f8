"""Jobs: the Jobs API 2.2, runs with their task graphs, and schedules."""

from local.workspace.jobs.routes import router, start, stop

__all__ = ["router", "start", "stop"]
