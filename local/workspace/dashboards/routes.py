"""AI/BI dashboards (Lakeview): drafts, published versions, and the trash."""

import json
import uuid
from collections.abc import Mapping
from typing import Annotated

from databricks.sdk.service import dashboards as sdk
from fastapi import APIRouter

from local.workspace.compute.documents import WAREHOUSES
from local.workspace.core.clock import timestamp
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.dashboards.documents import DASHBOARDS, PUBLISHED, DashboardDocument, PublishedDocument
from local.workspace.files import workspace_files
from local.workspace.files.documents import OBJECTS

router = APIRouter()
_API = "/api/2.0/lakeview/dashboards"
_PREFIX = "/Workspace"
_SUFFIX = ".lvdash.json"
_PAGE = 100  # dashboards of a page at most


@router.post(_API)
def create(request: Annotated[Document, body(sdk.Dashboard)], workspace: WorkspaceDep, caller: Caller) -> Document:
    name = request.get("display_name")
    if not name or "/" in name:
        raise bad_request(f"display_name is {name!r}: give a name without a slash")
    parent = workspace_files.canonical(request.get("parent_path") or f"/Users/{caller.name}")
    with workspace.store.transaction():
        folder = workspace.store.get(OBJECTS, parent)
        if folder is None or folder["object_type"] != "DIRECTORY":
            raise not_found(f"Path ({parent}) doesn't exist.")
        path = f"{parent.rstrip('/')}/{name}{_SUFFIX}"
        if workspace.store.get(OBJECTS, path):
            raise bad_request(f"Node with name {name}{_SUFFIX} already exists", "RESOURCE_ALREADY_EXISTS")
        identifier = uuid.uuid4().hex
        document = {
            "dashboard_id": identifier,
            "display_name": name,
            "parent_path": _PREFIX + parent,
            "path": path,
            "create_time": timestamp(),
            "lifecycle_state": "ACTIVE",
            "serialized_dashboard": "{}",
            "creator_name": caller.name,
        }
        _write(workspace, DASHBOARDS.document(document | _changes(request)))
        workspace_files.put_object(workspace, path, "DASHBOARD", resource_id=identifier)
        return get(identifier, workspace)


@router.get(_API)
def list_all(workspace: WorkspaceDep, page_size: int = 0, page_token: str = "", show_trashed: bool = False) -> Document:
    shown = [
        _without_content(_shown(document))
        for _, document in workspace.store.items(DASHBOARDS)
        if show_trashed or document["lifecycle_state"] == "ACTIVE"
    ]
    return page(shown, "dashboards", page_size or _PAGE, page_token, most=_PAGE)


@router.get(f"{_API}/{{identifier}}")
def get(identifier: str, workspace: WorkspaceDep) -> Document:
    return _shown(_find(workspace, identifier))


@router.patch(f"{_API}/{{identifier}}")
def update(identifier: str, request: Annotated[Document, body(sdk.Dashboard)], workspace: WorkspaceDep) -> Document:
    with workspace.store.transaction():
        document = _active(workspace, identifier)
        if request.get("etag") not in (None, "", document["etag"]):
            message = f"etag is {request['etag']}, the dashboard's is {document['etag']}: read it again, then change it"
            raise ApiError(409, "ABORTED", message)
        name = request.get("display_name") or document["display_name"]
        if name != document["display_name"]:
            workspace_files.forget_object(workspace, document["path"])
            document["path"] = document["path"].rpartition("/")[0] + f"/{name}{_SUFFIX}"
            document["display_name"] = name
        _write(workspace, DASHBOARDS.document({**document, **_changes(request)}))
        workspace_files.put_object(workspace, document["path"], "DASHBOARD", resource_id=identifier)
        return get(identifier, workspace)


@router.delete(f"{_API}/{{identifier}}")
def trash(identifier: str, workspace: WorkspaceDep) -> Document:
    with workspace.store.transaction():
        document = _active(workspace, identifier)
        workspace_files.forget_object(workspace, document["path"])
        _to_trash(workspace, identifier)
        return {}


def _to_trash(workspace: Workspace, identifier: str) -> None:
    document = _find(workspace, identifier)
    document["lifecycle_state"] = "TRASHED"
    workspace.store.put(DASHBOARDS, identifier, document)
    workspace.store.delete(PUBLISHED, identifier)


workspace_files.removers["DASHBOARD"] = lambda workspace, item: _to_trash(workspace, item["resource_id"])


@router.post(f"{_API}/{{identifier}}/published")
def publish(
    identifier: str,
    request: Annotated[Document, body(sdk.LakeviewAPI.publish)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    with workspace.store.transaction():
        document = _active(workspace, identifier)
        published: PublishedDocument = {
            "display_name": document["display_name"],
            "embed_credentials": request.get("embed_credentials", True),
            "publisher_name": caller.name,
            "warehouse_id": request.get("warehouse_id") or document.get("warehouse_id", ""),
            "revision_create_time": timestamp(),
            "serialized_dashboard": document["serialized_dashboard"],
        }
        workspace.store.put(PUBLISHED, identifier, published)
        return _without_content(published)


@router.get(f"{_API}/{{identifier}}/published")
def get_published(identifier: str, workspace: WorkspaceDep) -> Document:
    _find(workspace, identifier)
    published = workspace.find(PUBLISHED, identifier, f"Dashboard {identifier} is not published.")
    return _without_content(published)


def _find(workspace: Workspace, identifier: str) -> DashboardDocument:
    return workspace.find(DASHBOARDS, identifier, f"Unable to find dashboard {identifier}.")


def _active(workspace: Workspace, identifier: str) -> DashboardDocument:
    document = _find(workspace, identifier)
    if document["lifecycle_state"] != "ACTIVE":
        raise permission_denied(f"Dashboard {identifier} is in the trash.")
    return document


def _changes(request: Document) -> Document:
    """The fields of a request that a caller can set; the workspace sets the others."""
    changed: Document = {key: request[key] for key in ("serialized_dashboard", "warehouse_id") if key in request}
    try:
        content = json.loads(changed.get("serialized_dashboard") or "{}")
    except ValueError as error:
        raise bad_request(f"serialized_dashboard is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise bad_request("serialized_dashboard must be the text of an object")
    return changed


def _write(workspace: Workspace, document: DashboardDocument) -> None:
    if document.get("warehouse_id"):
        missing = f"SQL warehouse {document['warehouse_id']} does not exist."
        workspace.find(WAREHOUSES, document["warehouse_id"], missing)
    document |= {"update_time": timestamp(), "etag": str(workspace.store.next_id("dashboard_etags"))}
    workspace.store.put(DASHBOARDS, document["dashboard_id"], document)


def _shown(document: DashboardDocument) -> Document:
    return {key: value for key, value in document.items() if key != "creator_name"}


def _without_content(shown: Mapping[str, object]) -> Document:
    hidden = ("publisher_name", "serialized_dashboard")
    return {key: value for key, value in shown.items() if key not in hidden}
