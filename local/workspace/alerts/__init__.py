"""Alerts: queries on a schedule, whose result is compared with a threshold, and who is notified."""

from local.workspace.alerts.routes import router, start, stop

__all__ = ["router", "start", "stop"]
