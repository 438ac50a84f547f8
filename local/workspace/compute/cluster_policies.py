"""Cluster policies."""

import json
from typing import Annotated

from databricks.sdk.service import compute
from fastapi import APIRouter

from local.workspace.compute.documents import POLICIES, PolicyDocument
from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.0/policies/clusters"
# Types of rules, and the fields of which each needs one.
_TYPES = {
    "allowlist": ("values",),
    "blocklist": ("values",),
    "fixed": ("value",),
    "forbidden": (),
    "range": ("minValue", "maxValue"),
    "regex": ("pattern",),
    "unlimited": (),
}


@router.post(f"{_API}/create")
def create(
    request: Annotated[Document, body(compute.ClusterPoliciesAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a cluster policy."""
    with workspace.store.transaction():
        policy_id = f"{workspace.store.next_id(POLICIES):016X}"
        document = request | {
            "policy_id": policy_id,
            "creator_user_name": caller.name,
            "created_at_timestamp": now_ms(),
        }
        _write(workspace, document)
        return {"policy_id": policy_id}


@router.post(f"{_API}/edit")
def edit(request: Annotated[Document, body(compute.ClusterPoliciesAPI.edit)], workspace: WorkspaceDep) -> Document:
    """Changes a cluster policy."""
    with workspace.store.transaction():
        old = _find(workspace, request["policy_id"])
        kept = {key: value for key, value in old.items() if key in ("creator_user_name", "created_at_timestamp")}
        _write(workspace, request | kept)
        return {}


@router.get(f"{_API}/get")
def get(policy_id: str, workspace: WorkspaceDep) -> Document:
    """Returns a cluster policy."""
    return {**_find(workspace, policy_id)}


@router.get(f"{_API}/list")
def list_all(workspace: WorkspaceDep) -> Document:
    """Returns all cluster policies."""
    return {"policies": [document for _, document in workspace.store.items(POLICIES)]}


@router.post(f"{_API}/delete")
def delete(request: Annotated[Document, body(compute.ClusterPoliciesAPI.delete)], workspace: WorkspaceDep) -> Document:
    """Deletes a cluster policy."""
    _find(workspace, request["policy_id"])
    workspace.store.delete(POLICIES, request["policy_id"])
    return {}


def _find(workspace: Workspace, policy_id: str) -> PolicyDocument:
    return workspace.find(POLICIES, policy_id, f"Cluster policy {policy_id} does not exist.")


def _write(workspace: Workspace, document: Document) -> None:
    if "policy_family_id" in document:
        raise not_built("policy_family_id of a cluster policy")
    for field in ("name", "definition"):
        if not document.get(field):
            raise bad_request(f"missing field {field}")
    _check(document["definition"])
    for key, other in workspace.store.items(POLICIES):
        if other["name"] == document["name"] and key != document["policy_id"]:
            raise bad_request(f"Policy with name '{document['name']}' already exists.")
    workspace.store.put(POLICIES, document["policy_id"], POLICIES.document(document))


def _check(text: str) -> None:
    """Raises ApiError unless the text is a policy definition: an object of rules by attribute, each with a type."""
    try:
        rules = json.loads(text)
    except ValueError as error:
        raise bad_request(f"definition is not JSON: {error}") from error
    if not isinstance(rules, dict):
        raise bad_request("definition must be an object of rules by attribute")
    for attribute, rule in rules.items():
        kind = rule.get("type") if isinstance(rule, dict) else None
        if "*" in attribute and kind != "forbidden":
            raise not_built(f"a rule of a cluster policy over items of a list that forbids nothing ({attribute})")
        if attribute == "dbus_per_hour" and kind != "range":
            raise bad_request(f"definition.{attribute}.type is {kind!r}; allowed: range")
        if kind not in _TYPES:
            raise bad_request(f"definition.{attribute}.type is {kind!r}; allowed: {', '.join(sorted(_TYPES))}")
        if _TYPES[kind] and not rule.keys() & set(_TYPES[kind]):
            raise bad_request(f"definition.{attribute} is {kind} and needs {' or '.join(_TYPES[kind])}")
