"""Rule sets: who has a role on a service principal or a group (`/api/2.0/preview/accounts/access-control`).

A workspace's address leads to the rule sets of its account, for a workspace administrator too. A rule set's name begins
with the account's id, which clients learn from `/.well-known/databricks-config`.
"""

import re
import uuid
from typing import Annotated, Any

from databricks.sdk.service import iam
from fastapi import APIRouter, Depends

from local.workspace.core.context import ACCOUNT_ID, Caller, Here, Principal, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_RULE_SETS = "/api/2.0/preview/accounts/access-control/rule-sets"
_DOCUMENTS = "rule_sets"

_NAME = re.compile(r"accounts/(?P<account>[^/]+)(?:/(?P<kind>\w+)/(?P<identifier>[^/]+))?/ruleSets/default")
_ROLES = {
    "servicePrincipals": ("roles/servicePrincipal.manager", "roles/servicePrincipal.user"),
    "groups": ("roles/group.manager",),
}
# How a principal is written in a grant, where it is kept, and under which attribute its name stands.
_PRINCIPALS = {
    "users": ("users", "userName"),
    "groups": ("groups", "displayName"),
    "servicePrincipals": ("service_principals", "applicationId"),
}


@router.get(_RULE_SETS)
def get(name: str, here: Here, caller: Caller, etag: str = "") -> Document:  # noqa: ARG001 (a freshness that one store always has)
    _resource(here, name)
    current = _current(here, name)
    _check_manager(here, caller, current)
    return current


@router.put(_RULE_SETS)
def replace(
    sent: Annotated[dict[str, Any], Depends(body(iam.AccountAccessControlProxyAPI.update_rule_set))],
    here: Here,
    caller: Caller,
) -> Document:
    """Replaces all rules of a set, if nobody changed it since the caller read it."""
    name, rule_set = sent["name"], sent["rule_set"]
    if rule_set["name"] != name:
        raise bad_request(f"rule_set.name is {rule_set['name']!r}, and name is {name!r}; they must be equal")
    with here.store.transaction():
        kind = _resource(here, name)
        current = _current(here, name)
        _check_manager(here, caller, current)
        if rule_set["etag"] != current["etag"]:
            raise ApiError(409, "RESOURCE_CONFLICT", f"rule set {name} was changed since its etag was read")
        rules = rule_set.get("grant_rules", [])
        for rule in rules:
            _check_rule(here, kind, rule)
        new = {"name": name, "etag": uuid.uuid4().hex, "grant_rules": rules}
        here.store.put(_DOCUMENTS, name, new)
    return new


def forget(here: Workspace, kind: str, identifier: str) -> None:
    """Drops the rule set of a principal that leaves the directory."""
    here.store.delete(_DOCUMENTS, f"accounts/{ACCOUNT_ID}/{kind}/{identifier}/ruleSets/default")


def _resource(here: Workspace, name: str) -> str:
    """Kind of the resource that a rule set belongs to; raises ApiError unless the resource exists."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise bad_request(f"Invalid rule set name: {name}")
    if match["account"] != ACCOUNT_ID:
        raise bad_request(f"Invalid rule set name: {name}; this workspace belongs to the account {ACCOUNT_ID}")
    kind, identifier = match["kind"] or "the account", match["identifier"]
    if kind not in _ROLES:
        raise ApiError(501, "NOT_IMPLEMENTED", f"rule sets of {kind} are not part of the local workspace")
    exists = (
        here.store.get("groups", identifier) is not None
        if kind == "groups"
        else any(document["applicationId"] == identifier for _, document in here.store.items("service_principals"))
    )
    if not exists:
        raise not_found(f"the resource of rule set {name} does not exist")
    return kind


def _current(here: Workspace, name: str) -> Document:
    return here.store.get(_DOCUMENTS, name) or {"name": name, "etag": "unset", "grant_rules": []}


def _check_manager(here: Workspace, caller: Principal, rule_set: Document) -> None:
    """Refuses who is neither an administrator nor a manager by this rule set."""
    groups = {f"groups/{name}" for name in here.groups_of(caller.id)}
    names = {f"users/{caller.name}" if caller.kind == "user" else f"servicePrincipals/{caller.name}"} | groups
    managed = any(
        rule["role"].endswith(".manager") and names & set(rule.get("principals", []))
        for rule in rule_set["grant_rules"]
    )
    if not caller.admin and not managed:
        raise permission_denied(f"{caller.name} is no manager by rule set {rule_set['name']}")


def _check_rule(here: Workspace, kind: str, rule: Document) -> None:
    if rule["role"] not in _ROLES[kind]:
        raise bad_request(f"Invalid role: {rule['role']}; allowed for {kind}: {', '.join(_ROLES[kind])}")
    for principal in rule.get("principals", []):
        sort, _, name = principal.partition("/")
        if sort not in _PRINCIPALS or not name:
            raise bad_request(f"Unsupported principal: {principal}")
        documents, attribute = _PRINCIPALS[sort]
        if not any(document[attribute] == name for _, document in here.store.items(documents)):
            raise not_found(f"Principal: {principal} does not exist")
