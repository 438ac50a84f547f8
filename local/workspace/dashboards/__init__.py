"""Dashboards: their drafts and published versions, and the page that shows one."""

from local.workspace.dashboards.routes import router

__all__ = ["router"]
