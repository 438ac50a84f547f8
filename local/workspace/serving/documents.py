"""Documents of the store that the serving area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class EndpointState(TypedDict, total=False):
    """State of the latest update of an endpoint; empty before the first one."""

    config_update: Literal["IN_PROGRESS", "NOT_UPDATING", "UPDATE_FAILED"]


class EndpointDocument(TypedDict):
    """An endpoint (kind `serving_endpoints`, by its id)."""

    id: str
    name: str
    creator: str
    creation_timestamp: int  # milliseconds
    last_updated_timestamp: NotRequired[int]
    state: EndpointState
    config: NotRequired[Document]  # the active configuration
    pending_config: NotRequired[Document]  # the configuration of an update that has not succeeded
    tags: NotRequired[list[Document]]
    ai_gateway: NotRequired[Document]


ENDPOINTS = DocumentKind[EndpointDocument]("serving_endpoints")
