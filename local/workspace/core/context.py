"""The context of a request: the workspace that serves it, and the principal that sent it."""

import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

from fastapi import Depends, Request

from local.workspace.core.errors import ApiError, not_found
from local.workspace.core.spark_sessions import SparkSessions
from local.workspace.core.store import Document, Store

if TYPE_CHECKING:
    from local.settings import LocalSettings

T = TypeVar("T")

ADMIN = "admin@churn.local"
ADMINS = "admins"
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

    def find(self, kind: str, key: str, message: str, error_code: str = "RESOURCE_DOES_NOT_EXIST") -> Document:
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
        return any(group["displayName"] == name for _, group in self.store.items("groups"))

    @property
    def workspace_id(self) -> int:
        """Number of this workspace, drawn at its first start."""
        return int(self._identity()["workspace_id"])

    @property
    def metastore_id(self) -> str:
        """Id of its Unity Catalog metastore, drawn at its first start."""
        return str(self._identity()["metastore_id"])

    def _identity(self) -> Document:
        with self.store.transaction():
            document = self.store.get("workspace", "identity")
            if document is None:
                document = {"workspace_id": self.store.next_id("workspace"), "metastore_id": str(uuid.uuid4())}
                self.store.put("workspace", "identity", document)
            return document

    def principal(self, name: str) -> Principal:
        """Returns a user by name, whatever its case, or a service principal by application id.

        Raises:
            ApiError: No active principal has that name.
        """
        for kind, documents, key in (
            ("user", "users", "userName"),
            ("service_principal", "service_principals", "applicationId"),
        ):
            for identifier, document in self.store.items(documents):
                known = document[key]
                if known in (name, name.lower()) and document.get("active", True):
                    return Principal(known, identifier, kind, ADMINS in self.groups_of(identifier))  # type: ignore[arg-type]  # one of the two above
        raise not_found(f"no active user or service principal {name!r}")

    def groups_of(self, identifier: str) -> set[str]:
        """Returns the names of a principal's groups, direct and through other groups, and `users`."""
        groups = self.store.items("groups")
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
            for token, document in self.store.items("tokens"):
                if document["principal"] == name:
                    return token
            token = "dapi" + secrets.token_hex(16)
            self.store.put("tokens", token, {"principal": name})
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
    document = workspace.store.get("tokens", token) if scheme.lower() == "bearer" else None
    if document is None:
        message = f"no valid bearer token; the administrator's is in {workspace.settings.admin_token}"
        raise ApiError(401, "UNAUTHENTICATED", message)
    try:
        return workspace.principal(document["principal"])
    except ApiError as error:
        raise ApiError(401, "UNAUTHENTICATED", error.message) from error


WorkspaceDep = Annotated[Workspace, Depends(current_workspace)]
Caller = Annotated[Principal, Depends(authenticated)]
