"""Roles of PostgreSQL, which stand for principals of Databricks or own things."""

import uuid
from typing import Annotated

from databricks.sdk.service import postgres
from fastapi import APIRouter

from local.workspace.core.context import Workspace, WorkspaceDep
from local.workspace.core.errors import already_exists, bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.lakebase import settings, sql
from local.workspace.lakebase.documents import DATABASES, ROLES, ProjectDocument
from local.workspace.lakebase.operations import API, begin, find, shown
from local.workspace.lakebase.resources import live, masked, new, put
from local.workspace.lakebase.runtime import Lakebase, check_identity

router = APIRouter()
_ROLES = f"{API}/projects/{{project}}/branches/{{branch}}/roles"


@router.post(_ROLES)
def create(
    project: str,
    branch: str,
    request: Annotated[Document, body(postgres.Role)],
    workspace: WorkspaceDep,
    role_id: str = "",
    *,
    replace_existing: bool = False,
) -> Document:
    """Makes a role, which has no right on anything yet."""
    parent = live(workspace, f"projects/{project}/branches/{branch}")["name"]
    identifier = role_id or f"role-{uuid.uuid4().hex[:12]}"
    settings.check_id("role_id", identifier, least=4, letter_first=False)
    name, document = f"{parent}/roles/{identifier}", find(workspace, f"projects/{project}")
    if workspace.store.get(ROLES, name) is not None:
        if not replace_existing:
            raise already_exists(f"{name} exists already", "ALREADY_EXISTS")
        return update(project, branch, identifier, request, workspace)
    status = _status(workspace, request.get("spec", {}), document)
    with workspace.service(Lakebase).connection(document) as connection:
        sql.create_role(connection, status)
    workspace.store.put(ROLES, name, ROLES.document(new(name, status)))
    return begin(workspace, name)


@router.get(_ROLES)
def list_all(
    project: str, branch: str, workspace: WorkspaceDep, page_size: int = 100, page_token: str = ""
) -> Document:
    """Returns the roles that were made through this API."""
    name = find(workspace, f"projects/{project}/branches/{branch}")["name"]
    found = [shown(workspace, each) for _, each in workspace.store.items(ROLES, f"{name}/")]
    return page(found, "roles", page_size, page_token, most=100)


@router.get(f"{_ROLES}/{{role}}")
def get(project: str, branch: str, role: str, workspace: WorkspaceDep) -> Document:
    """Returns a role."""
    return shown(workspace, find(workspace, f"projects/{project}/branches/{branch}/roles/{role}"))


@router.patch(f"{_ROLES}/{{role}}")
def update(
    project: str,
    branch: str,
    role: str,
    request: Annotated[Document, body(postgres.Role)],
    workspace: WorkspaceDep,
    update_mask: str = "*",
) -> Document:
    """Changes attributes and memberships of a role; what it stands for stays."""
    document = live(workspace, f"projects/{project}/branches/{branch}/roles/{role}")
    spec, status = masked(request, update_mask), document["status"]
    for field in ("postgres_role", "identity_type", "auth_method"):
        if field in spec and spec[field] != status.get(field):
            raise bad_request(f"{field} is {status.get(field)!r} and cannot be changed to {spec[field]!r}")
    status = status | {name: spec[name] for name in ("attributes", "membership_roles") if name in spec}
    with workspace.service(Lakebase).connection(find(workspace, f"projects/{project}")) as connection:
        sql.set_rights(connection, status)
    put(workspace, ROLES, document, status)
    return begin(workspace, document["name"])


@router.delete(f"{_ROLES}/{{role}}")
def delete(project: str, branch: str, role: str, workspace: WorkspaceDep, reassign_owned_to: str = "") -> Document:
    """Deletes a role; one that owns something is refused, unless another role gets it."""
    document = live(workspace, f"projects/{project}/branches/{branch}/roles/{role}")
    owner, name = find(workspace, f"projects/{project}"), document["status"]["postgres_role"]
    lakebase = workspace.service(Lakebase)
    if reassign_owned_to:
        heir = find(workspace, reassign_owned_to)["status"]["postgres_role"]
        for database in _databases(workspace, owner):
            with lakebase.connection(owner, database) as connection:
                sql.reassign(connection, name, heir)
    with lakebase.connection(owner) as connection:
        sql.drop_role(connection, name)
    workspace.store.delete(ROLES, document["name"])
    return begin(workspace, document["name"])


def _status(workspace: Workspace, spec: Document, project: ProjectDocument) -> Document:
    """What is in force in a new role.

    Raises:
        ApiError: A field is missing, there is no such principal, or the role exists.
    """
    name = spec.get("postgres_role", "")
    if not name:
        raise bad_request("missing field spec.postgres_role")
    if spec.get("identity_type"):
        check_identity(workspace, spec["identity_type"], name)
    else:
        settings.check_identifier("postgres_role", name)
    method = spec.get("auth_method") or ("LAKEBASE_OAUTH_V1" if spec.get("identity_type") else None)
    if method not in ("LAKEBASE_OAUTH_V1", "NO_LOGIN"):
        raise not_built("a role with a password of PostgreSQL, the default of one without identity_type")
    if method == "LAKEBASE_OAUTH_V1" and not spec.get("identity_type"):
        raise bad_request("auth_method LAKEBASE_OAUTH_V1 needs an identity_type")
    taken = {role["status"]["postgres_role"] for _, role in workspace.store.items(ROLES, f"{project['name']}/")}
    if name in taken | {project["creator"]}:
        raise already_exists(f"the role {name} exists already", "ALREADY_EXISTS")
    return {"attributes": {}, "membership_roles": [], **spec, "auth_method": method}


def _databases(workspace: Workspace, project: ProjectDocument) -> list[str]:
    """Names of all databases of a project."""
    made = [each["status"]["postgres_database"] for _, each in workspace.store.items(DATABASES, f"{project['name']}/")]
    return ["postgres", sql.FIRST_DATABASE, *made]
