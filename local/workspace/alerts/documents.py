"""Documents of the store that the alerts area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind

State = Literal["UNKNOWN", "OK", "TRIGGERED", "ERROR"]


class AlertDocument(TypedDict):
    """An alert (kind `alerts`, by its id); fields have the names of the SDK's `AlertV2`."""

    id: str
    display_name: str
    query_text: str
    warehouse_id: str
    evaluation: Document  # with `state` and `last_evaluated_at` by the workspace
    schedule: Document
    owner_user_name: str
    effective_run_as: Document
    create_time: str  # as all times in the form of RFC 3339
    update_time: str
    lifecycle_state: Literal["ACTIVE", "DELETED"]
    parent_path: NotRequired[str]
    run_as: NotRequired[Document]
    run_as_user_name: NotRequired[str]
    custom_summary: NotRequired[str]
    custom_description: NotRequired[str]
    custom_template_format: NotRequired[str]
    parameters: NotRequired[list[Document]]


class NotificationDocument(TypedDict):
    """The last notification of an alert (kind `alert_notifications`, by the alert's id)."""

    time: str
    state: State
    message: str
    recipients: list[str]


ALERTS = DocumentKind[AlertDocument]("alerts")
NOTIFICATIONS = DocumentKind[NotificationDocument]("alert_notifications")
