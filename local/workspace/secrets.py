"""Secret scopes, secrets, and who may read them. A value leaves only through `secrets/get`."""

import base64
import binascii
import re
import time
from typing import Annotated, Any

from databricks.sdk.service import workspace as sdk
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Principal, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found, permission_denied
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.0/secrets"
_LEVELS = ("READ", "WRITE", "MANAGE")
_MAX_BYTES = 128 * 1024  # Databricks' limit on a secret
_SEPARATOR = "\n"  # between the parts of a key; no scope, key or principal has one


@router.post(f"{_API}/scopes/create")
def create_scope(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.create_scope))], here: Here, caller: Caller
) -> Document:
    scope = _name(sent["scope"], "scope")
    if sent.get("scope_backend_type", "DATABRICKS") != "DATABRICKS" or "backend_azure_keyvault" in sent:
        raise ApiError(501, "NOT_IMPLEMENTED", "scope_backend_type: the local workspace has DATABRICKS scopes only")
    manager = sent.get("initial_manage_principal", caller.name)
    if manager not in ("users", caller.name):
        raise bad_request(f"initial_manage_principal is {manager!r}; allowed: users")
    with here.store.transaction():
        if here.store.get("secret_scopes", scope):
            raise bad_request(f"Scope {scope} already exists!", "RESOURCE_ALREADY_EXISTS")
        here.store.put("secret_scopes", scope, {"name": scope, "backend_type": "DATABRICKS"})
        here.store.put("secret_acls", scope + _SEPARATOR + manager, {"principal": manager, "permission": "MANAGE"})
        return {}


@router.get(f"{_API}/scopes/list")
def list_scopes(here: Here) -> Document:
    return {"scopes": [scope for _, scope in here.store.items("secret_scopes")]}


@router.post(f"{_API}/scopes/delete")
def delete_scope(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.delete_scope))], here: Here, caller: Caller
) -> Document:
    scope = sent["scope"]
    _require(here, caller, scope, "MANAGE")
    with here.store.transaction():
        here.store.delete("secret_scopes", scope)
        for kind in ("secrets", "secret_acls"):
            for key, _ in here.store.items(kind, scope + _SEPARATOR):
                here.store.delete(kind, key)
        return {}


@router.post(f"{_API}/put")
def put_secret(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.put_secret))], here: Here, caller: Caller
) -> Document:
    scope, key = sent["scope"], _name(sent["key"], "key")
    _require(here, caller, scope, "WRITE")
    if ("string_value" in sent) == ("bytes_value" in sent):
        raise bad_request("give exactly one of string_value and bytes_value")
    try:
        value = sent["string_value"].encode() if "string_value" in sent else base64.b64decode(sent["bytes_value"])
    except binascii.Error as error:
        raise bad_request("bytes_value is not base64") from error
    if len(value) > _MAX_BYTES:
        raise bad_request(f"the value has {len(value)} bytes; at most {_MAX_BYTES}", "RESOURCE_LIMIT_EXCEEDED")
    document = {
        "key": key,
        "value": base64.b64encode(value).decode(),
        "last_updated_timestamp": time.time_ns() // 1_000_000,
    }
    here.store.put("secrets", scope + _SEPARATOR + key, document)
    return {}


@router.get(f"{_API}/list")
def list_secrets(scope: str, here: Here, caller: Caller) -> Document:
    _require(here, caller, scope, "READ")
    found = here.store.items("secrets", scope + _SEPARATOR)
    return {"secrets": [{name: secret[name] for name in ("key", "last_updated_timestamp")} for _, secret in found]}


@router.get(f"{_API}/get")
def get_secret(scope: str, key: str, here: Here, caller: Caller) -> Document:
    _require(here, caller, scope, "READ")
    secret = here.store.get("secrets", scope + _SEPARATOR + key)
    if secret is None:
        raise not_found(f"Secret does not exist with scope: {scope} and key: {key}")
    return {name: secret[name] for name in ("key", "value")}


@router.post(f"{_API}/delete")
def delete_secret(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.delete_secret))], here: Here, caller: Caller
) -> Document:
    _require(here, caller, sent["scope"], "WRITE")
    if not here.store.delete("secrets", sent["scope"] + _SEPARATOR + sent["key"]):
        raise not_found(f"Secret does not exist with scope: {sent['scope']} and key: {sent['key']}")
    return {}


@router.post(f"{_API}/acls/put")
def put_acl(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.put_acl))], here: Here, caller: Caller
) -> Document:
    scope, name = sent["scope"], sent["principal"]
    _require(here, caller, scope, "MANAGE")
    if not any(group["displayName"] == name for _, group in here.store.items("groups")):
        here.principal(name)
    here.store.put("secret_acls", scope + _SEPARATOR + name, {"principal": name, "permission": sent["permission"]})
    return {}


@router.get(f"{_API}/acls/get")
def get_acl(scope: str, principal: str, here: Here, caller: Caller) -> Document:
    _require(here, caller, scope, "MANAGE")
    acl = here.store.get("secret_acls", scope + _SEPARATOR + principal)
    if acl is None:
        raise not_found(f"Failed to get secret acl for principal {principal} for scope {scope}.")
    return acl


@router.get(f"{_API}/acls/list")
def list_acls(scope: str, here: Here, caller: Caller) -> Document:
    _require(here, caller, scope, "MANAGE")
    return {"items": [acl for _, acl in here.store.items("secret_acls", scope + _SEPARATOR)]}


@router.post(f"{_API}/acls/delete")
def delete_acl(
    sent: Annotated[dict[str, Any], Depends(body(sdk.SecretsAPI.delete_acl))], here: Here, caller: Caller
) -> Document:
    _require(here, caller, sent["scope"], "MANAGE")
    if not here.store.delete("secret_acls", sent["scope"] + _SEPARATOR + sent["principal"]):
        raise not_found(f"No acl of principal {sent['principal']} in scope {sent['scope']}.")
    return {}


def _name(name: str, field: str) -> str:
    if not re.fullmatch(r"[\w.@/-]{1,128}", name):
        raise bad_request(f"{field} is {name!r}: 1 to 128 letters, digits, '.', '_', '-', '@', '/'")
    return name


def _require(here: Workspace, caller: Principal, scope: str, level: str) -> None:
    """Raises ApiError where the scope is missing or the caller may not do what needs `level`."""
    if here.store.get("secret_scopes", scope) is None:
        raise not_found(f"Scope {scope} does not exist!")
    names = {caller.name, *here.groups_of(caller.id)}
    held = [
        acl["permission"] for _, acl in here.store.items("secret_acls", scope + _SEPARATOR) if acl["principal"] in names
    ]
    if not caller.admin and not any(_LEVELS.index(has) >= _LEVELS.index(level) for has in held):
        raise permission_denied(f"User {caller.name} does not have {level} permission on scope {scope}.")
