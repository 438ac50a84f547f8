"""Documents of the store that the files area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import DocumentKind

ObjectType = Literal["DASHBOARD", "DIRECTORY", "FILE", "MLFLOW_EXPERIMENT"]


class ObjectDocument(TypedDict):
    """An object of the workspace (kind `workspace_objects`, by its path)."""

    object_id: int
    object_type: ObjectType
    path: str  # in the form that `workspace_files.canonical` returns
    created_at: int  # milliseconds, as all times
    modified_at: int
    resource_id: NotRequired[str]  # id in the area that keeps the rest of the object


OBJECTS = DocumentKind[ObjectDocument]("workspace_objects")
