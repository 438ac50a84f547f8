"""Rule sets: the roles of principals on a service principal or a group (`/api/2.0/preview/accounts/access-control`).

Rule sets belong to the account; at a workspace's address its administrators reach them as well. The name of a rule set
begins with the account's id, which clients read from `/.well-known/databricks-config`.
"""

import re
import uuid
from typing import Annotated

from databricks.sdk.service import iam
from fastapi import APIRouter

from local.workspace.core.context import ACCOUNT_ID, Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, not_built, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.identity.documents import RULE_SETS, RuleSetDocument
from local.workspace.identity.kinds import GROUPS, KINDS, SERVICE_PRINCIPALS, Kind

router = APIRouter()
_PATH = "/api/2.0/preview/accounts/access-control/rule-sets"

_NAME = re.compile(r"accounts/(?P<account>[^/]+)(?:/(?P<kind>\w+)/(?P<identifier>[^/]+))?/ruleSets/default")
_ROLES = {
    "servicePrincipals": ("roles/servicePrincipal.manager", "roles/servicePrincipal.user"),
    "groups": ("roles/group.manager",),
}


@router.get(_PATH)
def get(name: str, workspace: WorkspaceDep, caller: Caller, etag: str = "") -> Document:  # noqa: ARG001 (a freshness that one store always has)
    """Returns a rule set."""
    _resource(workspace, name)
    current = _current(workspace, name)
    _check_manager(workspace, caller, current)
    return {**current}


@router.put(_PATH)
def replace(
    request: Annotated[Document, body(iam.AccountAccessControlProxyAPI.update_rule_set)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Replaces all rules of a set, if nobody changed it since the caller read it."""
    name, rule_set = request["name"], request["rule_set"]
    if rule_set["name"] != name:
        raise bad_request(f"rule_set.name is {rule_set['name']!r}, and name is {name!r}; they must be equal")
    with workspace.store.transaction():
        kind = _resource(workspace, name)
        current = _current(workspace, name)
        _check_manager(workspace, caller, current)
        if rule_set["etag"] != current["etag"]:
            raise ApiError(409, "RESOURCE_CONFLICT", f"rule set {name} was changed since its etag was read")
        rules = rule_set.get("grant_rules", [])
        for rule in rules:
            _check_rule(workspace, kind, rule)
        new: RuleSetDocument = {"name": name, "etag": uuid.uuid4().hex, "grant_rules": rules}
        workspace.store.put(RULE_SETS, name, new)
    return {**new}


def manages(workspace: Workspace, caller: Principal, application_id: str) -> bool:
    """Whether a caller is an administrator, or manages a service principal by its rule set."""
    return _may_manage(workspace, caller, _current(workspace, _name(SERVICE_PRINCIPALS, application_id)))


def forget(workspace: Workspace, kind: Kind, identifier: str, document: Document) -> None:
    """Drops the rule set of a principal that was removed from the directory."""
    workspace.store.delete(RULE_SETS, _name(kind, identifier if kind is GROUPS else document[kind.unique]))


def may_use(workspace: Workspace, caller: Principal, application_id: str) -> bool:
    """Whether jobs and pipelines of a caller may run as a service principal: by its role of users, or being itself.

    Neither administrators nor managers of a service principal have that role thereby.
    """
    rule_set = _current(workspace, _name(SERVICE_PRINCIPALS, application_id))
    return caller.name == application_id or _has_role(workspace, caller, "user", rule_set)


def _name(kind: Kind, name: str) -> str:
    return f"accounts/{ACCOUNT_ID}/{kind.path}/{name}/ruleSets/default"


def _resource(workspace: Workspace, name: str) -> str:
    """Kind of the resource that a rule set belongs to; raises ApiError unless the resource exists."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise bad_request(f"Invalid rule set name: {name}")
    if match["account"] != ACCOUNT_ID:
        raise bad_request(f"Invalid rule set name: {name}; this workspace belongs to the account {ACCOUNT_ID}")
    kind, identifier = match["kind"] or "the account", match["identifier"]
    if kind not in _ROLES:
        raise not_built(f"a rule set of {kind}")
    if kind == "groups":
        exists = workspace.store.get(GROUPS.documents, identifier) is not None
    else:
        exists = SERVICE_PRINCIPALS.seen(workspace, identifier) is not None
    if not exists:
        raise not_found(f"the resource of rule set {name} does not exist")
    return kind


def _current(workspace: Workspace, name: str) -> RuleSetDocument:
    return workspace.store.get(RULE_SETS, name) or {"name": name, "etag": "unset", "grant_rules": []}


def _check_manager(workspace: Workspace, caller: Principal, rule_set: RuleSetDocument) -> None:
    """Refuses callers who are neither administrators nor managers by this rule set."""
    if not _may_manage(workspace, caller, rule_set):
        raise permission_denied(f"{caller.name} is not a manager by rule set {rule_set['name']}")


def _may_manage(workspace: Workspace, caller: Principal, rule_set: RuleSetDocument) -> bool:
    return caller.admin or _has_role(workspace, caller, "manager", rule_set)


def _has_role(workspace: Workspace, caller: Principal, role: str, rule_set: RuleSetDocument) -> bool:
    """Whether a rule set gives a caller, or a group of the caller, the role `manager` or `user`."""
    groups = {f"groups/{name}" for name in workspace.groups_of(caller.id)}
    names = {f"users/{caller.name}" if caller.kind == "user" else f"servicePrincipals/{caller.name}"} | groups
    return any(
        rule["role"].endswith(f".{role}") and names & set(rule.get("principals", []))
        for rule in rule_set["grant_rules"]
    )


def _check_rule(workspace: Workspace, kind: str, rule: Document) -> None:
    if rule["role"] not in _ROLES[kind]:
        raise bad_request(f"Invalid role: {rule['role']}; allowed for {kind}: {', '.join(_ROLES[kind])}")
    for principal in rule.get("principals", []):
        path, _, name = principal.partition("/")
        principal_kind = next((kind for kind in KINDS if kind.path == path and name), None)
        if principal_kind is None:
            raise bad_request(f"Unsupported principal: {principal}")
        if principal_kind.seen(workspace, name) is None:
            raise not_found(f"Principal: {principal} does not exist")
