"""Network policies: which destinations serverless compute may reach, and which policy a workspace has.

The local account keeps policies and enforces none: nothing that runs here is serverless.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from databricks.sdk.service import settings as sdk
from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.account.documents import (
    NETWORK_OPTIONS,
    NETWORK_POLICIES,
    NetworkOptionDocument,
    NetworkPolicyDocument,
)
from local.workspace.account.workspaces import find
from local.workspace.core.context import ACCOUNT_ID, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, already_exists, bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = f"{ACCOUNT}/network-policies"
_ONE = f"{_ALL}/{{identifier}}"
_OPTION = f"{ACCOUNT}/workspaces/{{workspace_id}}/network"
# Of every workspace that has no other; it exists from the start and stays.
DEFAULT = "default-policy"
_DEFAULT_POLICY: NetworkPolicyDocument = {
    "network_policy_id": DEFAULT,
    "account_id": ACCOUNT_ID,
    "egress": {"network_access": {"restriction_mode": "FULL_ACCESS"}},
}


@router.post(_ALL)
def create(request: Annotated[Document, body(sdk.AccountNetworkPolicy)], workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Makes a policy under the id that the caller gives it."""
    identifier = request.get("network_policy_id", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", identifier):
        raise bad_request(f"network_policy_id is {identifier!r}: small letters, digits and hyphens")
    new = _checked(request)
    with workspace.store.transaction():
        if identifier == DEFAULT or workspace.store.get(NETWORK_POLICIES, identifier):
            raise already_exists(f"Network policy {identifier} already exists")
        workspace.store.put(NETWORK_POLICIES, identifier, new)
    return new


@router.get(_ALL)
def list_all(workspace: WorkspaceDep) -> Document:
    """Returns all policies, the default one first."""
    return {"items": [_DEFAULT_POLICY, *(policy for _, policy in workspace.store.items(NETWORK_POLICIES))]}


@router.get(_ONE)
def get(identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a network policy."""
    return _find(workspace, identifier)


@router.put(_ONE)
def replace(
    identifier: str, request: Annotated[Document, body(sdk.AccountNetworkPolicy)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Replaces a policy."""
    with workspace.store.transaction():
        _find(workspace, identifier)
        new = _checked(request | {"network_policy_id": identifier})
        workspace.store.put(NETWORK_POLICIES, identifier, new)
    return new


@router.delete(_ONE)
def delete(identifier: str, workspace: WorkspaceDep) -> Document:
    """Removes a policy that no workspace has."""
    with workspace.store.transaction():
        _find(workspace, identifier)
        users = [key for key, item in workspace.store.items(NETWORK_OPTIONS) if item["network_policy_id"] == identifier]
        if identifier == DEFAULT or users:
            used = f"is used by workspaces {', '.join(users)}" if users else "is the account's own"
            raise ApiError(409, "RESOURCE_CONFLICT", f"network policy {identifier} {used}")
        workspace.store.delete(NETWORK_POLICIES, identifier)
    return {}


@router.get(_OPTION)
def option(workspace_id: int, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns the policy of a workspace."""
    find(workspace, workspace_id)
    return workspace.store.get(NETWORK_OPTIONS, str(workspace_id)) or {
        "workspace_id": workspace_id,
        "network_policy_id": DEFAULT,
    }


@router.put(_OPTION)
def set_option(
    workspace_id: int, request: Annotated[Document, body(sdk.WorkspaceNetworkOption)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Gives a workspace a policy; Databricks has no way to take it away."""
    policy = request.get("network_policy_id", DEFAULT)
    new = NetworkOptionDocument(workspace_id=workspace_id, network_policy_id=policy)
    with workspace.store.transaction():
        find(workspace, workspace_id)
        _find(workspace, new["network_policy_id"])
        workspace.store.put(NETWORK_OPTIONS, str(workspace_id), new)
    return new


def _find(workspace: Workspace, identifier: str) -> NetworkPolicyDocument:
    if identifier == DEFAULT:
        return workspace.store.get(NETWORK_POLICIES, DEFAULT) or _DEFAULT_POLICY
    return workspace.find(NETWORK_POLICIES, identifier, f"There is no network policy {identifier}")


def _checked(request: Document) -> NetworkPolicyDocument:
    """A policy as it is stored; restricted access alone may name destinations."""
    for name in ("ingress", "ingress_dry_run"):
        if name in request:
            raise not_built(f"{name} of a network policy")
    access = request.get("egress", {}).get("network_access", {})
    lists = [name for name in access if name.startswith("allowed_")]
    if access.get("restriction_mode") == "FULL_ACCESS" and lists:
        raise bad_request(f"{', '.join(lists)}: only RESTRICTED_ACCESS names destinations")
    return NETWORK_POLICIES.document(request | {"account_id": ACCOUNT_ID})
