"""The directory: users, groups and service principals in the store, and their form as SCIM answers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from local.workspace.core.context import ADMIN, ADMINS
from local.workspace.core.documents import LEFT, TOKENS
from local.workspace.core.errors import already_exists, bad_request, not_found, permission_denied
from local.workspace.identity import assignments, credentials, rule_sets
from local.workspace.identity.kinds import GROUPS, SERVICE_PRINCIPALS, USERS, Kind, by_id

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.store import Document


def create_built_in(workspace: Workspace) -> None:
    """Creates the administrator and the groups that every workspace has, unless they exist."""
    if workspace.store.items(USERS.documents):
        return
    with workspace.store.transaction():
        user = create(workspace, USERS, {"userName": ADMIN, "displayName": "Administrator"})
        create(workspace, GROUPS, {"displayName": ADMINS, "members": [{"value": user["id"]}]})
        create(workspace, GROUPS, {"displayName": "users", "members": [{"value": user["id"]}]})


def find(workspace: Workspace, kind: Kind, identifier: str) -> Document:
    """Returns a principal as stored.

    Raises:
        ApiError: There is none of this kind and id.
    """
    document: Document = workspace.find(
        kind.documents, identifier, f"{kind.sdk.__name__} with id {identifier} not found."
    )
    return document


def create(workspace: Workspace, kind: Kind, request: Document) -> Document:
    """Creates a principal, with an id and defaults; returns it as stored."""
    new = dict(request)
    if kind is SERVICE_PRINCIPALS:
        new.setdefault("applicationId", str(uuid.uuid4()))
    if kind is not GROUPS:
        new.setdefault("active", True)
    if kind is USERS:
        new.setdefault("displayName", new.get("userName"))
        new.setdefault("emails", [{"value": new.get("userName"), "type": "work", "primary": True}])
    left = [key for key, other in workspace.store.items(LEFT) if other["applicationId"] == new.get("applicationId")]
    for key in left:  # the account knows it, and it comes back
        workspace.store.delete(LEFT, key)
    new["id"] = left[0] if left else str(workspace.store.next_id("principals"))
    return write(workspace, kind, new)


def write(workspace: Workspace, kind: Kind, document: Document) -> Document:
    """Stores a principal; returns it as stored.

    Raises:
        ApiError: Its name is missing or another's, a member does not exist, or it is built in and must stay.
    """
    name = document.get(kind.unique)
    if not name:
        raise bad_request(f"missing field {kind.unique}")
    if kind is USERS:  # Databricks keeps the names of users in lower case
        document = {**document, "userName": (name := name.lower())}
    other = kind.named(workspace, name)
    if other is not None and other[0] != document["id"]:
        raise already_exists(f"{kind.words} {name} already exists.")
    if kind is USERS and (workspace.store.get(USERS.documents, document["id"]) or {}).get("userName") == ADMIN:
        if name != ADMIN:
            raise bad_request(f"the user {ADMIN} is built in and cannot be renamed")
        if not document.get("active", True):
            raise bad_request(f"the user {ADMIN} is built in and cannot be deactivated")
    for member in document.get("members", []):
        _member(workspace, member.get("value", ""))
    # Schemas and the groups of a principal are made for each answer.
    stored = {name: value for name, value in document.items() if name not in ("schemas", "groups", "meta")}
    if "entitlements" in stored:  # a client sends an item without a value to say that there are none
        stored["entitlements"] = [item for item in stored["entitlements"] if item.get("value")]
    workspace.store.put(kind.documents, document["id"], stored)
    return stored


def check_entitlement(workspace: Workspace, caller: Principal, entitlement: str) -> None:
    """Refuses a caller who may not open a part of the workspace: administrators may, others by themselves or a group.

    Args:
        workspace: The workspace.
        caller: Who sent the request.
        entitlement: Such as `workspace-access`.

    Raises:
        ApiError: A 403, for a caller without the entitlement.
    """
    names = workspace.groups_of(caller.id)
    documents = [group for _, group in workspace.store.items(GROUPS.documents) if group["displayName"] in names]
    kind = USERS if caller.kind == "user" else SERVICE_PRINCIPALS
    documents.append(find(workspace, kind, caller.id))
    held = {item["value"] for document in documents for item in document.get("entitlements", [])}
    if not caller.admin and entitlement not in held:
        raise permission_denied(f"This API is disabled for users without the {entitlement} entitlement.")


def remove(workspace: Workspace, kind: Kind, identifier: str) -> None:
    """Removes a principal, its memberships, its tokens, its assignment and its rule set.

    Raises:
        ApiError: There is none of this kind and id, or it is built in.
    """
    document = find(workspace, kind, identifier)
    name = document[kind.unique]
    if (kind is GROUPS and name in (ADMINS, "users")) or (kind is USERS and name == ADMIN):
        raise bad_request(f"the {kind.sdk.__name__.lower()} {name} is built in and cannot be deleted")
    workspace.store.delete(kind.documents, identifier)
    assignments.forget(workspace, identifier)
    rule_sets.forget(workspace, kind, identifier, document)
    credentials.forget(workspace, identifier)
    for key, group in workspace.store.items(GROUPS.documents):
        members = [member for member in group.get("members", []) if member["value"] != identifier]
        workspace.store.put(GROUPS.documents, key, group | {"members": members})
    for token, owner in workspace.store.items(TOKENS):
        if owner["principal"] == name:
            workspace.store.delete(TOKENS, token)


def leave(workspace: Workspace, kind: Kind, identifier: str) -> None:
    """Removes a principal from the workspace; the account keeps a service principal, as Databricks does.

    Raises:
        ApiError: There is none of this kind and id, or it is built in.
    """
    document = find(workspace, kind, identifier)
    remove(workspace, kind, identifier)
    if kind is SERVICE_PRINCIPALS:
        workspace.store.put(LEFT, identifier, document)


def shown(workspace: Workspace, kind: Kind, document: Document, attributes: str = "") -> Document:
    """Returns a stored principal as a SCIM answer.

    Args:
        workspace: The workspace.
        kind: Kind of the principal.
        document: The principal as stored.
        attributes: Names of the attributes to answer, separated by commas; empty for all.
    """
    answer: Document = {"schemas": [kind.schema]} | document
    if kind is GROUPS:
        answer["meta"] = {"resourceType": "WorkspaceGroup"}
        answer["members"] = []
        for member in document.get("members", []):
            member_kind, member_document = _member(workspace, member["value"])
            reference = {"value": member["value"], "$ref": f"{member_kind.collection}/{member['value']}"}
            answer["members"].append(reference | {"display": member_document.get("displayName", "")})
    answer["groups"] = [
        {"value": key, "display": group["displayName"], "type": "direct", "$ref": f"Groups/{key}"}
        for key, group in workspace.store.items(GROUPS.documents)
        if any(member["value"] == document["id"] for member in group.get("members", []))
    ]
    answer = {key: value for key, value in answer.items() if value != []}
    if not attributes:
        return answer
    # Databricks always answers the application id, which its provider relies on.
    wanted = {name.strip().split(".")[0] for name in attributes.split(",")} | {"id", "schemas", "applicationId"}
    return {key: value for key, value in answer.items() if key in wanted}


def _member(workspace: Workspace, identifier: str) -> tuple[Kind, Document]:
    member = by_id(workspace, identifier)
    if member is None:
        raise not_found(f"no user, group or service principal has the id {identifier}")
    return member
