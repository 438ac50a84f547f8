"""Metastores of the account, one in a region, and their assignment to workspaces.

The workspace's own metastore is among them: it is in the region `local`, and stays.
"""

import uuid
from typing import Annotated

from databricks.sdk.service import catalog as sdk
from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.account.documents import ASSIGNMENTS, METASTORES, AssignmentDocument, MetastoreDocument
from local.workspace.account.workspaces import find as find_workspace
from local.workspace.core.clock import now_ms
from local.workspace.core.context import ADMIN, SYSTEM_USER, Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_built, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import metastore as own
from local.workspace.unity_catalog.securables import check_owner

router = APIRouter()
_ALL = f"{ACCOUNT}/metastores"
_ONE = f"{_ALL}/{{identifier}}"
_ASSIGNED = f"{ACCOUNT}/workspaces/{{workspace_id}}/metastores/{{identifier}}"
_NOT_BUILT = ("delta_sharing_scope", "delta_sharing_organization_name", "storage_root_credential_id")


@router.post(_ALL, status_code=201)
def create(
    request: Annotated[Document, body(sdk.AccountMetastoresAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Makes a metastore, the only one in its region."""
    wanted = request.get("metastore_info", {})
    if "region" not in wanted:
        raise bad_request("missing field metastore_info.region")
    if "external_access_enabled" in wanted:
        raise not_built("external_access_enabled of a metastore")
    now = now_ms()
    new: MetastoreDocument = {
        "metastore_id": str(uuid.uuid4()),
        "name": wanted["name"],
        "region": wanted["region"],
        "cloud": "aws",
        "owner": caller.name,
        "created_at": now,
        "created_by": caller.name,
        "updated_at": now,
        "updated_by": caller.name,
    }
    if "storage_root" in wanted:
        new["storage_root"] = wanted["storage_root"]
    with workspace.store.transaction():
        for _, other in workspace.store.items(METASTORES):
            if other["region"] == new["region"]:
                limit = f"the limit for metastores in region {new['region']}, where {other['metastore_id']} is"
                raise bad_request(f"This account has reached {limit}", "QUOTA_EXCEEDED")
            if other["name"] == new["name"]:
                raise bad_request(f"Metastore '{new['name']}' already exists", "METASTORE_ALREADY_EXISTS")
        workspace.store.put(METASTORES, new["metastore_id"], new)
    return {"metastore_info": new}


@router.get(_ALL)
def list_all(workspace: WorkspaceDep) -> Document:
    """Returns all metastores."""
    return {"metastores": [own.summary(workspace), *(item for _, item in workspace.store.items(METASTORES))]}


@router.get(_ONE)
def get(identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns a metastore."""
    if identifier == workspace.metastore_id:
        return {"metastore_info": own.summary(workspace)}
    return {"metastore_info": _find(workspace, identifier)}


@router.put(_ONE)
def update(
    identifier: str,
    request: Annotated[Document, body(sdk.AccountMetastoresAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a metastore; its name and its region stay. The owner is its administrator, and empty for nobody."""
    wanted = request.get("metastore_info", {})
    for name in _NOT_BUILT:
        if name in wanted:
            raise not_built(f"{name} of a metastore")
    if identifier == workspace.metastore_id and wanted.keys() == {"owner"}:
        if caller.name != ADMIN:
            raise permission_denied(f"{caller.name} is not an administrator of the account")
        if wanted["owner"]:
            check_owner(workspace, wanted["owner"])
        workspace.metastore_owner = wanted["owner"] or SYSTEM_USER
        return get(identifier, workspace)
    with workspace.store.transaction():
        changed = {**_find(workspace, identifier), **wanted, "updated_at": now_ms(), "updated_by": caller.name}
        new = METASTORES.document(changed)
        workspace.store.put(METASTORES, identifier, new)
    return {"metastore_info": new}


@router.delete(_ONE)
def delete(identifier: str, workspace: WorkspaceDep, force: bool = False) -> Document:
    """Removes a metastore that no workspace has, or by force with its assignments."""
    with workspace.store.transaction():
        _find(workspace, identifier)
        assigned = [key for key, item in workspace.store.items(ASSIGNMENTS) if item["metastore_id"] == identifier]
        if assigned and not force:
            message = f"metastore {identifier} is assigned to workspaces {', '.join(assigned)}; unassign it first"
            raise ApiError(409, "RESOURCE_CONFLICT", message)
        for key in assigned:
            workspace.store.delete(ASSIGNMENTS, key)
        workspace.store.delete(METASTORES, identifier)
    return {}


@router.get(f"{ACCOUNT}/workspaces/{{workspace_id}}/metastore")
def assignment(workspace_id: int, workspace: WorkspaceDep) -> Document:
    """Returns the metastore of a workspace."""
    if workspace_id == workspace.workspace_id:
        return {"metastore_assignment": own.assignment(workspace)}
    return {"metastore_assignment": _assignment(workspace, workspace_id)}


@router.post(_ASSIGNED, status_code=201)
@router.put(_ASSIGNED)
def assign(
    workspace_id: int,
    identifier: str,
    request: Annotated[Document, body(sdk.AccountMetastoreAssignmentsAPI.create, {"metastore_assignment": dict})],
    workspace: WorkspaceDep,
) -> Document:
    """Gives a workspace the metastore of its region."""
    wanted = request.get("metastore_assignment", {})
    if wanted.get("metastore_id", identifier) != identifier or int(wanted.get("workspace_id", workspace_id)) != (
        workspace_id
    ):
        raise bad_request("metastore_assignment: its ids are not those of the path")
    with workspace.store.transaction():
        target = find_workspace(workspace, workspace_id)
        # The workspace's own metastore is in no region: a workspace that is made here is this same server.
        region = (
            target["aws_region"] if identifier == workspace.metastore_id else _find(workspace, identifier)["region"]
        )
        if region != target["aws_region"]:
            regions = f"in {region}, and workspace {workspace_id} in {target['aws_region']}"
            raise bad_request(f"metastore {identifier} is {regions}; they must be in one region")
        current = workspace.store.get(ASSIGNMENTS, str(workspace_id))
        if current and current["metastore_id"] != identifier:
            message = f"workspace {workspace_id} has metastore {current['metastore_id']}; unassign it first"
            raise ApiError(409, "RESOURCE_CONFLICT", message)
        new: AssignmentDocument = {
            "metastore_id": identifier,
            "workspace_id": workspace_id,
            "default_catalog_name": wanted.get("default_catalog_name") or "main",
        }
        workspace.store.put(ASSIGNMENTS, str(workspace_id), new)
    return {}


@router.delete(_ASSIGNED)
def unassign(workspace_id: int, identifier: str, workspace: WorkspaceDep) -> Document:
    """Takes a workspace's metastore from it."""
    with workspace.store.transaction():
        if _assignment(workspace, workspace_id)["metastore_id"] != identifier:
            raise not_found(f"workspace {workspace_id} does not have metastore {identifier}")
        workspace.store.delete(ASSIGNMENTS, str(workspace_id))
    return {}


def _find(workspace: Workspace, identifier: str) -> MetastoreDocument:
    """A metastore that this API has made; of the workspace's own nothing but the owner can be changed."""
    if identifier == workspace.metastore_id:
        raise not_built("changing more than the owner of the metastore of the workspace itself")
    message = f"Metastore '{identifier}' does not exist."
    return workspace.find(METASTORES, identifier, message, "METASTORE_DOES_NOT_EXIST")


def _assignment(workspace: Workspace, workspace_id: int) -> AssignmentDocument:
    message = f"workspace {workspace_id} has no metastore"
    return workspace.find(ASSIGNMENTS, str(workspace_id), message, "METASTORE_DOES_NOT_EXIST")
