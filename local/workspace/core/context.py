"""The context of a request: the workspace that serves it, and the principal that sent it."""

import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

from fastapi import Depends, Request

from local.workspace.core.clock import now_ms
from local.workspace.core.documents import (
    GROUPS,
    SERVICE_PRINCIPALS,
    TOKENS,
    UNSEEN,
    USERS,
    WORKSPACE,
    TokenDocument,
    UnseenDocument,
    WorkspaceDocument,
)
from local.workspace.core.errors import ApiError, not_found
from local.workspace.core.spark_sessions import SparkSessions
from local.workspace.core.store import DocumentKind, Store

if TYPE_CHECKING:
    from local.settings import LocalSettings

T = TypeVar("T")

ADMIN = "admin@churn.local"  # built in; administrator of the account too
ADMINS = "admins"
SYSTEM_USER = "System user"  # owner of a metastore that has no administrator
# The account that the workspace belongs to: in the names of rule sets, and where clients look for it. One for all
# local clouds, so that it is known before a workspace runs.
ACCOUNT_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Principal:
    """A user or service principal that sends requests.

    Attributes:
        name: User name, or a service principal's application id.
        id: Its id in the directory.
        kind: `user` or `service_principal`.
        admin: Whether the principal is a member of the group `admins`.
    """

    name: str
    id: str
    kind: Literal["user", "service_principal"]
    admin: bool


@dataclass
class Workspace:
    """One workspace: its settings, its state, its Spark sessions, and the services that areas keep running."""

    settings: "LocalSettings"
    store: Store
    spark: SparkSessions = field(init=False)
    _services: dict[type, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spark = SparkSessions(self.settings.spark_remote)

    def add_service(self, service: object) -> None:
        """Keeps what an area runs, for `service`."""
        self._services[type(service)] = service

    def service(self, kind: type[T]) -> T:
        """Returns what an area runs, by its class."""
        return cast("T", self._services[kind])

    def find(self, kind: DocumentKind[T], key: str, message: str, error_code: str = "RESOURCE_DOES_NOT_EXIST") -> T:
        """Returns a document of the store.

        Raises:
            ApiError: There is none; a 404 with this message and code.
        """
        document = self.store.get(kind, key)
        if document is None:
            raise not_found(message, error_code)
        return document

    def has_group(self, name: str) -> bool:
        """Whether a group has this display name."""
        return any(group["displayName"] == name and self.sees(key) for key, group in self.store.items(GROUPS))

    def hide(self, identifier: str) -> None:
        """Hides a new principal from all but the directory itself, for as long as the settings say."""
        if self.settings.principal_delay_seconds:
            until = now_ms() + 1000 * self.settings.principal_delay_seconds
            self.store.put(UNSEEN, identifier, UnseenDocument(until=until))

    def sees(self, identifier: str) -> bool:
        """Whether services beside the directory see a principal."""
        hidden = self.store.get(UNSEEN, identifier)
        return hidden is None or now_ms() >= hidden["until"]

    @property
    def workspace_id(self) -> int:
        """Number of this workspace, drawn at its first start."""
        return self._identity()["workspace_id"]

    @property
    def metastore_id(self) -> str:
        """Id of its Unity Catalog metastore, drawn at its first start."""
        return self._identity()["metastore_id"]

    @property
    def metastore_owner(self) -> str:
        """Administrator of its metastore: nobody, until the account names a principal."""
        return self._identity().get("metastore_owner", SYSTEM_USER)

    @metastore_owner.setter
    def metastore_owner(self, name: str) -> None:
        self._change_identity(metastore_owner=name)

    @property
    def metastore_root(self) -> str | None:
        """Cloud URL of its metastore's storage: none, as of those that Databricks makes, unless a test gives it one."""
        return self._identity().get("metastore_root")

    @metastore_root.setter
    def metastore_root(self, url: str) -> None:
        self._change_identity(metastore_root=url)

    def _change_identity(self, **changed: str) -> None:
        with self.store.transaction():
            self.store.put(WORKSPACE, "identity", cast("WorkspaceDocument", {**self._identity(), **changed}))

    def _identity(self) -> WorkspaceDocument:
        with self.store.transaction():
            document = self.store.get(WORKSPACE, "identity")
            if document is None:
                document = {"workspace_id": self.store.next_id("workspace"), "metastore_id": str(uuid.uuid4())}
                self.store.put(WORKSPACE, "identity", document)
            return document

    def principal(self, name: str) -> Principal:
        """Returns a user by name, whatever its case, or a service principal by application id.

        Raises:
            ApiError: No active principal has that name.
        """
        for key, user in self.store.items(USERS):
            if user["userName"] == name.lower() and user.get("active", True) and self.sees(key):
                return Principal(user["userName"], key, "user", ADMINS in self.groups_of(key))
        for key, service_principal in self.store.items(SERVICE_PRINCIPALS):
            known = service_principal["applicationId"] == name and service_principal.get("active", True)
            if known and self.sees(key):
                return Principal(name, key, "service_principal", ADMINS in self.groups_of(key))
        raise not_found(f"no active user or service principal {name!r}")

    def groups_of(self, identifier: str) -> set[str]:
        """Returns the names of a principal's groups, direct and through other groups, and `users`."""
        groups = self.store.items(GROUPS)
        members, names = {identifier}, {"users"}
        grown = True
        while grown:
            grown = False
            for key, group in groups:
                if key not in members and any(member["value"] in members for member in group.get("members", [])):
                    members.add(key)
                    names.add(group["displayName"])
                    grown = True
        return names

    def token_for(self, name: str) -> str:
        """Returns the bearer token of a user (by name) or a service principal (by application id).

        The token is made at the first call.

        Raises:
            ApiError: There is no such principal.
        """
        name = self.principal(name).name
        with self.store.transaction():
            for token, document in self.store.items(TOKENS):
                if document["principal"] == name and "expires" not in document:
                    return token
            token = "dapi" + secrets.token_hex(16)
            self.store.put(TOKENS, token, TokenDocument(principal=name))
            return token


def current_workspace(request: Request) -> Workspace:
    """Returns the workspace that serves a request; a FastAPI dependency."""
    return cast("Workspace", request.app.state.workspace)


def authenticated(request: Request) -> Principal:
    """Returns who sent a request; a FastAPI dependency.

    Raises:
        ApiError: The bearer token is missing or unknown.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    workspace = current_workspace(request)
    document = workspace.store.get(TOKENS, token) if scheme.lower() == "bearer" else None
    if document is None or ("expires" in document and document["expires"] < now_ms()):
        message = f"no valid bearer token; the administrator's is in {workspace.settings.admin_token}"
        raise ApiError(401, "UNAUTHENTICATED", message)
    try:
        return workspace.principal(document["principal"])
    except ApiError as error:
        raise ApiError(401, "UNAUTHENTICATED", error.message) from error


WorkspaceDep = Annotated[Workspace, Depends(current_workspace)]
Caller = Annotated[Principal, Depends(authenticated)]
