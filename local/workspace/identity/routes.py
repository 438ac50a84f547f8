"""Routes of the directory (SCIM 2.0), and who the caller is."""

import os
from typing import Annotated

from databricks.sdk.service import iam
from fastapi import APIRouter, Depends, Request, Response

from local.workspace.core.context import ACCOUNT_ID, ADMIN, Caller, Workspace, WorkspaceDep
from local.workspace.core.requests import checked, raw_body
from local.workspace.core.store import Document
from local.workspace.identity import directory, patches
from local.workspace.identity.filters import matches
from local.workspace.identity.kinds import BY_COLLECTION, SERVICE_PRINCIPALS, USERS, Collection

router = APIRouter()
discovery = APIRouter()  # answered without a token
_SCIM = "/api/2.0/preview/scim/v2"
_ACCOUNT_SCIM = "/api/2.0/account/scim/v2"  # the account's directory at a workspace's address; here it is the same
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

Body = Annotated[bytes, Depends(raw_body)]  # checked by the collection, which only the path says


def start(workspace: Workspace) -> None:
    """Creates the built-in principals at the first start, and writes the administrator's token."""
    directory.create_built_in(workspace)
    token = workspace.token_for(ADMIN)
    path = workspace.settings.admin_token
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)


@discovery.get("/.well-known/databricks-config")
def databricks_config(request: Request, workspace: WorkspaceDep) -> dict[str, str]:
    """Answers what clients read from a host before they authenticate."""
    return {
        "oidc_endpoint": f"{request.base_url}oidc",
        "account_id": ACCOUNT_ID,
        "workspace_id": str(workspace.workspace_id),
    }


@router.get(f"{_SCIM}/Me")
def me(response: Response, workspace: WorkspaceDep, caller: Caller) -> Document:
    response.headers["X-Databricks-Org-Id"] = str(workspace.workspace_id)
    kind = USERS if caller.kind == "user" else SERVICE_PRINCIPALS
    answer = directory.shown(workspace, kind, directory.find(workspace, kind, caller.id))
    # A service principal's user name is its application id.
    return answer | {"userName": caller.name}


@router.post(f"{_SCIM}/{{collection}}", status_code=201)
def create(collection: Collection, content: Body, workspace: WorkspaceDep) -> Document:
    kind = BY_COLLECTION[collection]
    request = checked(content, kind.sdk)
    with workspace.store.transaction():
        document = directory.create(workspace, kind, request)
        workspace.hide(document["id"])
        return directory.shown(workspace, kind, document)


@router.get(f"{_ACCOUNT_SCIM}/{{collection}}")
@router.get(f"{_SCIM}/{{collection}}")
def list_all(
    collection: Collection,
    workspace: WorkspaceDep,
    filter: str = "",  # noqa: A002 (the parameter's name in SCIM)
    attributes: str = "",
    startIndex: int = 1,  # noqa: N803 (the parameter's name in SCIM)
    count: int = 10_000,
) -> Document:
    return listed(workspace, collection, seen(workspace, collection), filter, attributes, startIndex, count)


def seen(workspace: Workspace, collection: Collection) -> list[Document]:
    """Returns the principals of a collection that the directory finds."""
    documents = workspace.store.items(BY_COLLECTION[collection].documents)
    return [document for key, document in documents if workspace.sees(key)]


def listed(
    workspace: Workspace,
    collection: Collection,
    documents: list[Document],
    filter: str,  # noqa: A002 (the parameter's name in SCIM)
    attributes: str,
    startIndex: int,  # noqa: N803 (the parameter's name in SCIM)
    count: int,
) -> Document:
    """Returns a page of the principals that pass a filter, as SCIM answers."""
    kind = BY_COLLECTION[collection]
    selected = [document for document in documents if matches(document, filter)]
    page = selected[startIndex - 1 : startIndex - 1 + count]
    return {
        "schemas": [_LIST],
        "totalResults": len(selected),
        "startIndex": startIndex,
        "itemsPerPage": len(page),
        "Resources": [directory.shown(workspace, kind, document, attributes) for document in page],
    }


@router.get(f"{_ACCOUNT_SCIM}/{{collection}}/{{identifier}}")
@router.get(f"{_SCIM}/{{collection}}/{{identifier}}")
def get(collection: Collection, identifier: str, workspace: WorkspaceDep, attributes: str = "") -> Document:
    kind = BY_COLLECTION[collection]
    return directory.shown(workspace, kind, directory.find(workspace, kind, identifier), attributes)


@router.put(f"{_SCIM}/{{collection}}/{{identifier}}")
def replace(collection: Collection, identifier: str, content: Body, workspace: WorkspaceDep) -> Document:
    kind = BY_COLLECTION[collection]
    request = checked(content, kind.sdk)
    with workspace.store.transaction():
        old = directory.find(workspace, kind, identifier)
        kept = {name: old[name] for name in (kind.unique, "active") if name in old}
        new = kept | request | {"id": identifier}
        return directory.shown(workspace, kind, directory.write(workspace, kind, new))


@router.patch(f"{_SCIM}/{{collection}}/{{identifier}}")
def patch(collection: Collection, identifier: str, content: Body, workspace: WorkspaceDep) -> Document:
    kind = BY_COLLECTION[collection]
    operations = checked(content, iam.GroupsV2API.patch).get("Operations", [])
    with workspace.store.transaction():
        document = directory.find(workspace, kind, identifier)
        for operation in operations:
            patches.apply(document, operation)
        return directory.shown(workspace, kind, directory.write(workspace, kind, document))


@router.delete(f"{_SCIM}/{{collection}}/{{identifier}}", status_code=204)
def delete(collection: Collection, identifier: str, workspace: WorkspaceDep) -> None:
    with workspace.store.transaction():
        directory.leave(workspace, BY_COLLECTION[collection], identifier)
