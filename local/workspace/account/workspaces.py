"""Workspaces of the account, their connectivity for serverless compute, and the network policy of each.

This server is the account and a workspace at once. A workspace that is made here gets an id and a state of its own, and
this server's address: what is deployed to it lands in the one workspace that there is.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from databricks.sdk.service import provisioning as sdk
from databricks.sdk.service import settings as network_sdk
from fastapi import APIRouter, Request

from local.workspace.account import documents as kept
from local.workspace.account.collection import ACCOUNT, Collection
from local.workspace.account.configurations import CREDENTIALS, KEYS, NETWORKS, STORAGE
from local.workspace.account.documents import ASSIGNMENTS, NETWORK_OPTIONS, WORKSPACES, WorkspaceDocument
from local.workspace.account.private_access import PRIVATE_ACCESS
from local.workspace.core.clock import now_ms
from local.workspace.core.context import ACCOUNT_ID, Workspace, WorkspaceDep
from local.workspace.core.errors import already_exists, bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = f"{ACCOUNT}/workspaces"
_ONE = f"{_ALL}/{{workspace_id}}"
_CONNECTIVITY = f"{ACCOUNT}/network-connectivity-configs"
_PROVISIONING_MS = 1000  # minutes on Databricks
_REQUIRED = ("workspace_name", "aws_region", "credentials_id", "storage_configuration_id")
_NOT_BUILT = ("cloud_resource_container", "compute_mode", "gcp_managed_network_config", "gke_config", "location")
# Further fields that the Terraform provider sends, which Databricks takes and does not answer.
_ALSO = {"account_id": str, "is_no_public_ip_enabled": bool, "effective_compute_mode": str}

CONNECTIVITY = Collection(
    kept.CONNECTIVITY,
    "network connectivity configuration",
    "network_connectivity_config_id",
    "name",
    (WORKSPACES,),
)
# What a workspace refers to by an id.
_REFERENCES = {
    "credentials_id": CREDENTIALS,
    "storage_configuration_id": STORAGE,
    "network_id": NETWORKS,
    "private_access_settings_id": PRIVATE_ACCESS,
    "managed_services_customer_managed_key_id": KEYS,
    "storage_customer_managed_key_id": KEYS,
    "network_connectivity_config_id": CONNECTIVITY,
}
_CHANGEABLE = {*_REFERENCES, "custom_tags"} - {"storage_configuration_id"}
_USES = {
    "managed_services_customer_managed_key_id": "MANAGED_SERVICES",
    "storage_customer_managed_key_id": "STORAGE",
}


@router.post(_ALL, status_code=201)
def create(
    content: Annotated[Document, body(sdk.WorkspacesAPI.create, _ALSO)], workspace: WorkspaceDep, request: Request
) -> Document:
    """Makes a workspace, which runs a little later."""
    for name in _NOT_BUILT:
        if name in content:
            raise not_built(f"{name} of a workspace")
    for name in _REQUIRED:
        if not content.get(name):
            raise bad_request(f"missing field {name}")
    with workspace.store.transaction():
        if any(other["workspace_name"] == content["workspace_name"] for other in _all(workspace)):
            raise already_exists(f"A workspace with the name {content['workspace_name']!r} already exists")
        _check_references(workspace, content, content["aws_region"])
        number = workspace.store.next_id("workspace")
        wanted = {name: value for name, value in content.items() if name not in _ALSO}
        new = WORKSPACES.document(
            {"pricing_tier": "ENTERPRISE", "deployment_name": f"dbc-{number}"}
            | wanted
            | {"workspace_id": number, "account_id": ACCOUNT_ID, "creation_time": now_ms()},
        )
        workspace.store.put(WORKSPACES, str(number), new)
    return _shown(new, request)


@router.get(_ALL)
def list_all(workspace: WorkspaceDep, request: Request) -> list[Document]:
    """Returns all workspaces, the local one first."""
    return [_shown(document, request) for document in _all(workspace)]


@router.get(_ONE)
def get(workspace_id: int, workspace: WorkspaceDep, request: Request) -> Document:
    """Returns a workspace."""
    return _shown(find(workspace, workspace_id), request)


@router.patch(_ONE)
def update(
    workspace_id: int,
    content: Annotated[Document, body(sdk.Workspace)],
    workspace: WorkspaceDep,
    request: Request,
    update_mask: str = "",
) -> Document:
    """Changes the named fields of a workspace."""
    names = {name for name in update_mask.split(",") if name}
    if names - _CHANGEABLE or names != set(content):
        allowed = ", ".join(sorted(_CHANGEABLE))
        raise bad_request(f"update_mask has {sorted(names)}, the body {sorted(content)}; equal ones of {allowed}")
    with workspace.store.transaction():
        before = _made(workspace, workspace_id)
        if "private_access_settings_id" in before and not content.get("private_access_settings_id", "kept"):
            raise bad_request("private_access_settings_id cannot be taken from a workspace")
        _check_references(workspace, content, before["aws_region"])
        new = WORKSPACES.document({**before, **content})
        workspace.store.put(WORKSPACES, str(workspace_id), new)
    return _shown(new, request)


@router.delete(_ONE)
def delete(workspace_id: int, workspace: WorkspaceDep, request: Request) -> Document:
    """Removes a workspace with its metastore's assignment and its network option."""
    with workspace.store.transaction():
        document = _made(workspace, workspace_id)
        for kind in (WORKSPACES, ASSIGNMENTS, NETWORK_OPTIONS):
            workspace.store.delete(kind, str(workspace_id))
    return _shown(document, request)


@router.post(_CONNECTIVITY, status_code=201)
def create_connectivity(
    content: Annotated[Document, body(network_sdk.CreateNetworkConnectivityConfiguration)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Makes a network connectivity configuration; a workspace is bound to it by its update."""
    if not re.fullmatch(r"[0-9A-Za-z_-]{3,30}", content["name"]):
        raise bad_request(f"name is {content['name']!r}: 3 to 30 letters, digits, hyphens and underscores")
    return CONNECTIVITY.create(workspace, content | {"updated_time": now_ms()})


@router.get(_CONNECTIVITY)
def list_connectivity(workspace: WorkspaceDep) -> Document:
    """Returns all network connectivity configurations."""
    return {"items": CONNECTIVITY.all(workspace)}


@router.get(f"{_CONNECTIVITY}/{{identifier}}")
def get_connectivity(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a network connectivity configuration."""
    return CONNECTIVITY.find(workspace, identifier)


@router.delete(f"{_CONNECTIVITY}/{{identifier}}")
def delete_connectivity(identifier: str, workspace: WorkspaceDep) -> Document:
    """Removes a network connectivity configuration that no workspace is bound to."""
    CONNECTIVITY.delete(workspace, identifier)
    return {}


def find(workspace: Workspace, workspace_id: int) -> WorkspaceDocument:
    """Returns a workspace of the account, the local one included.

    Raises:
        ApiError: There is none of this id.
    """
    if workspace_id == workspace.workspace_id:
        return _own(workspace)
    message = f"There is no workspace {workspace_id}"
    return workspace.find(WORKSPACES, str(workspace_id), message)


def _made(workspace: Workspace, workspace_id: int) -> WorkspaceDocument:
    """A workspace that this API has made; the local one cannot be changed."""
    if workspace_id == workspace.workspace_id:
        raise not_built("changing the local workspace itself")
    return find(workspace, workspace_id)


def _all(workspace: Workspace) -> list[WorkspaceDocument]:
    return [_own(workspace), *(document for _, document in workspace.store.items(WORKSPACES))]


def _own(workspace: Workspace) -> WorkspaceDocument:
    """The workspace that this server is."""
    return {
        "workspace_id": workspace.workspace_id,
        "workspace_name": "local",
        "deployment_name": "local",
        "aws_region": "local",
        "pricing_tier": "ENTERPRISE",
        "account_id": ACCOUNT_ID,
        "creation_time": 0,
    }


def _check_references(workspace: Workspace, content: Document, region: str) -> None:
    """Requires that what a workspace refers to exists, is in its region, and is meant for this use."""
    for name, collection in _REFERENCES.items():
        if name not in content:
            continue
        found = collection.find(workspace, content[name])  # type: ignore[attr-defined]  # one class, several documents
        place = found.get("region") or found.get("aws_key_info", {}).get("key_region") or region
        if place != region:
            raise bad_request(f"{name}: {content[name]} is in {place}, and the workspace in {region}")
        if name in _USES and _USES[name] not in found["use_cases"]:
            raise bad_request(f"{name}: key {content[name]} is for {', '.join(found['use_cases'])}")


def _shown(document: WorkspaceDocument, request: Request) -> Document:
    """A workspace with its address and the state of its age."""
    running = now_ms() - document["creation_time"] >= _PROVISIONING_MS
    status = ("RUNNING", "Workspace is running.") if running else ("PROVISIONING", "Workspace is being made.")
    return {
        **document,
        "cloud": "aws",
        "workspace_url": str(request.base_url).rstrip("/"),
        "workspace_status": status[0],
        "workspace_status_message": status[1],
    }
