"""Documents of the store that the Pipelines area keeps."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class PipelineDocument(TypedDict):
    """A pipeline (kind `pipelines`, by its id)."""

    pipeline_id: str
    name: str
    spec: Document
    creator_user_name: str
    run_as_user_name: str
    last_modified: int  # milliseconds


class UpdateDocument(TypedDict):
    """An update of a pipeline (kind `pipeline_updates`, by `<pipeline id>/<update id>`)."""

    pipeline_id: str
    update_id: str
    state: str
    cause: str
    config: Document  # the pipeline's spec when the update began
    creation_time: int  # milliseconds
    full_refresh: NotRequired[bool]
    full_refresh_selection: NotRequired[list[str]]
    refresh_selection: NotRequired[list[str]]
    validate_only: NotRequired[bool]


class TableDocument(TypedDict):
    """A table that a pipeline made (kind `pipeline_tables`, by `<pipeline id>/<full name>`)."""

    table: str


class BatchDocument(TypedDict):
    """The latest batch of a stream that the event log has (kind `pipeline_batches`).

    By `<pipeline id>/<flow>/<query id>`.
    """

    batch: int


PIPELINES = DocumentKind[PipelineDocument]("pipelines")
UPDATES = DocumentKind[UpdateDocument]("pipeline_updates")
TABLES = DocumentKind[TableDocument]("pipeline_tables")
# Events as the API shows them, by `<pipeline id>/<number>`.
EVENTS = DocumentKind[Document]("pipeline_events")
BATCHES = DocumentKind[BatchDocument]("pipeline_batches")
# Continuous pipelines that nobody has stopped, by their id; empty documents.
CONTINUOUS = DocumentKind[Document]("pipelines_continuous")
