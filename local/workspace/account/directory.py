"""The account's directory (`/api/2.0/accounts/{id}/scim/v2`): the workspace's own, and whom the workspace let go."""

from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.documents import LEFT
from local.workspace.core.store import Document
from local.workspace.identity import directory, routes
from local.workspace.identity.kinds import BY_COLLECTION, SERVICE_PRINCIPALS, Collection

router = APIRouter()
_ALL = f"{ACCOUNT}/scim/v2/{{collection}}"
_ONE = f"{_ALL}/{{identifier}}"

router.add_api_route(_ALL, routes.create, methods=["POST"], status_code=201)
router.add_api_route(_ONE, routes.replace, methods=["PUT"])
router.add_api_route(_ONE, routes.patch, methods=["PATCH"])


@router.get(_ALL)
def list_all(
    collection: Collection,
    workspace: WorkspaceDep,
    filter: str = "",  # noqa: A002 (the parameter's name in SCIM)
    attributes: str = "",
    startIndex: int = 1,  # noqa: N803 (the parameter's name in SCIM)
    count: int = 10_000,
) -> Document:
    """Returns principals of the account."""
    documents = [*routes.seen(workspace, collection), *_left(workspace, collection).values()]
    return routes.listed(workspace, collection, documents, filter, attributes, startIndex, count)


@router.get(_ONE)
def get(collection: Collection, identifier: str, workspace: WorkspaceDep, attributes: str = "") -> Document:
    """Returns a principal of the account."""
    left = _left(workspace, collection).get(identifier)
    if left is None:
        return routes.get(collection, identifier, workspace, attributes)
    return directory.shown(workspace, BY_COLLECTION[collection], left, attributes)


@router.delete(_ONE, status_code=204)
def delete(collection: Collection, identifier: str, workspace: WorkspaceDep) -> None:
    """Removes a principal from the account and its workspace."""
    with workspace.store.transaction():
        if identifier in _left(workspace, collection):
            workspace.store.delete(LEFT, identifier)
        else:
            directory.remove(workspace, BY_COLLECTION[collection], identifier)


def _left(workspace: Workspace, collection: Collection) -> dict[str, Document]:
    """Principals that the account has and the workspace has no longer, by id."""
    return dict(workspace.store.items(LEFT)) if BY_COLLECTION[collection] is SERVICE_PRINCIPALS else {}
