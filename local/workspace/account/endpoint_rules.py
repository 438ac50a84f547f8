"""Private endpoint rules: the way of serverless compute to services in somebody's network.

The local account keeps rules, and nobody accepts their connections: nothing that runs here is serverless.
"""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from databricks.sdk.service import settings as sdk
from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.account.documents import ENDPOINT_RULES, EndpointRuleDocument
from local.workspace.account.workspaces import CONNECTIVITY
from local.workspace.core.clock import now_ms
from local.workspace.core.context import ACCOUNT_ID, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = f"{ACCOUNT}/network-connectivity-configs/{{connectivity}}/private-endpoint-rules"
_ONE = f"{_ALL}/{{identifier}}"
_NOT_BUILT = ("error_message", "gcp_endpoint", "group_id", "resource_id", "resource_names")


@router.post(_ALL, status_code=201)
def create(
    connectivity: str, request: Annotated[Document, body(sdk.CreatePrivateEndpointRule)], workspace: WorkspaceDep
) -> Mapping[str, Any]:
    """Makes a rule for an endpoint service; its connection waits for the service's owner."""
    for name in _NOT_BUILT:
        if name in request:
            raise not_built(f"{name} of a private endpoint rule")
    if not request.get("endpoint_service", "").startswith("com.amazonaws.vpce."):
        raise bad_request(f"endpoint_service is {request.get('endpoint_service')!r}; allowed: com.amazonaws.vpce.…")
    now = now_ms()
    new: EndpointRuleDocument = {
        "rule_id": str(uuid.uuid4()),
        "network_connectivity_config_id": connectivity,
        "account_id": ACCOUNT_ID,
        "endpoint_service": request["endpoint_service"],
        "domain_names": _domains(request),
        "connection_state": "PENDING",
        "enabled": True,
        "deactivated": False,
        "vpc_endpoint_id": f"vpce-{uuid.uuid4().hex[:17]}",
        "creation_time": now,
        "updated_time": now,
    }
    with workspace.store.transaction():
        CONNECTIVITY.find(workspace, connectivity)
        _check_domains(workspace, new)
        workspace.store.put(ENDPOINT_RULES, new["rule_id"], new)
    return new


@router.get(_ALL)
def list_all(connectivity: str, workspace: WorkspaceDep) -> Document:
    """Returns the rules of a configuration."""
    CONNECTIVITY.find(workspace, connectivity)
    return {"items": _of(workspace, connectivity)}


@router.get(_ONE)
def get(connectivity: str, identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Returns a rule."""
    return _find(workspace, connectivity, identifier)


@router.patch(_ONE)
def update(
    connectivity: str,
    identifier: str,
    request: Annotated[Document, body(sdk.UpdatePrivateEndpointRule)],
    workspace: WorkspaceDep,
    update_mask: str = "",
) -> Mapping[str, Any]:
    """Changes the domain names of a rule."""
    if update_mask != "domain_names":
        raise not_built(f"update_mask {update_mask!r} of a private endpoint rule")
    with workspace.store.transaction():
        before = _find(workspace, connectivity, identifier)
        new = ENDPOINT_RULES.document({**before, "domain_names": _domains(request), "updated_time": now_ms()})
        _check_domains(workspace, new)
        workspace.store.put(ENDPOINT_RULES, identifier, new)
    return new


@router.delete(_ONE)
def delete(connectivity: str, identifier: str, workspace: WorkspaceDep) -> Mapping[str, Any]:
    """Removes a rule whose connection nobody has accepted, which is at once."""
    with workspace.store.transaction():
        rule = _find(workspace, connectivity, identifier)
        workspace.store.delete(ENDPOINT_RULES, identifier)
    return rule


def _of(workspace: Workspace, connectivity: str) -> list[EndpointRuleDocument]:
    rules = [rule for _, rule in workspace.store.items(ENDPOINT_RULES)]
    return [rule for rule in rules if rule["network_connectivity_config_id"] == connectivity]


def _find(workspace: Workspace, connectivity: str, identifier: str) -> EndpointRuleDocument:
    CONNECTIVITY.find(workspace, connectivity)
    return workspace.find(ENDPOINT_RULES, identifier, f"There is no private endpoint rule {identifier}")


def _domains(request: Document) -> list[str]:
    """The names by which compute reaches the service, of which it needs one at least."""
    names: list[str] = request.get("domain_names", [])
    if not names:
        raise bad_request("domain_names is empty; allowed: the names by which the service is reached")
    return names


def _check_domains(workspace: Workspace, wanted: EndpointRuleDocument) -> None:
    """Refuses a name that leads elsewhere already."""
    for rule in _of(workspace, wanted["network_connectivity_config_id"]):
        taken = sorted({*rule["domain_names"]} & {*wanted["domain_names"]})
        if taken and rule["rule_id"] != wanted["rule_id"]:
            raise ApiError(409, "RESOURCE_CONFLICT", f"domain_names: rule {rule['rule_id']} has {', '.join(taken)}")
