"""Projects: each has a branch, an endpoint and a server of PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from databricks.sdk.service import postgres
from fastapi import APIRouter

from local.workspace.core.clock import timestamp
from local.workspace.core.context import Caller, WorkspaceDep
from local.workspace.core.errors import already_exists, bad_request
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.lakebase import settings
from local.workspace.lakebase.documents import (
    BRANCH,
    BRANCHES,
    DATABASES,
    ENDPOINT,
    ENDPOINTS,
    PROJECTS,
    ROLES,
)
from local.workspace.lakebase.operations import API, begin, find, shown
from local.workspace.lakebase.resources import live, masked, new, put
from local.workspace.lakebase.runtime import Lakebase

router = APIRouter()
_KEPT = timedelta(days=7)  # a project that was deleted and not purged
_DEFAULT_COMPUTE = {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 1}


@router.post(f"{API}/projects")
def create(
    request: Annotated[Document, body(postgres.Project)], project_id: str, workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Makes a project with its branch and endpoint; its server starts."""
    settings.check_id("project_id", project_id, least=1, letter_first=True)
    name = f"projects/{project_id}"
    spec, first = request.get("spec", {}), request.get("initial_endpoint_spec", {})
    status = settings.project_status(spec, {})
    compute = settings.endpoint_status(first, {"endpoint_type": "ENDPOINT_TYPE_READ_WRITE", **_DEFAULT_COMPUTE})
    with workspace.store.transaction():
        if workspace.store.get(PROJECTS, name) is not None:
            raise already_exists(f"{name} exists already, or was deleted and not purged", "ALREADY_EXISTS")
        branch = f"{name}/branches/{BRANCH}"
        status |= {"owner": caller.name, "default_branch": branch, "display_name": spec.get("display_name", project_id)}
        port = workspace.service(Lakebase).free_port()
        project = PROJECTS.document(
            {**new(name, status), "project_id": project_id, "port": port, "creator": caller.name}
        )
        protected = request.get("initial_branch_spec", {}).get("is_protected", False)
        state = {"current_state": "READY", "default": True, "is_protected": protected}
        endpoint = f"{branch}/endpoints/{ENDPOINT}"
        workspace.store.put(PROJECTS, name, project)
        workspace.store.put(BRANCHES, branch, BRANCHES.document(new(branch, state)))
        workspace.store.put(ENDPOINTS, endpoint, ENDPOINTS.document(new(endpoint, compute)))
    workspace.service(Lakebase).wake()
    return begin(workspace, name, waits=True)


@router.get(f"{API}/projects")
def list_all(
    workspace: WorkspaceDep, page_size: int = 100, page_token: str = "", *, show_deleted: bool = False
) -> Document:
    """Returns the projects."""
    found = [each for _, each in workspace.store.items(PROJECTS) if show_deleted or "delete_time" not in each]
    return page([shown(workspace, each) for each in found], "projects", page_size, page_token, most=100)


@router.get(f"{API}/projects/{{project}}")
def get(project: str, workspace: WorkspaceDep) -> Document:
    """Returns a project, also one that was deleted and not purged."""
    return shown(workspace, find(workspace, f"projects/{project}"))


@router.patch(f"{API}/projects/{{project}}")
def update(
    project: str, request: Annotated[Document, body(postgres.Project)], workspace: WorkspaceDep, update_mask: str = "*"
) -> Document:
    """Changes a project; what its first branch and endpoint were made with is looked at no more."""
    with workspace.store.transaction():
        document = live(workspace, f"projects/{project}")
        spec = masked(request, update_mask, ("initial_branch_spec", "initial_endpoint_spec"))
        put(workspace, PROJECTS, document, settings.project_status(spec, document["status"]))
    return begin(workspace, document["name"])


@router.delete(f"{API}/projects/{{project}}")
def delete(project: str, workspace: WorkspaceDep, *, purge: bool = False) -> Document:
    """Deletes a project: its server stops, and its data are kept for some days unless it is purged."""
    with workspace.store.transaction():
        document = find(workspace, f"projects/{project}")
        branch = find(workspace, f"{document['name']}/branches/{BRANCH}")
        if branch["status"]["is_protected"]:
            raise bad_request(f"{branch['name']} is protected: take its protection first", "FAILED_PRECONDITION")
        if purge:
            for kind in (BRANCHES, ENDPOINTS, ROLES, DATABASES):
                for key, _ in workspace.store.items(kind, f"{document['name']}/"):
                    workspace.store.delete(kind, key)
            workspace.store.delete(PROJECTS, document["name"])
        else:
            now = datetime.now(UTC)
            times = {"delete_time": timestamp(now), "purge_time": timestamp(now + _KEPT)}
            workspace.store.put(PROJECTS, document["name"], PROJECTS.document({**document, **times}))
    workspace.service(Lakebase).wake()
    return begin(workspace, document["name"])


@router.post(f"{API}/projects/{{project}}/undelete")
def undelete(project: str, workspace: WorkspaceDep) -> Document:
    """Takes back that a project was deleted."""
    with workspace.store.transaction():
        document = find(workspace, f"projects/{project}")
        if "delete_time" not in document:
            raise bad_request(f"{document['name']} is not deleted", "FAILED_PRECONDITION")
        kept = {key: value for key, value in document.items() if key not in ("delete_time", "purge_time")}
        workspace.store.put(PROJECTS, document["name"], PROJECTS.document(kept))
    workspace.service(Lakebase).wake()
    return begin(workspace, document["name"], waits=True)
