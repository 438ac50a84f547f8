"""The branch and the endpoint that each project is made with."""

from typing import Annotated, Any

from databricks.sdk.service import postgres
from fastapi import APIRouter

from local.workspace.core.context import WorkspaceDep
from local.workspace.core.errors import ApiError, already_exists, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.lakebase import settings
from local.workspace.lakebase.documents import BRANCH, BRANCHES, ENDPOINT, ENDPOINTS
from local.workspace.lakebase.operations import API, begin, find, shown
from local.workspace.lakebase.resources import live, masked, put
from local.workspace.lakebase.runtime import Lakebase

router = APIRouter()
_BRANCH = f"{API}/projects/{{project}}/branches"
_ENDPOINT = f"{_BRANCH}/{{branch}}/endpoints"


@router.get(_BRANCH)
def list_branches(project: str, workspace: WorkspaceDep, page_size: int = 100, page_token: str = "") -> Document:
    """Returns the branch of a project."""
    found = [shown(workspace, each) for _, each in workspace.store.items(BRANCHES, f"projects/{project}/")]
    return page(found, "branches", page_size, page_token, most=100)


@router.get(f"{_BRANCH}/{{branch}}")
def get_branch(project: str, branch: str, workspace: WorkspaceDep) -> Document:
    """Returns a branch."""
    return shown(workspace, find(workspace, f"projects/{project}/branches/{branch}"))


@router.post(_BRANCH)
def create_branch(
    project: str,
    request: Annotated[Document, body(postgres.Branch)],
    branch_id: str,
    workspace: WorkspaceDep,
    *,
    replace_existing: bool = False,
) -> Document:
    """Takes over the branch that there is."""
    if branch_id != BRANCH:
        raise not_built("a branch besides the one that a project is made with")
    if not replace_existing:
        raise already_exists(f"projects/{project}/branches/{branch_id} exists already", "ALREADY_EXISTS")
    return update_branch(project, branch_id, request, workspace)


@router.patch(f"{_BRANCH}/{{branch}}")
def update_branch(
    project: str,
    branch: str,
    request: Annotated[Document, body(postgres.Branch)],
    workspace: WorkspaceDep,
    update_mask: str = "*",
) -> Document:
    """Changes a branch."""
    with workspace.store.transaction():
        document = live(workspace, f"projects/{project}/branches/{branch}")
        spec = masked(request, update_mask)
        for field in sorted(set(spec) - {"is_protected", "no_expiry"}):
            raise not_built(f"{field} of a branch")
        kept = {"is_protected": spec["is_protected"]} if "is_protected" in spec else {}
        put(workspace, BRANCHES, document, document["status"] | kept)
    return begin(workspace, document["name"])


@router.delete(f"{_BRANCH}/{{branch}}")
def delete_branch(project: str, branch: str, workspace: WorkspaceDep) -> None:
    """Refuses: the default branch goes with its project."""
    raise ManagedByParentError(live(workspace, f"projects/{project}/branches/{branch}")["name"])


@router.get(_ENDPOINT)
def list_endpoints(
    project: str, branch: str, workspace: WorkspaceDep, page_size: int = 100, page_token: str = ""
) -> Document:
    """Returns the endpoint of a branch."""
    name = f"projects/{project}/branches/{branch}/"
    found = [shown(workspace, each) for _, each in workspace.store.items(ENDPOINTS, name)]
    return page(found, "endpoints", page_size, page_token, most=100)


@router.get(f"{_ENDPOINT}/{{endpoint}}")
def get_endpoint(project: str, branch: str, endpoint: str, workspace: WorkspaceDep) -> Document:
    """Returns an endpoint."""
    return shown(workspace, find(workspace, f"projects/{project}/branches/{branch}/endpoints/{endpoint}"))


@router.post(_ENDPOINT)
def create_endpoint(
    project: str,
    branch: str,
    request: Annotated[Document, body(postgres.Endpoint)],
    endpoint_id: str,
    workspace: WorkspaceDep,
    *,
    replace_existing: bool = False,
) -> Document:
    """Takes over the endpoint that there is."""
    if endpoint_id != ENDPOINT:
        raise not_built("an endpoint besides the one that a branch is made with")
    if not replace_existing:
        name = f"projects/{project}/branches/{branch}/endpoints/{endpoint_id}"
        raise already_exists(f"{name} exists already", "ALREADY_EXISTS")
    return update_endpoint(project, branch, endpoint_id, request, workspace)


@router.patch(f"{_ENDPOINT}/{{endpoint}}")
def update_endpoint(
    project: str,
    branch: str,
    endpoint: str,
    request: Annotated[Document, body(postgres.Endpoint)],
    workspace: WorkspaceDep,
    update_mask: str = "*",
) -> Document:
    """Changes an endpoint; one that is disabled takes no connections."""
    with workspace.store.transaction():
        document = live(workspace, f"projects/{project}/branches/{branch}/endpoints/{endpoint}")
        status = settings.endpoint_status(masked(request, update_mask), document["status"])
        put(workspace, ENDPOINTS, document, status)
    workspace.service(Lakebase).wake()
    return begin(workspace, document["name"], waits=not status.get("disabled"))


@router.delete(f"{_ENDPOINT}/{{endpoint}}")
def delete_endpoint(project: str, branch: str, endpoint: str, workspace: WorkspaceDep) -> None:
    """Refuses: the endpoint goes with its branch."""
    raise ManagedByParentError(live(workspace, f"projects/{project}/branches/{branch}/endpoints/{endpoint}")["name"])


class ManagedByParentError(ApiError):
    """The refusal to delete what goes with its parent, in the form that the provider takes for done."""

    def __init__(self, name: str) -> None:
        super().__init__(400, "BAD_REQUEST", f"{name} is managed by its parent and goes with it")

    def as_dict(self) -> dict[str, Any]:
        """Returns the body of the answer."""
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "MANAGED_BY_PARENT",
            "domain": "databricks.com",
            "metadata": {"declarative_context": "MANAGED_BY_PARENT"},
        }
        return {**super().as_dict(), "details": [info]}
