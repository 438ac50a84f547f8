"""AI/BI dashboards (Lakeview): drafts, published versions, and the trash."""

import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from databricks.sdk.service import dashboards as sdk
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.files import workspace_files

router = APIRouter()
_API = "/api/2.0/lakeview/dashboards"
_PREFIX = "/Workspace"
_SUFFIX = ".lvdash.json"
_MAX_PAGE = 100


@router.post(_API)
def create(sent: Annotated[dict[str, Any], Depends(body(sdk.Dashboard))], here: Here, caller: Caller) -> Document:
    name = sent.get("display_name")
    if not name or "/" in name:
        raise bad_request(f"display_name is {name!r}: give a name without a slash")
    parent = workspace_files.canonical(sent.get("parent_path") or f"/Users/{caller.name}")
    with here.store.transaction():
        folder = here.store.get("workspace_objects", parent)
        if folder is None or folder["object_type"] != "DIRECTORY":
            raise not_found(f"Path ({parent}) doesn't exist.")
        path = f"{parent.rstrip('/')}/{name}{_SUFFIX}"
        if here.store.get("workspace_objects", path):
            raise bad_request(f"Node with name {name}{_SUFFIX} already exists", "RESOURCE_ALREADY_EXISTS")
        document = {
            "dashboard_id": uuid.uuid4().hex,
            "display_name": name,
            "parent_path": _PREFIX + parent,
            "path": path,
            "create_time": _now(),
            "lifecycle_state": "ACTIVE",
            "serialized_dashboard": "{}",
            "creator_name": caller.name,
        }
        _write(here, document | _changes(sent))
        workspace_files.put_object(here, path, "DASHBOARD", resource_id=document["dashboard_id"])
        return get(document["dashboard_id"], here)


@router.get(_API)
def list_all(here: Here, page_size: int = 0, page_token: str = "", show_trashed: bool = False) -> Document:
    if page_token and not page_token.isdecimal():
        raise bad_request(f"page_token {page_token!r} was not given by this workspace")
    found = [
        {key: value for key, value in _shown(document).items() if key != "serialized_dashboard"}
        for _, document in here.store.items("dashboards")
        if show_trashed or document["lifecycle_state"] == "ACTIVE"
    ]
    start, size = int(page_token or 0), page_size or _MAX_PAGE
    rest = {"next_page_token": str(start + size)} if start + size < len(found) else {}
    return {"dashboards": found[start : start + size]} | rest


@router.get(f"{_API}/{{identifier}}")
def get(identifier: str, here: Here) -> Document:
    return _shown(_find(here, identifier))


@router.patch(f"{_API}/{{identifier}}")
def update(identifier: str, sent: Annotated[dict[str, Any], Depends(body(sdk.Dashboard))], here: Here) -> Document:
    with here.store.transaction():
        document = _active(here, identifier)
        if sent.get("etag") not in (None, "", document["etag"]):
            message = f"etag is {sent['etag']}, the dashboard's is {document['etag']}: read it again, then change it"
            raise ApiError(409, "ABORTED", message)
        name = sent.get("display_name") or document["display_name"]
        if name != document["display_name"]:
            workspace_files.forget_object(here, document["path"])
            path = document["path"].rpartition("/")[0] + f"/{name}{_SUFFIX}"
            document |= {"display_name": name, "path": path}
        _write(here, document | _changes(sent))
        workspace_files.put_object(here, document["path"], "DASHBOARD", resource_id=identifier)
        return get(identifier, here)


@router.delete(f"{_API}/{{identifier}}")
def trash(identifier: str, here: Here) -> Document:
    with here.store.transaction():
        document = _active(here, identifier)
        workspace_files.forget_object(here, document["path"])
        _to_trash(here, identifier)
        return {}


def _to_trash(here: Workspace, identifier: str) -> None:
    here.store.put("dashboards", identifier, _find(here, identifier) | {"lifecycle_state": "TRASHED"})
    here.store.delete("published_dashboards", identifier)


workspace_files.removers["DASHBOARD"] = lambda here, there: _to_trash(here, there["resource_id"])


@router.post(f"{_API}/{{identifier}}/published")
def publish(
    identifier: str, sent: Annotated[dict[str, Any], Depends(body(sdk.LakeviewAPI.publish))], here: Here
) -> Document:
    with here.store.transaction():
        document = _active(here, identifier)
        published = {
            "display_name": document["display_name"],
            "embed_credentials": sent.get("embed_credentials", True),
            "warehouse_id": sent.get("warehouse_id") or document.get("warehouse_id", ""),
            "revision_create_time": _now(),
        }
        here.store.put(
            "published_dashboards", identifier, published | {"serialized_dashboard": document["serialized_dashboard"]}
        )
        return published


@router.get(f"{_API}/{{identifier}}/published")
def get_published(identifier: str, here: Here) -> Document:
    _find(here, identifier)
    published = here.store.get("published_dashboards", identifier)
    if published is None:
        raise not_found(f"Dashboard {identifier} is not published.")
    return {key: value for key, value in published.items() if key != "serialized_dashboard"}


def _find(here: Workspace, identifier: str) -> Document:
    document = here.store.get("dashboards", identifier)
    if document is None:
        raise not_found(f"Unable to find dashboard {identifier}.")
    return document


def _active(here: Workspace, identifier: str) -> Document:
    document = _find(here, identifier)
    if document["lifecycle_state"] != "ACTIVE":
        raise permission_denied(f"Dashboard {identifier} is in the trash.")
    return document


def _changes(sent: Document) -> Document:
    """The fields that a caller sets; the others of the dataclass are the workspace's answers."""
    changed: Document = {key: sent[key] for key in ("serialized_dashboard", "warehouse_id") if key in sent}
    try:
        content = json.loads(changed.get("serialized_dashboard") or "{}")
    except ValueError as error:
        raise bad_request(f"serialized_dashboard is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise bad_request("serialized_dashboard must be the text of an object")
    return changed


def _write(here: Workspace, document: Document) -> None:
    if document.get("warehouse_id") and here.store.get("warehouses", document["warehouse_id"]) is None:
        raise not_found(f"SQL warehouse {document['warehouse_id']} does not exist.")
    document |= {"update_time": _now(), "etag": str(here.store.next_id("dashboard_etags"))}
    here.store.put("dashboards", document["dashboard_id"], document)


def _shown(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "creator_name"}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
