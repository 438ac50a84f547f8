"""Documents of the store that the dashboards area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import DocumentKind


class DashboardDocument(TypedDict):
    """The draft of a dashboard (kind `dashboards`, by its id)."""

    dashboard_id: str
    display_name: str
    parent_path: str  # with `/Workspace`
    path: str  # without it
    creator_name: str
    create_time: str  # as all times in the form of RFC 3339
    update_time: NotRequired[str]  # as `etag` from the first writing on
    etag: NotRequired[str]
    lifecycle_state: Literal["ACTIVE", "TRASHED"]
    serialized_dashboard: str  # JSON
    warehouse_id: NotRequired[str]


class PublishedDocument(TypedDict):
    """The published version of a dashboard (kind `published_dashboards`, by the dashboard's id)."""

    display_name: str
    embed_credentials: bool  # whether its queries run as the publisher, and not as the viewer
    publisher_name: str
    warehouse_id: str  # empty where none is chosen
    revision_create_time: str
    serialized_dashboard: str


DASHBOARDS = DocumentKind[DashboardDocument]("dashboards")
PUBLISHED = DocumentKind[PublishedDocument]("published_dashboards")
