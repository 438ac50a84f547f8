"""Governed tags (`/api/2.1/tag-policies`): of the whole account, and reached through any of its workspaces."""

import datetime
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from databricks.sdk.service import tags as sdk
from fastapi import APIRouter

from local.workspace.account.documents import TAG_POLICIES, TagPolicyDocument
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, already_exists, bad_request, permission_denied
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = "/api/2.1/tag-policies"
_ONE = f"{_ALL}/{{tag_key}}"
_PAGE = 1000
_CHANGEABLE = {"description", "values"}

_changing = threading.Lock()
_CHANGE_SECONDS = 0.2  # how long a change takes, as on Databricks about


@contextmanager
def _one_change() -> Iterator[None]:
    """One change of the account's tags; Databricks refuses a second one at the same time."""
    if not _changing.acquire(blocking=False):
        raise ApiError(409, "ABORTED", "concurrent modification of tag policies; change one after the other")
    try:
        yield
        time.sleep(_CHANGE_SECONDS)
    finally:
        _changing.release()


@router.post(_ALL)
def create(
    request: Annotated[Document, body(sdk.TagPolicy)], workspace: WorkspaceDep, caller: Caller
) -> Mapping[str, Any]:
    """Governs a tag."""
    _check(caller, request)
    now = _now()
    new = TAG_POLICIES.document(request | {"id": str(uuid.uuid4()), "create_time": now, "update_time": now})
    with _one_change(), workspace.store.transaction():
        if workspace.store.get(TAG_POLICIES, new["tag_key"]):
            raise already_exists(f"Tag policy with key {new['tag_key']} already exists")
        workspace.store.put(TAG_POLICIES, new["tag_key"], new)
    return new


@router.get(_ALL)
def list_all(workspace: WorkspaceDep, page_size: int = _PAGE, page_token: str = "") -> Document:
    """Returns all governed tags."""
    policies = [document for _, document in workspace.store.items(TAG_POLICIES)]
    return page(policies, "tag_policies", page_size or _PAGE, page_token, most=_PAGE)


@router.get(_ONE)
def get(tag_key: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a governed tag."""
    return _find(workspace, tag_key)


@router.patch(_ONE)
def update(
    tag_key: str,
    request: Annotated[Document, body(sdk.TagPolicy)],
    workspace: WorkspaceDep,
    caller: Caller,
    update_mask: str = "",
) -> Mapping[str, Any]:
    """Changes the description, the values or both."""
    _check(caller, request)
    names = {name for name in update_mask.split(",") if name}
    if not names or names - _CHANGEABLE:
        raise bad_request(f"update_mask is {update_mask!r}; allowed: {', '.join(sorted(_CHANGEABLE))}")
    with _one_change(), workspace.store.transaction():
        kept = {name: value for name, value in _find(workspace, tag_key).items() if name not in names}
        changed = {name: value for name, value in request.items() if name in names}
        new = TAG_POLICIES.document(kept | changed | {"update_time": _now()})
        workspace.store.put(TAG_POLICIES, tag_key, new)
    return new


@router.delete(_ONE)
def delete(tag_key: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Stops governing a tag."""
    _check(caller, {})
    with _one_change(), workspace.store.transaction():
        _find(workspace, tag_key)
        workspace.store.delete(TAG_POLICIES, tag_key)
    return {}


def _find(workspace: Workspace, tag_key: str) -> TagPolicyDocument:
    return workspace.find(TAG_POLICIES, tag_key, f"There is no tag policy with key {tag_key}")


def _check(caller: Principal, request: Document) -> None:
    if not caller.admin:
        raise permission_denied(f"{caller.name} may not govern tags")
    names = [value["name"] for value in request.get("values", [])]
    if len(set(names)) < len(names):
        raise bad_request(f"values are {names}; each may be there once")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()
