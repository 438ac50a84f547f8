"""Documents of the store that the workspace itself keeps: its identity, its principals and their tokens."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind


class WorkspaceDocument(TypedDict):
    """The workspace (kind `workspace`, by `identity`)."""

    workspace_id: int
    metastore_id: str
    metastore_owner: NotRequired[str]
    metastore_root: NotRequired[str]  # a cloud URL


class TokenDocument(TypedDict):
    """A bearer token (kind `tokens`, by the token)."""

    principal: str  # user name, or a service principal's application id
    expires: NotRequired[int]  # milliseconds; a token that OAuth gave


class UnseenDocument(TypedDict):
    """A new principal that only the directory sees yet (kind `unseen_principals`, by its id)."""

    until: float  # milliseconds


class PrincipalDocument(TypedDict):
    """What users, groups and service principals have in common; their fields have the names of SCIM."""

    id: str
    entitlements: NotRequired[list[Document]]
    externalId: NotRequired[str]
    roles: NotRequired[list[Document]]


class UserDocument(PrincipalDocument):
    """A user (kind `users`, by its id)."""

    userName: str
    displayName: NotRequired[str]
    active: NotRequired[bool]  # true where left out
    emails: NotRequired[list[Document]]
    name: NotRequired[Document]


class ServicePrincipalDocument(PrincipalDocument):
    """A service principal (kind `service_principals`, by its id)."""

    applicationId: str
    displayName: NotRequired[str]
    active: NotRequired[bool]  # true where left out


class GroupDocument(PrincipalDocument):
    """A group (kind `groups`, by its id)."""

    displayName: str
    members: NotRequired[list[Document]]  # each with the id of a principal as `value`


WORKSPACE = DocumentKind[WorkspaceDocument]("workspace")
TOKENS = DocumentKind[TokenDocument]("tokens")
UNSEEN = DocumentKind[UnseenDocument]("unseen_principals")
USERS = DocumentKind[UserDocument]("users")
SERVICE_PRINCIPALS = DocumentKind[ServicePrincipalDocument]("service_principals")
GROUPS = DocumentKind[GroupDocument]("groups")
LEFT = DocumentKind[Document]("left_service_principals")  # by their ids: of the account alone
