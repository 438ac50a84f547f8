"""Tags that objects of Unity Catalog and columns have (`entity-tag-assignments`)."""

import datetime
from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.account.documents import TAG_POLICIES
from local.workspace.authorisation import columns
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import already_exists, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.unity_catalog.access import check_privilege
from local.workspace.unity_catalog.documents import CATALOGS, SCHEMAS, TAGS, VIEWS, VOLUMES, TagDocument
from local.workspace.unity_catalog.securables import PAGE, UC, changing, find, missing
from local.workspace.unity_catalog.tags import tagged

router = APIRouter()
_ALL = f"{UC}/entity-tag-assignments"
_OF_ONE = f"{_ALL}/{{entity_type}}/{{entity_name}}/tags"
_ONE = f"{_OF_ONE}/{{tag_key}}"
_KINDS: dict[str, DocumentKind[Any]] = {"catalogs": CATALOGS, "schemas": SCHEMAS, "volumes": VOLUMES}
_TYPES = {"catalogs": "catalog", "schemas": "schema", "tables": "table", "columns": "table", "volumes": "volume"}


@router.post(_ALL)
def create(
    request: Annotated[Document, body(catalog.EntityTagAssignment)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Tags an object or a column."""
    with changing:
        kind, name = _entity(workspace, request["entity_type"], request["entity_name"])
        _check(workspace, caller, kind, name)
        if workspace.store.get(TAGS, f"{kind}/{name}/{request['tag_key']}"):
            raise already_exists(f"Tag assignment with tag key {request['tag_key']} already exists")
        given = request["entity_name"], request.get("tag_value", "")
        return {**_put(workspace, caller, kind, name, request["tag_key"], *given)}


@router.get(_OF_ONE)
def list_all(
    entity_type: str, entity_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns the tags of an object or a column."""
    kind, name = _entity(workspace, entity_type, entity_name)
    tags = [document for _, document in workspace.store.items(TAGS, f"{kind}/{name}/")]
    return page(tags, "tag_assignments", max_results or PAGE, page_token, most=PAGE)


@router.get(_ONE)
def get(entity_type: str, entity_name: str, tag_key: str, workspace: WorkspaceDep) -> Document:
    """Returns a tag of an object or a column."""
    return {**_find(workspace, *_entity(workspace, entity_type, entity_name), tag_key)}


@router.patch(_ONE)
def update(
    entity_type: str,
    entity_name: str,
    tag_key: str,
    request: Annotated[Document, body(catalog.EntityTagAssignment)],
    workspace: WorkspaceDep,
    caller: Caller,
    update_mask: str = "",
) -> Document:
    """Changes the value of a tag."""
    if update_mask != "tag_value":
        raise bad_request(f"update_mask is {update_mask!r}; allowed: tag_value")
    with changing:
        kind, name = _entity(workspace, entity_type, entity_name)
        called = _find(workspace, kind, name, tag_key)["entity_name"]
        _check(workspace, caller, kind, name)
        return {**_put(workspace, caller, kind, name, tag_key, called, request.get("tag_value", ""))}


@router.delete(_ONE)
def delete(entity_type: str, entity_name: str, tag_key: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Takes a tag away; also one that a dropped table or column had."""
    kind, name = entity_type.lower(), entity_name.lower()
    with changing:
        _find(workspace, kind, name, tag_key)
        _check(workspace, caller, kind, name)
        workspace.store.delete(TAGS, f"{kind}/{name}/{tag_key}")
        return {}


def _entity(workspace: Workspace, entity_type: str, entity_name: str) -> tuple[str, str]:
    """The type and the name of an object in the form of the store; raises ApiError where there is no such object."""
    kind, name = entity_type.lower(), entity_name.lower()
    if kind not in _TYPES:
        raise bad_request(f"entity_type is {entity_type!r}; allowed: {', '.join(_TYPES)}")
    if kind in _KINDS:
        return kind, find(workspace, _KINDS[kind], name)["full_name"]
    table, column = ".".join(name.split(".", 3)[:3]), name.split(".", 3)[3:]
    if workspace.store.get(VIEWS, table):
        return kind, name
    there = columns.has_column(workspace, table, "".join(column)) if table.count(".") == 2 else None
    if there is None:
        raise missing("table", table)
    if (kind == "columns") != bool(column):
        raise bad_request(f"entity_name is {entity_name!r}: the full name of one of the {kind}")
    if column and not there:
        raise not_found(f"Column '{column[0]}' does not exist in Table '{table}'.")
    return kind, name


def _find(workspace: Workspace, kind: str, name: str, tag_key: str) -> TagDocument:
    message = f"Tag assignment with tag key {tag_key} does not exist on {name}"
    return workspace.find(TAGS, f"{kind}/{name}/{tag_key}", message)


def _check(workspace: Workspace, caller: Principal, kind: str, name: str) -> None:
    securable = ".".join(name.split(".", 3)[:3]) if kind == "columns" else name
    check_privilege(workspace, caller, _TYPES[kind], securable, "APPLY_TAG")


def _put(
    workspace: Workspace, caller: Principal, kind: str, name: str, key: str, called: str, value: str
) -> TagDocument:
    policy = workspace.store.get(TAG_POLICIES, key)
    allowed = [item["name"] for item in policy.get("values", [])] if policy else []
    if allowed and value not in allowed:
        raise bad_request(f"Tag value {value} is not an allowed value for tag policy key {key}: {', '.join(allowed)}")
    others = {document["tag_key"]: "" for _, document in workspace.store.items(TAGS, f"{kind}/{name}/")}
    tagged(others, {key: value})
    document: TagDocument = {
        "entity_type": kind,
        "entity_name": called,  # in the case that was given
        "tag_key": key,
        "tag_value": value,
        "update_time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "updated_by": caller.name,
    }
    workspace.store.put(TAGS, f"{kind}/{name}/{key}", document)
    return document
