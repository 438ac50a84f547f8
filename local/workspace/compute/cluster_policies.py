"""Cluster policies."""

import json
import time
from typing import Annotated, Any

from databricks.sdk.service import compute
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.0/policies/clusters"
_TYPES = {"allowlist", "blocklist", "fixed", "forbidden", "range", "regex", "unlimited"}


@router.post(f"{_API}/create")
def create(
    sent: Annotated[dict[str, Any], Depends(body(compute.ClusterPoliciesAPI.create))], here: Here, caller: Caller
) -> Document:
    with here.store.transaction():
        policy_id = f"{here.store.next_id('cluster_policies'):016X}"
        document = sent | {
            "policy_id": policy_id,
            "creator_user_name": caller.name,
            "created_at_timestamp": time.time_ns() // 1_000_000,
        }
        _write(here, document)
        return {"policy_id": policy_id}


@router.post(f"{_API}/edit")
def edit(sent: Annotated[dict[str, Any], Depends(body(compute.ClusterPoliciesAPI.edit))], here: Here) -> Document:
    with here.store.transaction():
        old = get(sent["policy_id"], here)
        kept = {key: old[key] for key in ("creator_user_name", "created_at_timestamp")}
        _write(here, sent | kept)
        return {}


@router.get(f"{_API}/get")
def get(policy_id: str, here: Here) -> Document:
    document = here.store.get("cluster_policies", policy_id)
    if document is None:
        raise not_found(f"Cluster policy {policy_id} does not exist.")
    return document


@router.get(f"{_API}/list")
def list_all(here: Here) -> Document:
    return {"policies": [document for _, document in here.store.items("cluster_policies")]}


@router.post(f"{_API}/delete")
def delete(sent: Annotated[dict[str, Any], Depends(body(compute.ClusterPoliciesAPI.delete))], here: Here) -> Document:
    get(sent["policy_id"], here)
    here.store.delete("cluster_policies", sent["policy_id"])
    return {}


def _write(here: Workspace, document: Document) -> None:
    if "policy_family_id" in document:
        raise ApiError(501, "NOT_IMPLEMENTED", "policy_family_id: the local workspace has no policy families")
    for field in ("name", "definition"):
        if not document.get(field):
            raise bad_request(f"missing field {field}")
    _check(document["definition"])
    for key, other in here.store.items("cluster_policies"):
        if other["name"] == document["name"] and key != document["policy_id"]:
            raise bad_request(f"Policy with name '{document['name']}' already exists.")
    here.store.put("cluster_policies", document["policy_id"], document)


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
        if kind not in _TYPES:
            raise bad_request(f"definition.{attribute}.type is {kind!r}; allowed: {', '.join(sorted(_TYPES))}")
