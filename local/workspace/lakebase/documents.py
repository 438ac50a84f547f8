"""Documents of the store that this area keeps; the fields of resources have the names of the API."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class ResourceDocument(TypedDict):
    """A project, branch, endpoint, role or database (kinds of those names, by its resource name)."""

    name: str
    uid: str
    create_time: str
    update_time: str
    status: Document  # what is in force; the API answers no `spec`


class ProjectDocument(ResourceDocument):
    """A project (kind `lakebase_projects`, by `projects/<id>`)."""

    project_id: str  # permissions know the project by it
    port: int
    creator: str
    delete_time: NotRequired[str]
    purge_time: NotRequired[str]


class OperationDocument(TypedDict):
    """A long-running operation (kind `lakebase_operations`, by its name)."""

    target: str  # name of what is made, changed or deleted
    waits: bool  # whether it is done only once the project's server answers


class CredentialDocument(TypedDict):
    """A password (kind `lakebase_credentials`, by the hash of the token)."""

    principal: str
    project: str  # uid
    expires: int  # milliseconds


PROJECTS = DocumentKind[ProjectDocument]("lakebase_projects")
BRANCHES = DocumentKind[ResourceDocument]("lakebase_branches")
ENDPOINTS = DocumentKind[ResourceDocument]("lakebase_endpoints")
ROLES = DocumentKind[ResourceDocument]("lakebase_roles")
DATABASES = DocumentKind[ResourceDocument]("lakebase_databases")
OPERATIONS = DocumentKind[OperationDocument]("lakebase_operations")
CREDENTIALS = DocumentKind[CredentialDocument]("lakebase_credentials")

BRANCH, ENDPOINT = "production", "primary"  # what each project is made with
