"""Long-running operations: how every change of this area is answered."""

import uuid
from typing import Any

from fastapi import APIRouter

from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import not_found
from local.workspace.core.store import Document
from local.workspace.lakebase import documents
from local.workspace.lakebase.documents import OPERATIONS, PROJECTS, OperationDocument
from local.workspace.lakebase.runtime import Lakebase

router = APIRouter()
API = "/api/2.0/postgres"
_KINDS: dict[str, Any] = {
    "projects": documents.PROJECTS,
    "branches": documents.BRANCHES,
    "endpoints": documents.ENDPOINTS,
    "roles": documents.ROLES,
    "databases": documents.DATABASES,
}


@router.get(f"{API}/projects/{{project}}/operations/{{operation}}")
def get(project: str, operation: str, workspace: WorkspaceDep) -> Document:
    """Returns an operation, with what it made once it is done."""
    name = f"projects/{project}/operations/{operation}"
    return _answer(workspace, name, workspace.find(OPERATIONS, name, f"there is no operation {name}"))


def begin(workspace: Workspace, target: str, *, waits: bool = False) -> Document:
    """Keeps an operation and answers it.

    Args:
        workspace: The workspace.
        target: Name of what is made, changed or deleted.
        waits: Whether it is done only once the project's server answers.
    """
    name = f"{'/'.join(target.split('/')[:2])}/operations/{uuid.uuid4()}"
    document: OperationDocument = {"target": target, "waits": waits}
    workspace.store.put(OPERATIONS, name, document)
    return _answer(workspace, name, document)


def find(workspace: Workspace, name: str) -> Any:
    """Returns a resource as stored.

    Raises:
        ApiError: There is none of this name.
    """
    document = workspace.store.get(_KINDS[name.split("/")[-2]], name)
    if document is None:
        raise not_found(f"{name} does not exist", "NOT_FOUND")
    return document


def shown(workspace: Workspace, document: Any) -> Document:
    """Returns a stored resource as the API answers it."""
    kind, _, identifier = document["name"].rpartition("/")[0].rpartition("/")[2], "", document["name"].split("/")[-1]
    single = {"branches": "branch", "databases": "database"}.get(kind, kind.removesuffix("s"))
    answer: Document = {name: value for name, value in document.items() if name not in ("port", "creator")}
    answer["status"] = {**document["status"], f"{single}_id": identifier}
    answer[f"{single}_id"] = identifier
    if kind != "projects":
        answer["parent"] = "/".join(document["name"].split("/")[:-2])
    if kind == "endpoints":
        project = workspace.store.get(PROJECTS, "/".join(document["name"].split("/")[:2]))
        if project is not None:
            ready = workspace.service(Lakebase).ready(project)
            idle = "IDLE" if document["status"].get("disabled") else "INIT"
            answer["status"]["current_state"] = "ACTIVE" if ready else idle
            # The host carries the port, since several local clouds share one address.
            answer["status"]["hosts"] = {"host": f"127.0.0.1:{project['port']}"}
    return answer


def _answer(workspace: Workspace, name: str, operation: OperationDocument) -> Document:
    answer: Document = {"name": name, "metadata": {}, "done": True}
    target = workspace.store.get(_KINDS[operation["target"].split("/")[-2]], operation["target"])
    project = workspace.store.get(PROJECTS, "/".join(operation["target"].split("/")[:2]))
    if operation["waits"] and project is not None and "delete_time" not in project:
        lakebase = workspace.service(Lakebase)
        if lakebase.error(project):
            return answer | {"error": {"error_code": "INTERNAL_ERROR", "message": lakebase.error(project)}}
        if not lakebase.ready(project):
            return {"name": name, "metadata": {}, "done": False}
    return answer | {"response": shown(workspace, target) if target else {}}
