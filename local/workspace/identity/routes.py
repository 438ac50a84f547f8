"""SCIM: users, groups, service principals, and who the caller is."""

import os
import re
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from databricks.sdk.service import iam
from fastapi import APIRouter, Depends, Request, Response

from local.workspace.core.context import ACCOUNT_ID, ADMIN, ADMINS, Caller, Here, Workspace
from local.workspace.core.errors import already_exists, bad_request, not_found
from local.workspace.core.requests import checked, raw_body
from local.workspace.core.store import Document

from . import assignments, rule_sets
from .filters import matches

router = APIRouter()
discovery = APIRouter()  # answered without a token
_SCIM = "/api/2.0/preview/scim/v2"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

Collection = Literal["Users", "Groups", "ServicePrincipals"]


@dataclass(frozen=True)
class _Kind:
    """How one collection is stored.

    Attributes:
        documents: Kind in the store.
        sdk: Dataclass of a request.
        words: How messages call one of them.
        unique: Attribute that no two may share; a service principal's is given by the workspace where it is left out.
        schema: SCIM schema of an answer.
    """

    documents: str
    sdk: type
    words: str
    unique: str
    schema: str


_KINDS: dict[str, _Kind] = {
    "Users": _Kind("users", iam.User, "User with username", "userName", "urn:ietf:params:scim:schemas:core:2.0:User"),
    "Groups": _Kind(
        "groups", iam.Group, "Group with name", "displayName", "urn:ietf:params:scim:schemas:core:2.0:Group"
    ),
    "ServicePrincipals": _Kind(
        "service_principals",
        iam.ServicePrincipal,
        "Service principal with application ID",
        "applicationId",
        "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal",
    ),
}


def start(here: Workspace) -> None:
    """Makes at the first start the administrator and the built-in groups; writes the administrator's token."""
    if not here.store.items("users"):
        with here.store.transaction():
            user = _create(here, "Users", {"userName": ADMIN, "displayName": "Administrator"})
            _create(here, "Groups", {"displayName": ADMINS, "members": [{"value": user["id"]}]})
            _create(here, "Groups", {"displayName": "users", "members": [{"value": user["id"]}]})
    token = here.token_for(ADMIN)
    path = here.settings.admin_token
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)


@discovery.get("/.well-known/databricks-config")
def databricks_config(request: Request, here: Here) -> dict[str, str]:
    """What clients ask of a host before they authenticate."""
    return {
        "oidc_endpoint": f"{request.base_url}oidc",
        "account_id": ACCOUNT_ID,
        "workspace_id": str(here.workspace_id),
    }


@router.get(f"{_SCIM}/Me")
def me(response: Response, here: Here, caller: Caller) -> Document:
    response.headers["X-Databricks-Org-Id"] = str(here.workspace_id)
    collection = "Users" if caller.kind == "user" else "ServicePrincipals"
    answer = _shown(here, collection, _get(here, collection, caller.id))
    # A service principal's user name is its application id.
    return answer | {"userName": caller.name}


@router.post(f"{_SCIM}/{{collection}}", status_code=201)
def create(collection: Collection, sent: Annotated[bytes, Depends(raw_body)], here: Here) -> Document:
    document = checked(sent, _KINDS[collection].sdk)
    with here.store.transaction():
        return _shown(here, collection, _create(here, collection, document))


@router.get(f"{_SCIM}/{{collection}}")
def list_all(
    collection: Collection,
    here: Here,
    filter: str = "",  # noqa: A002 (the parameter's name in SCIM)
    attributes: str = "",
    startIndex: int = 1,  # noqa: N803
    count: int = 10_000,
) -> Document:
    kept = [document for _, document in here.store.items(_KINDS[collection].documents) if matches(document, filter)]
    page = kept[startIndex - 1 : startIndex - 1 + count]
    return {
        "schemas": [_LIST],
        "totalResults": len(kept),
        "startIndex": startIndex,
        "itemsPerPage": len(page),
        "Resources": [_only(_shown(here, collection, document), attributes) for document in page],
    }


@router.get(f"{_SCIM}/{{collection}}/{{identifier}}")
def get(collection: Collection, identifier: str, here: Here, attributes: str = "") -> Document:
    return _only(_shown(here, collection, _get(here, collection, identifier)), attributes)


@router.put(f"{_SCIM}/{{collection}}/{{identifier}}")
def replace(collection: Collection, identifier: str, sent: Annotated[bytes, Depends(raw_body)], here: Here) -> Document:
    kind = _KINDS[collection]
    document = checked(sent, kind.sdk)
    with here.store.transaction():
        old = _get(here, collection, identifier)
        kept = {name: old[name] for name in (kind.unique, "active") if name in old}
        new = kept | document | {"id": identifier}
        _write(here, collection, new)
        return _shown(here, collection, new)


@router.patch(f"{_SCIM}/{{collection}}/{{identifier}}")
def patch(collection: Collection, identifier: str, sent: Annotated[bytes, Depends(raw_body)], here: Here) -> Document:
    operations = checked(sent, iam.GroupsV2API.patch).get("Operations", [])
    with here.store.transaction():
        document = _get(here, collection, identifier)
        for operation in operations:
            _apply(document, operation)
        _write(here, collection, document)
        return _shown(here, collection, document)


@router.delete(f"{_SCIM}/{{collection}}/{{identifier}}", status_code=204)
def delete(collection: Collection, identifier: str, here: Here) -> None:
    with here.store.transaction():
        document = _get(here, collection, identifier)
        if collection == "Groups" and document["displayName"] in (ADMINS, "users"):
            raise bad_request(f"the group {document['displayName']} is built in and cannot be deleted")
        if collection == "Users" and document["userName"] == ADMIN:
            raise bad_request(f"the user {ADMIN} is built in and cannot be deleted")
        here.store.delete(_KINDS[collection].documents, identifier)
        assignments.forget(here, identifier)
        if collection != "Users":
            its_resource = identifier if collection == "Groups" else document["applicationId"]
            rule_sets.forget(here, "groups" if collection == "Groups" else "servicePrincipals", its_resource)
        for key, group in here.store.items("groups"):
            members = [member for member in group.get("members", []) if member["value"] != identifier]
            here.store.put("groups", key, group | {"members": members})
        for token, owner in here.store.items("tokens"):
            if owner["principal"] == document[_KINDS[collection].unique]:
                here.store.delete("tokens", token)


def _get(here: Workspace, collection: str, identifier: str) -> Document:
    document = here.store.get(_KINDS[collection].documents, identifier)
    if document is None:
        raise not_found(f"{_KINDS[collection].sdk.__name__} with id {identifier} not found.")
    return document


def _create(here: Workspace, collection: str, document: Document) -> Document:
    kind = _KINDS[collection]
    new = dict(document)
    if collection == "ServicePrincipals":
        new.setdefault("applicationId", str(uuid.uuid4()))
    if collection != "Groups":
        new.setdefault("active", True)
    if collection == "Users":
        new.setdefault("displayName", new.get("userName"))
        new.setdefault("emails", [{"value": new.get("userName"), "type": "work", "primary": True}])
    new["id"] = str(here.store.next_id("principals"))
    _write(here, collection, new)
    return {"schemas": [kind.schema]} | new


def _write(here: Workspace, collection: str, document: Document) -> None:
    """Stores a document after its name and, for a group, its members were checked."""
    kind = _KINDS[collection]
    name = document.get(kind.unique)
    if not name:
        raise bad_request(f"missing field {kind.unique}")
    for key, other in here.store.items(kind.documents):
        if other[kind.unique] == name and key != document["id"]:
            raise already_exists(f"{kind.words} {name} already exists.")
    if collection == "Users" and (here.store.get("users", document["id"]) or {}).get("userName") == ADMIN:
        if name != ADMIN:
            raise bad_request(f"the user {ADMIN} is built in and cannot be renamed")
        if not document.get("active", True):
            raise bad_request(f"the user {ADMIN} is built in and cannot be deactivated")
    for member in document.get("members", []):
        _member(here, member.get("value", ""))
    # Schemas and the groups that one belongs to are made for each answer.
    kept = {name: value for name, value in document.items() if name not in ("schemas", "groups", "meta")}
    if "entitlements" in kept:  # a client that wants none sends one without a value
        kept["entitlements"] = [item for item in kept["entitlements"] if item.get("value")]
    here.store.put(kind.documents, document["id"], kept)


def _member(here: Workspace, identifier: str) -> tuple[str, Document]:
    for collection, kind in _KINDS.items():
        document = here.store.get(kind.documents, identifier)
        if document is not None:
            return collection, document
    raise not_found(f"no user, group or service principal has the id {identifier}")


def _shown(here: Workspace, collection: str, document: Document) -> Document:
    """A stored document as an answer: members and groups with their names."""
    answer: Document = {"schemas": [_KINDS[collection].schema]} | document
    if collection == "Groups":
        answer["meta"] = {"resourceType": "WorkspaceGroup"}
        answer["members"] = []
        for member in document.get("members", []):
            its_collection, found = _member(here, member["value"])
            shown = {"value": member["value"], "$ref": f"{its_collection}/{member['value']}"}
            answer["members"].append(shown | {"display": found.get("displayName", "")})
    answer["groups"] = [
        {"value": key, "display": group["displayName"], "type": "direct", "$ref": f"Groups/{key}"}
        for key, group in here.store.items("groups")
        if any(member["value"] == document["id"] for member in group.get("members", []))
    ]
    return {key: value for key, value in answer.items() if value != []}


def _only(document: Document, attributes: str) -> Document:
    if not attributes:
        return document
    # Databricks always tells the application id, though its provider does not ask for it.
    always = {"id", "schemas", "applicationId"}
    wanted = {name.strip().split(".")[0] for name in attributes.split(",")} | always
    return {key: value for key, value in document.items() if key in wanted}


_SELECTED = re.compile(r"""(\w+)\[value eq ["']([^"']*)["']\]""")


def _apply(document: Document, operation: dict[str, Any]) -> None:
    """One SCIM PATCH operation (RFC 7644, 3.5.2), for the attributes that are plain or lists of `{value}`."""
    kind, path, value = str(operation.get("op", "")).lower(), operation.get("path"), operation.get("value")
    if kind not in ("add", "replace", "remove"):
        raise bad_request(f"Operations.op is {operation.get('op')!r}; allowed: add, remove, replace", "invalidSyntax")
    selected = _SELECTED.fullmatch(path or "")
    if kind == "remove":
        if not path:
            raise bad_request("Operations.path is required where op is remove", "noTarget")
        name, gone = (selected[1], {selected[2]}) if selected else (path, None)
        if gone is None and isinstance(value, list):
            gone = {item.get("value") for item in value}
        if gone is None:
            document.pop(name, None)
        else:
            document[name] = [item for item in document.get(name, []) if item.get("value") not in gone]
        return
    for name, given in {path: value}.items() if path else dict(value or {}).items():
        if kind == "add" and isinstance(given, list):
            old = document.get(name, [])
            there = {item.get("value") for item in old}
            document[name] = old + [item for item in given if item.get("value") not in there]
        else:
            document[name] = given
