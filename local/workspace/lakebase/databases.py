"""Databases of a project."""

import uuid
from typing import Annotated

from databricks.sdk.service import postgres
from fastapi import APIRouter

from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import already_exists, bad_request
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.lakebase import settings, sql
from local.workspace.lakebase.documents import DATABASES, ROLES
from local.workspace.lakebase.operations import API, begin, find, shown
from local.workspace.lakebase.resources import live, masked, new, put
from local.workspace.lakebase.runtime import Lakebase

router = APIRouter()
_DATABASES = f"{API}/projects/{{project}}/branches/{{branch}}/databases"


@router.post(_DATABASES)
def create(
    project: str,
    branch: str,
    request: Annotated[Document, body(postgres.Database)],
    workspace: WorkspaceDep,
    database_id: str = "",
    *,
    replace_existing: bool = False,
) -> Document:
    """Makes a database, which belongs to a role."""
    parent = live(workspace, f"projects/{project}/branches/{branch}")["name"]
    identifier = database_id or f"db-{uuid.uuid4().hex[:12]}"
    settings.check_id("database_id", identifier, least=4, letter_first=False)
    name, spec = f"{parent}/databases/{identifier}", request.get("spec", {})
    if workspace.store.get(DATABASES, name) is not None:
        if not replace_existing:
            raise already_exists(f"{name} exists already", "ALREADY_EXISTS")
        return update(project, branch, identifier, request, workspace)
    status = {"role": spec.get("role", ""), "postgres_database": spec.get("postgres_database", "")}
    owner = _checked(workspace, name, status)
    with workspace.service(Lakebase).connection(find(workspace, f"projects/{project}")) as connection:
        sql.create_database(connection, status["postgres_database"], owner)
    workspace.store.put(DATABASES, name, DATABASES.document(new(name, status)))
    return begin(workspace, name)


@router.get(_DATABASES)
def list_all(
    project: str, branch: str, workspace: WorkspaceDep, page_size: int = 100, page_token: str = ""
) -> Document:
    """Returns the databases that were made through this API."""
    name = find(workspace, f"projects/{project}/branches/{branch}")["name"]
    found = [shown(workspace, each) for _, each in workspace.store.items(DATABASES, f"{name}/")]
    return page(found, "databases", page_size, page_token, most=100)


@router.get(f"{_DATABASES}/{{database}}")
def get(project: str, branch: str, database: str, workspace: WorkspaceDep) -> Document:
    """Returns a database."""
    return shown(workspace, find(workspace, f"projects/{project}/branches/{branch}/databases/{database}"))


@router.patch(f"{_DATABASES}/{{database}}")
def update(
    project: str,
    branch: str,
    database: str,
    request: Annotated[Document, body(postgres.Database)],
    workspace: WorkspaceDep,
    update_mask: str = "*",
) -> Document:
    """Changes name and owner of a database."""
    document = live(workspace, f"projects/{project}/branches/{branch}/databases/{database}")
    status = document["status"] | masked(request, update_mask)
    owner = _checked(workspace, document["name"], status)
    with workspace.service(Lakebase).connection(find(workspace, f"projects/{project}")) as connection:
        sql.change_database(connection, document["status"], status["postgres_database"], owner)
    put(workspace, DATABASES, document, status)
    return begin(workspace, document["name"])


@router.delete(f"{_DATABASES}/{{database}}")
def delete(project: str, branch: str, database: str, workspace: WorkspaceDep) -> Document:
    """Deletes a database with all that it has."""
    document = live(workspace, f"projects/{project}/branches/{branch}/databases/{database}")
    with workspace.service(Lakebase).connection(find(workspace, f"projects/{project}")) as connection:
        sql.drop_database(connection, document["status"]["postgres_database"])
    workspace.store.delete(DATABASES, document["name"])
    return begin(workspace, document["name"])


def _checked(workspace: Workspace, name: str, status: Document) -> str:
    """The name in PostgreSQL of a database's owner.

    Raises:
        ApiError: A field is wrong, the owner is missing, or another database has the name.
    """
    settings.check_identifier("postgres_database", status["postgres_database"])
    branch = name.rpartition("/databases/")[0]
    if not status["role"].startswith(f"{branch}/roles/"):
        raise bad_request(f"role is {status['role']!r}; it must be a role of the branch, {branch}/roles/<id>")
    for key, other in workspace.store.items(DATABASES, f"{branch}/"):
        if key != name and other["status"]["postgres_database"] == status["postgres_database"]:
            raise already_exists(f"the database {status['postgres_database']} exists already", "ALREADY_EXISTS")
    role = workspace.find(ROLES, status["role"], f"{status['role']} does not exist", "NOT_FOUND")
    return str(role["status"]["postgres_role"])
