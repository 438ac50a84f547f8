"""Private access settings: whether a workspace is reached from the internet, and through which VPC endpoints."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from databricks.sdk.service import provisioning as sdk
from fastapi import APIRouter

from local.workspace.account import documents as kept
from local.workspace.account.collection import ACCOUNT, Collection
from local.workspace.account.configurations import ENDPOINTS
from local.workspace.account.documents import WORKSPACES
from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = f"{ACCOUNT}/private-access-settings"
_ONE = f"{_ALL}/{{identifier}}"
_DEFAULTS = {"public_access_enabled": False, "private_access_level": "ACCOUNT"}

PRIVATE_ACCESS = Collection(
    kept.PRIVATE_ACCESS,
    "private access settings",
    "private_access_settings_id",
    "private_access_settings_name",
    (WORKSPACES,),
)


@router.post(_ALL, status_code=201)
def create(
    request: Annotated[Document, body(sdk.PrivateAccessAPI.create)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Makes settings; the VPC endpoints that they allow have to be registered."""
    _check(workspace, request)
    return PRIVATE_ACCESS.create(workspace, _DEFAULTS | request)


@router.get(_ALL)
def list_all(workspace: WorkspaceDep) -> Sequence[Mapping[str, Any]]:
    """Returns all private access settings."""
    return PRIVATE_ACCESS.all(workspace)


@router.get(_ONE)
def get(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns private access settings."""
    return PRIVATE_ACCESS.find(workspace, identifier)


@router.put(_ONE)
def replace(
    identifier: str, request: Annotated[Document, body(sdk.PrivateAccessSettings)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Replaces settings; their region stays."""
    _check(workspace, request)
    with workspace.store.transaction():
        before = PRIVATE_ACCESS.find(workspace, identifier)
        if request["region"] != before["region"]:
            raise bad_request(f"region is {request['region']!r}; settings stay in {before['region']!r}")
        own = {name: before[name] for name in ("private_access_settings_id", "account_id", "creation_time")}
        new = kept.PRIVATE_ACCESS.document(_DEFAULTS | request | own)
        workspace.store.put(PRIVATE_ACCESS.kind, identifier, new)
    return new


@router.delete(_ONE)
def delete(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes settings that no workspace uses."""
    return PRIVATE_ACCESS.delete(workspace, identifier)


def _check(workspace: Workspace, request: Document) -> None:
    for field in ("private_access_settings_name", "region"):
        if not request.get(field):
            raise bad_request(f"missing field {field}")
    for identifier in request.get("allowed_vpc_endpoint_ids", []):
        ENDPOINTS.find(workspace, identifier)
