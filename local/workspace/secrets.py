"""Secret scopes, secrets and their access control lists. A value is answered by `secrets/get` alone."""

import base64
import binascii
import re
from typing import Annotated, Literal, TypedDict

from databricks.sdk.service import workspace as sdk
from fastapi import APIRouter

from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind

router = APIRouter()
_API = "/api/2.0/secrets"
_LEVELS = ("READ", "WRITE", "MANAGE")
_MAX_BYTES = 128 * 1024  # Databricks' limit on a secret
_SEPARATOR = "\n"  # between the parts of a key; no scope, key or principal has one


class ScopeDocument(TypedDict):
    """A secret scope (kind `secret_scopes`, by its name)."""

    name: str
    backend_type: Literal["DATABRICKS"]


class SecretDocument(TypedDict):
    """A secret (kind `secrets`, by scope and key)."""

    key: str
    value: str  # base64
    last_updated_timestamp: int  # milliseconds


class AclDocument(TypedDict):
    """The permission of a principal on a scope (kind `secret_acls`, by scope and principal)."""

    principal: str
    permission: Literal["MANAGE", "READ", "WRITE"]


SCOPES = DocumentKind[ScopeDocument]("secret_scopes")
SECRETS = DocumentKind[SecretDocument]("secrets")
ACLS = DocumentKind[AclDocument]("secret_acls")


@router.post(f"{_API}/scopes/create")
def create_scope(
    request: Annotated[Document, body(sdk.SecretsAPI.create_scope)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a scope."""
    scope = _name(request["scope"], "scope")
    if request.get("scope_backend_type", "DATABRICKS") != "DATABRICKS" or "backend_azure_keyvault" in request:
        raise not_built("a scope_backend_type other than DATABRICKS")
    manager = request.get("initial_manage_principal", caller.name)
    if manager not in ("users", caller.name):
        raise bad_request(f"initial_manage_principal is {manager!r}; allowed: users")
    with workspace.store.transaction():
        if workspace.store.get(SCOPES, scope):
            raise bad_request(f"Scope {scope} already exists!", "RESOURCE_ALREADY_EXISTS")
        workspace.store.put(SCOPES, scope, ScopeDocument(name=scope, backend_type="DATABRICKS"))
        workspace.store.put(ACLS, scope + _SEPARATOR + manager, AclDocument(principal=manager, permission="MANAGE"))
        return {}


@router.get(f"{_API}/scopes/list")
def list_scopes(workspace: WorkspaceDep) -> Document:
    """Returns all scopes."""
    return {"scopes": [scope for _, scope in workspace.store.items(SCOPES)]}


@router.post(f"{_API}/scopes/delete")
def delete_scope(
    request: Annotated[Document, body(sdk.SecretsAPI.delete_scope)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes a scope with its secrets."""
    scope = request["scope"]
    _require(workspace, caller, scope, "MANAGE")
    with workspace.store.transaction():
        workspace.store.delete(SCOPES, scope)
        for key, _ in workspace.store.items(SECRETS, scope + _SEPARATOR):
            workspace.store.delete(SECRETS, key)
        for key, _ in workspace.store.items(ACLS, scope + _SEPARATOR):
            workspace.store.delete(ACLS, key)
        return {}


@router.post(f"{_API}/put")
def put_secret(
    request: Annotated[Document, body(sdk.SecretsAPI.put_secret)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Writes a secret."""
    scope, key = request["scope"], _name(request["key"], "key")
    _require(workspace, caller, scope, "WRITE")
    if ("string_value" in request) == ("bytes_value" in request):
        raise bad_request("give exactly one of string_value and bytes_value")
    try:
        value = (
            request["string_value"].encode() if "string_value" in request else base64.b64decode(request["bytes_value"])
        )
    except binascii.Error as error:
        raise bad_request("bytes_value is not base64") from error
    if len(value) > _MAX_BYTES:
        raise bad_request(f"the value has {len(value)} bytes; at most {_MAX_BYTES}", "RESOURCE_LIMIT_EXCEEDED")
    document: SecretDocument = {
        "key": key,
        "value": base64.b64encode(value).decode(),
        "last_updated_timestamp": now_ms(),
    }
    workspace.store.put(SECRETS, scope + _SEPARATOR + key, document)
    return {}


@router.get(f"{_API}/list")
def list_secrets(scope: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns the keys of a scope."""
    _require(workspace, caller, scope, "READ")
    secrets = workspace.store.items(SECRETS, scope + _SEPARATOR)
    return {"secrets": [{name: value for name, value in secret.items() if name != "value"} for _, secret in secrets]}


@router.get(f"{_API}/get")
def get_secret(scope: str, key: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns a secret with its value."""
    _require(workspace, caller, scope, "READ")
    missing = f"Secret does not exist with scope: {scope} and key: {key}"
    secret = workspace.find(SECRETS, scope + _SEPARATOR + key, missing)
    return {"key": secret["key"], "value": secret["value"]}


@router.post(f"{_API}/delete")
def delete_secret(
    request: Annotated[Document, body(sdk.SecretsAPI.delete_secret)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Deletes a secret."""
    _require(workspace, caller, request["scope"], "WRITE")
    if not workspace.store.delete(SECRETS, request["scope"] + _SEPARATOR + request["key"]):
        raise not_found(f"Secret does not exist with scope: {request['scope']} and key: {request['key']}")
    return {}


@router.post(f"{_API}/acls/put")
def put_acl(
    request: Annotated[Document, body(sdk.SecretsAPI.put_acl)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Writes a principal's permission on a scope."""
    scope, name = request["scope"], request["principal"]
    _require(workspace, caller, scope, "MANAGE")
    if not workspace.has_group(name):
        workspace.principal(name)
    workspace.store.put(ACLS, scope + _SEPARATOR + name, AclDocument(principal=name, permission=request["permission"]))
    return {}


@router.get(f"{_API}/acls/get")
def get_acl(scope: str, principal: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns a principal's permission on a scope."""
    _require(workspace, caller, scope, "MANAGE")
    missing = f"Failed to get secret acl for principal {principal} for scope {scope}."
    acl = workspace.find(ACLS, scope + _SEPARATOR + principal, missing)
    return {**acl}


@router.get(f"{_API}/acls/list")
def list_acls(scope: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns all permissions on a scope."""
    _require(workspace, caller, scope, "MANAGE")
    return {"items": [acl for _, acl in workspace.store.items(ACLS, scope + _SEPARATOR)]}


@router.post(f"{_API}/acls/delete")
def delete_acl(
    request: Annotated[Document, body(sdk.SecretsAPI.delete_acl)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Removes a principal's permission on a scope."""
    _require(workspace, caller, request["scope"], "MANAGE")
    if not workspace.store.delete(ACLS, request["scope"] + _SEPARATOR + request["principal"]):
        raise not_found(f"No acl of principal {request['principal']} in scope {request['scope']}.")
    return {}


def readable(workspace: Workspace, names: set[str], scope: str, key: str) -> bytes:
    """Returns the value of a secret.

    Args:
        workspace: The workspace.
        names: The name and the groups of who reads it.
        scope: Its scope.
        key: Its key.

    Raises:
        ApiError: The reader has no permission on the scope, or there is no such secret.
    """
    acls = [acl for _, acl in workspace.store.items(ACLS, scope + _SEPARATOR) if acl["principal"] in names]
    secret = workspace.store.get(SECRETS, scope + _SEPARATOR + key)
    if not acls or secret is None:
        raise permission_denied(f"Secret does not exist with scope: {scope} and key: {key}")
    return base64.b64decode(secret["value"])


def _name(name: str, field: str) -> str:
    if not re.fullmatch(r"[\w.@/-]{1,128}", name):
        raise bad_request(f"{field} is {name!r}: 1 to 128 letters, digits, '.', '_', '-', '@', '/'")
    return name


def _require(workspace: Workspace, caller: Principal, scope: str, level: str) -> None:
    """Raises ApiError where the scope is missing or the caller lacks the permission `level` on it."""
    workspace.find(SCOPES, scope, f"Scope {scope} does not exist!")
    names = {caller.name, *workspace.groups_of(caller.id)}
    acls = [acl for _, acl in workspace.store.items(ACLS, scope + _SEPARATOR) if acl["principal"] in names]
    if not caller.admin and not any(_LEVELS.index(acl["permission"]) >= _LEVELS.index(level) for acl in acls):
        raise permission_denied(f"User {caller.name} does not have {level} permission on scope {scope}.")
