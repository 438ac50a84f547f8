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


PIPELINES = DocumentKind[PipelineDocument]("pipelines")
UPDATES = DocumentKind[UpdateDocument]("pipeline_updates")
TABLES = DocumentKind[TableDocument]("pipeline_tables")
# Events as the API shows them, by `<pipeline id>/<number>`.
EVENTS = DocumentKind[Document]("pipeline_events")
# Batches whose figures the event log has, by `<pipeline id>/<flow>/<key of the batch>`; empty documents.
BATCHES = DocumentKind[Document]("pipeline_batches")
