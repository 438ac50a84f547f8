"""Dashboards: their drafts and published versions, and the page that shows one."""

from .routes import router

__all__ = ["router"]
